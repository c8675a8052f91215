"""Our updates beside PyTorch's of the same networks, alternating in one run: `python -m experiments.benchmark`.

    pip install -e '.[benchmark]'
    python -m experiments.benchmark                         # all cases
    python -m experiments.benchmark wgan_gp_digits vae_mnist --rounds 7

Float32, random images, noise drawn anew in each update. Parameter counts are checked to be equal; the FLOPs beside are
those of matrix products and convolutions, ours read from the traced program, PyTorch's counted by it. Each round times
every variant once for at least `--seconds`. Printed are the median of the milliseconds and of the ratio to eager
PyTorch, with the ratio's range: above 1 is faster. `last` is the ratio of the run before on this machine, from the
history that every run is added to.

The last case, `costs`, needs no PyTorch: what a run costs beside its updates, from the imports to the checkpoints.

On a machine that others load, compare the work of one core:

    taskset -c 0 python -m experiments.benchmark --clock processor
"""

import dataclasses
import datetime
import json
import pathlib
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import jax
import tyro

from experiments import cli
from experiments.benchmarks import clock, costs, updates
from experiments.benchmarks.clock import Clock, Timing, Variant
from experiments.experiment import UserError
from jaxgen.checks import require

EAGER = "PyTorch, eager"
COSTS = "costs"
"""The case that is no update."""


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


def main(argv: Sequence[str]) -> int:
    """Print a table for each case, and add it to the history."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmark", __doc__ or "")
    cases = updates.cases()
    names = options.cases or (*cases, COSTS)
    for name in names:
        if name not in cases and name != COSTS:
            raise UserError(f"no case is named {name!r}; there are: {', '.join((*cases, COSTS))}")
    machine = _machine(with_torch=names != (COSTS,))
    print("\n".join(f"{what}: {value}" for what, value in machine.items()), flush=True)
    for name in names:
        if name == COSTS:
            _report_costs(options.history, machine)
            continue
        measured = measure(cases[name], options)
        last = _last(options.history, name, machine, "timings")
        print("\n" + "\n".join(table(name, cases[name].batch_size, measured, last)), flush=True)
        _add(options.history, {"case": name, "machine": machine, "clock": options.clock, **measured})
    return 0


def _machine(*, with_torch: bool) -> dict[str, str]:
    """What ran here; UserError if PyTorch is needed and missing."""
    jax_here = f"{jax.__version__} on {len(jax.devices())} {jax.devices()[0].device_kind}"
    machine = {"processor": _processor(), "jax": jax_here}
    if not with_torch:
        return machine
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UserError("PyTorch is missing: pip install -e '.[benchmark]'") from error
    return machine | {"torch": f"{torch.__version__} on {torch.get_num_threads()} threads"}


def _report_costs(history: pathlib.Path, machine: dict[str, str]) -> None:
    """Print each cost as it comes, beside the last run's, and add them to the history."""
    machine = {what: value for what, value in machine.items() if what != "torch"}
    last, measured = _last(history, COSTS, machine, "costs"), {}
    print(f"\n{COSTS}{'':<55}{'last':>22}")
    for name, cost in costs.measure():
        measured[name] = cost._asdict()
        before = f"{last[name]['value']:,.2f}" if name in last else ""
        print(f"{name:<50}{cost.value:>12,.2f} {cost.unit:<9}{before:>10}".rstrip(), flush=True)
    _add(history, {"case": COSTS, "machine": machine, "costs": measured})


def measure(case: updates.Case, options: Options) -> dict[str, Any]:
    """Sizes of the update, timings of each variant, and why a variant could not be timed."""
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
    variants["jaxgen, one update a call"] = updates.ours(case, None)
    variants[f"jaxgen, {case.scanned} updates a call"] = updates.ours(case, case.scanned)
    timings = clock.compare(variants, EAGER, rounds=options.rounds, seconds=options.seconds, clock=options.clock)
    return {
        "parameters": count,
        "gflop": updates.arithmetic(case) / 1e9,
        "torch_gflop": _torch_flops(eager.run) / 1e9,
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
    lines.append(f"{'':<30}{'ms':>9}{'ratio':>8}{'range':>16}{'last':>8}")
    for variant, values in measured["timings"].items():
        timing = Timing(**values)
        span = f"{timing.lowest:.2f} to {timing.highest:.2f}"
        before = f"{last[variant]['ratio']:.2f}" if variant in last else ""
        lines.append(f"{variant:<30}{timing.milliseconds:>9.2f}{timing.ratio:>8.2f}{span:>16}{before:>8}".rstrip())
    return lines + [f"{variant:<30} not timed: {reason}" for variant, reason in measured["failed"].items()]


def _last(history: pathlib.Path, case: str, machine: dict[str, str], what: str) -> dict[str, Any]:
    """`what` of the newest line of this case on this machine; empty if there is none."""
    if not history.is_file():
        return {}
    entries = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()]
    same = [entry for entry in entries if entry["case"] == case and entry["machine"] == machine]
    return same[-1][what] if same else {}


def _add(history: pathlib.Path, entry: dict[str, Any]) -> None:
    history.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with history.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"time": now, **entry}) + "\n")


def _processor() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    cli.run(main)
