"""An update of ours and the same update in PyTorch, timed in alternation in one run; the table of what came of it."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import tyro

from experiments.benchmarks import clock, roofline, updates
from experiments.benchmarks.clock import Clock, Timing, Variant
from experiments.benchmarks.roofline import Peaks
from jaxgen.checks import require

EAGER = "PyTorch, eager"


@dataclass(frozen=True)
class Options:
    """What to measure, and for how long."""

    cases: Annotated[tuple[str, ...], tyro.conf.Positional] = ()  # names of cases, `costs` the last; all if none
    rounds: int = 5  # alternations of all variants
    seconds: float = 2.0  # of each variant in each round, at least
    clock: Clock = "wall"  # processor: seconds of all threads, whoever else uses the machine
    compile: bool = True  # time torch.compile too
    history: pathlib.Path = pathlib.Path("runs/benchmark.jsonl")  # a line for each case is added to it

    def __post_init__(self):
        require(self.rounds >= 1, "--rounds", self.rounds, "at least 1")
        require(self.seconds > 0, "--seconds", self.seconds, "above 0")


def measure(case: updates.Case, options: Options, peaks: Peaks) -> dict[str, Any]:
    """Sizes of the update, its bound, timings of each variant, and why a variant could not be timed."""
    eager = case.rival(case.config, case.batch_size, compiled=False)
    count = updates.parameters(case.config)
    if count != eager.parameters:
        raise ValueError(f"{count} parameters beside {eager.parameters} in PyTorch; no fair comparison")
    variants = {EAGER: Variant(eager.run)}
    failed = {}
    if options.compile:
        _forget_compiled()
        compiled = case.rival(case.config, case.batch_size, compiled=True)
        try:
            compiled.run()
            variants["PyTorch, compiled"] = Variant(compiled.run)
        except RuntimeError as error:  # such as a second derivative, which it does not know
            failed["PyTorch, compiled"] = str(error).strip().partition("\n")[0]
    variants |= clock.by_call(functools.partial(updates.ours, case), case.scanned)
    timings = clock.compare(variants, EAGER, rounds=options.rounds, seconds=options.seconds, clock=options.clock)
    return {
        "parameters": count,
        "gflop": updates.arithmetic(case) / 1e9,
        "torch_gflop": _torch_flops(eager.run) / 1e9,
        "bound": 1e3 * roofline.bound(case, peaks),  # milliseconds
        "timings": {name: dataclasses.asdict(timing) for name, timing in timings.items()},
        "failed": failed,
    }


def _forget_compiled() -> None:
    """torch.compile counts what all cases have compiled, and past eight versions of a function it runs it eagerly."""
    import torch  # pyright: ignore[reportMissingImports]

    torch.compiler.reset()


def _torch_flops(run: Callable[[], None]) -> int:
    """What PyTorch counts for its matrix products and convolutions, backward passes included."""
    from torch.utils._python_dispatch import TorchDispatchMode  # pyright: ignore[reportMissingImports]
    from torch.utils.flop_counter import flop_registry  # pyright: ignore[reportMissingImports]

    counts = []

    class Counter(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if count := flop_registry.get(func._overloadpacket):
                counts.append(count(*args, **(kwargs or {}), out_val=out))
            return out

    with Counter():
        run()
    return sum(counts)


def table(name: str, batch_size: int, measured: dict[str, Any], last: dict[str, Any]) -> list[str]:
    """Lines to print."""
    sizes = f"{measured['gflop']:.2f} GFLOP an update, {measured['torch_gflop']:.2f} in PyTorch"
    lines = [f"{name}: {measured['parameters']:,} parameters, batch {batch_size}, {sizes}"]
    lines.append(f"at the machine's peaks our update would take {measured['bound']:.2f} ms")
    lines.append(f"{'':<30}{'ms':>9}{'of bound':>10}{'ratio':>8}{'range':>16}{'last':>8}")
    for variant, values in measured["timings"].items():
        timing = Timing(**values)
        span = f"{timing.lowest:.2f} to {timing.highest:.2f}"
        before = f"{last[variant]['ratio']:.2f}" if variant in last else ""
        times = f"{timing.milliseconds:>9.2f}{timing.milliseconds / measured['bound']:>10.2f}"
        lines.append(f"{variant:<30}{times}{timing.ratio:>8.2f}{span:>16}{before:>8}".rstrip())
    return lines + [f"{variant:<30} not timed: {reason}" for variant, reason in measured["failed"].items()]
