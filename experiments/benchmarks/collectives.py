"""What a step sends between devices, from its program: `python -m experiments.benchmarks.collectives NAME`.

The step of an experiment is compiled for virtual CPU devices, here, without running it; the program that XLA has made
is the one of that many devices, collectives included. Its text says how many of them a step has and how many bytes
they carry. Payload is the size of what a collective gives back; traffic is what each device sends in a ring: 2 (N-1)/N
of the payload of an all-reduce, (N-1)/N of that of an all-gather, N-1 times that of a reduce-scatter.

The bytes are those of XLA's plan for CPU devices. On accelerators XLA may merge collectives, or reduce and scatter in
one; what has to be exchanged is the same.
"""

import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.runs import experiment
from jaxgen.checks import require

KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")
ITEM_BITS = {"pred": 8, "bf16": 16, "f8e4m3fn": 8, "f8e5m2": 8}


@dataclass(frozen=True)
class Options:
    """For how many devices, and which batch."""

    devices: int = 256  # virtual ones
    batch_size: int | None = None  # m over all devices; the experiment's on each device if not given

    def __post_init__(self):
        require(self.devices >= 1, "--devices", self.devices, "at least 1")
        if self.batch_size is not None and (self.batch_size < 1 or self.batch_size % self.devices):
            raise ValueError(
                f"--batch-size {self.batch_size} does not divide over {self.devices} devices; use a multiple of "
                f"{self.devices}"
            )


class Collective(NamedTuple):
    """One operation of a program, in the order and with the number in which a step does it."""

    kind: str
    shapes: tuple[tuple[str, tuple[int, ...]], ...]  # dtype and dimensions of what it gives back
    times: int  # in a step: more than once in a loop

    @property
    def bytes(self) -> int:
        """Payload of one time."""
        return sum(bits(dtype) * math.prod(shape) // 8 for dtype, shape in self.shapes)

    @property
    def array_bytes(self) -> int:
        """Payload of one time without single numbers: losses and other means."""
        return sum(bits(dtype) * math.prod(shape) // 8 for dtype, shape in self.shapes if shape)


def main(argv: Sequence[str]) -> int:
    """Print what the program says."""
    if not argv or argv[0].startswith("-"):
        raise UserError("the name of an experiment comes first; python -m experiments.train lists them")
    name, *rest = argv
    chosen = experiment.load(name)
    options = cli.parse(
        Options,
        Options(),
        rest,
        prog=f"python -m experiments.benchmarks.collectives {name}",
        description=(__doc__ or "").partition("\n")[0],
    )
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax

    jax.config.update("jax_num_cpu_devices", options.devices)
    for line in report(chosen, options):
        print(line, flush=True)
    return 0


def report(chosen: experiment.Experiment, options: Options) -> Iterator[str]:
    """The lines of the command."""
    import jax

    num = options.devices
    devices = jax.devices()[:num]
    if len(devices) < num:
        raise UserError(f"there are {len(devices)} devices, not {num}: JAX had started before")
    batch_size = options.batch_size or chosen.batch_size * num
    state, _ = shapes_of(chosen, batch_size)
    factor = batch_size / chosen.batch_size
    yield f"batch {batch_size:,} = {num} x {batch_size // num}, {factor:g} times the experiment's"
    yield (
        f"learning rate: times {math.sqrt(factor):.3g} for Adam (square root), {factor:.3g} for SGD (linear), warmed "
        "up over the first steps; a start for a search, not a rule"
    )
    total = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    for cut in (False, True):
        compiled = program(chosen, batch_size, devices, shard_state=cut)
        found = collectives(compiled.as_text())
        title = "state cut over the devices (--shard-state)" if cut else "state whole on every device"
        yield f"\n{title}"
        yield f"  state bytes a device    {state_bytes(state, devices, shard_state=cut):>15,} of {total:,}"
        memory = compiled.memory_analysis()
        if memory is not None:
            yield f"  temporary bytes a device{memory.temp_size_in_bytes:>15,}"
        yield from _table(found, num)


def _table(found: list[Collective], num: int) -> Iterator[str]:
    count, payload = Counter[str](), Counter[str]()
    for one in found:
        count[one.kind] += one.times
        payload[one.kind] += one.times * one.bytes
    yield f"  {'collectives a step':<22}{'times':>8}{'payload bytes':>17}{'sent by a device':>19}"
    for kind in KINDS:
        if count[kind]:
            sent = int(payload[kind] * _ring(kind, num))
            yield f"  {kind:<22}{count[kind]:>8,}{payload[kind]:>17,}{sent:>19,}"
    scalars = sum(one.times * (one.bytes - one.array_bytes) for one in found)
    yield f"  of the payload, {scalars:,} bytes are single numbers (losses and other means)"


def _ring(kind: str, num: int) -> float:
    """What a device sends for each byte of payload."""
    return {"all-reduce": 2 * (num - 1) / num, "reduce-scatter": num - 1.0}.get(kind, (num - 1) / num)


def shapes_of(chosen: experiment.Experiment, batch_size: int) -> tuple[Any, Any]:
    """State and batch of the experiment, as shapes."""
    import jax

    from jaxgen.batches import columns

    config, model = chosen.model, experiment.model_of(chosen.model)
    size = batch_size * config.minibatches
    images = jax.ShapeDtypeStruct((size, *config.image_shape), "uint8" if len(config.image_shape) == 3 else "float32")
    kinds = {"labels": jax.ShapeDtypeStruct((size,), "int32")}
    made_up = [images if column.pixels else kinds.get(column.name) for column in columns(config.batch_type)]
    if None in made_up:
        raise UserError(f"no batch of {config.batch_type.__name__} can be made up; choose another experiment")
    batch = images if config.batch_type is None else config.batch_type(*made_up)
    return jax.eval_shape(lambda: model.init(config, jax.random.key(0))), batch


def program(chosen: experiment.Experiment, batch_size: int, devices: Any, *, shard_state: bool = False) -> Any:
    """The compiled program of one step."""
    from jaxgen import parallel

    state, batch = shapes_of(chosen, batch_size)
    update = experiment.model_of(chosen.model).update
    return parallel.program(update, chosen.model, state, batch, devices=devices, shard_state=shard_state)


def state_bytes(state: Any, devices: Any, *, shard_state: bool) -> int:
    """Of the state, on one device."""
    import jax

    from jaxgen import parallel

    places = parallel.placement(state, devices=devices, shard_state=shard_state)
    return sum(
        math.prod(place.shard_shape(leaf.shape)) * leaf.dtype.itemsize
        for leaf, place in zip(jax.tree.leaves(state), jax.tree.leaves(places), strict=True)
    )


def collectives(text: str) -> list[Collective]:
    """All collectives of a program in HLO's text, those in loops with the number of their turns."""
    computations: dict[str, list[str]] = {}
    entry, name = "", ""
    for line in text.splitlines():
        opening = re.match(r"(ENTRY )?%?([\w.\-]+) \(.*\{$", line)
        if opening:
            name = opening.group(2)
            computations[name] = []
            entry = name if opening.group(1) else entry
        elif name:
            computations[name].append(line)
    return list(_collectives_of(computations, entry, 1))


def _collectives_of(computations: dict[str, list[str]], name: str, times: int) -> Iterator[Collective]:
    for line in computations.get(name, ()):
        made = re.match(rf"\s*(?:ROOT )?%[\w.\-]+ = (.*?) ({'|'.join(KINDS)})(-start)?\(", line)
        if made:
            kind, shapes = made.group(2), _shapes(made.group(1))
            if made.group(3) and kind != "all-reduce":  # gives back what went in, too
                shapes = shapes[len(shapes) // 2 :]
            yield Collective(kind, shapes, times)
            continue
        turns = re.search(r'"known_trip_count":\{"n":"(\d+)"\}', line)
        for inner in re.findall(
            r"(?:body|condition|to_apply|calls|true_computation|false_computation)=%?([\w.\-]+)", line
        ):
            yield from _collectives_of(computations, inner, times * int(turns.group(1)) if turns else times)


def _shapes(text: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """`f32[8,4]{1,0}` or a tuple of such."""
    found = re.findall(r"([a-z]\w*)\[([\d,]*)\]", text)
    return tuple((dtype, tuple(map(int, filter(None, dims.split(","))))) for dtype, dims in found)


def bits(dtype: str) -> int:
    """Of a number of HLO's type: f32, s8, bf16, pred."""
    digits = re.search(r"\d+$", dtype)
    return ITEM_BITS[dtype] if dtype in ITEM_BITS else int(digits.group()) if digits else 0


if __name__ == "__main__":
    cli.run(main)
