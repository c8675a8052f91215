"""Time and memory of an update as its work grows: with the batch, the width, the resolution, the devices.

    python -m experiments.benchmarks.scaling --out scaling.png
    JAX_NUM_CPU_DEVICES=8 python -m experiments.benchmarks.scaling --only devices

WGAN-GP with MLPs for batch, width and devices, with convolutions for the resolution; float32, random images. Sizes of a
row alternate, so that what else the machine does hits all alike. Memory is the compiler's own account for one device:
state, batch and temporaries. `grows` is the exponent from the row before: time ~ work^grows, memory ~ work^grows, where
work is the FLOPs of matrix products and convolutions (of all devices together); about 1 or less is well. The picture
has log2 of time over log2 of work, each from the smallest size on: a line of slope 1 or less.
"""

import dataclasses
import json
import math
import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import numpy as np

from experiments.benchmarks import clock, updates
from experiments.benchmarks.clock import Clock
from experiments.benchmarks.updates import Case
from experiments.command_line import cli
from experiments.pictures import diagrams, figures
from experiments.pictures.diagrams import COLOURS, Group
from jaxgen.checks import require
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.nets.mlp import MLP

Axis = Literal["batch", "width", "resolution", "devices"]


@dataclass(frozen=True)
class Options:
    """What to measure, and for how long."""

    only: tuple[Axis, ...] = ("batch", "width", "resolution", "devices")  # what grows
    rounds: int = 3  # alternations of all sizes of a row
    seconds: float = 1.0  # of each size in each round, at least
    clock: Clock = "wall"  # processor: seconds of all threads, whoever else uses the machine
    out: pathlib.Path | None = None  # a PNG of time over work
    json: pathlib.Path | None = None  # also write the figures here

    def __post_init__(self):
        require(self.rounds >= 1, "--rounds", self.rounds, "at least 1")
        require(self.seconds > 0, "--seconds", self.seconds, "above 0")


class Size(NamedTuple):
    """One size of an update."""

    number: int  # of what grows
    case: Case
    devices: int = 1


@dataclass(frozen=True)
class Row:
    """What one size costs."""

    number: int
    milliseconds: float  # of an update
    gflop: float
    mebibytes: float  # of one device


def sizes(axis: Axis) -> Iterator[Size]:
    """From small to large."""
    digits = updates.cases()["wgan_gp_digits"]
    match axis:
        case "batch":
            for number in (16, 32, 64, 128, 256, 512):
                yield Size(number, dataclasses.replace(digits, batch_size=number))
        case "width":
            for number in (64, 128, 256, 512, 1024):
                networks = {"generator": MLP((number,) * 3), "critic": MLP((number,) * 3, negative_slope=0.2)}
                yield Size(number, dataclasses.replace(digits, config=dataclasses.replace(digits.config, **networks)))
        case "resolution":
            networks = {"generator": ConvGenerator(channels=16), "critic": ConvCritic(channels=16)}
            for number in (8, 16, 32, 64):
                config = dataclasses.replace(digits.config, image_shape=(number, number, 3), **networks)
                yield Size(number, dataclasses.replace(digits, config=config, batch_size=8))
        case "devices":
            for number in (1, 2, 4, 8):
                if number <= len(jax.devices()):
                    yield Size(number, digits, number)


def measure(axis: Axis, options: Options) -> list[Row]:
    """A row for each size."""
    chosen = list(sizes(axis))
    variants = {str(size.number): updates.ours(size.case, None, size.devices) for size in chosen}
    first = str(chosen[0].number)
    timed = clock.compare(variants, first, rounds=options.rounds, seconds=options.seconds, clock=options.clock)
    return [
        Row(
            size.number,
            timed[str(size.number)].milliseconds,
            updates.arithmetic(size.case) / 1e9,
            updates.device_bytes(size.case, size.devices) / 2**20,
        )
        for size in chosen
    ]


def exponent(before: Row, row: Row, quantity: str) -> float:
    """Of the growth with the work since the row before; nan where the work has not grown."""
    grown = math.log(row.gflop / before.gflop)
    return math.log(getattr(row, quantity) / getattr(before, quantity)) / grown if grown else math.nan


def table(axis: Axis, rows: Sequence[Row]) -> list[str]:
    """Lines to print."""
    lines = [f"{axis:<12}{'GFLOP':>9}{'ms':>10}{'GFLOP/s':>10}{'time grows':>12}{'MiB':>9}{'memory grows':>14}"]
    for before, row in zip([None, *rows], rows, strict=False):
        grows = [
            f"{exponent(before, row, quantity):.2f}" if before and row.gflop != before.gflop else ""
            for quantity in ("milliseconds", "mebibytes")
        ]
        speed = 1e3 * row.gflop / row.milliseconds
        line = f"{row.number:<12}{row.gflop:>9.3f}{row.milliseconds:>10.2f}{speed:>10.1f}{grows[0]:>12}"
        lines.append(f"{line}{row.mebibytes:>9.1f}{grows[1]:>14}".rstrip())
    return lines


def picture(results: dict[Axis, list[Row]]) -> np.ndarray:
    """Log2 of time over log2 of work, from each axis' smallest size on."""
    groups = []
    for (axis, rows), colour in zip(results.items(), COLOURS, strict=False):
        points = [
            (math.log2(row.gflop / rows[0].gflop), math.log2(row.milliseconds / rows[0].milliseconds)) for row in rows
        ]
        groups.append(Group(axis, np.array(points), colour))
    return diagrams.scatter(groups, "log2 of work", "log2 of time")


def main(argv: Sequence[str]) -> int:
    """Print a table for each axis."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.scaling", __doc__ or "")
    results = {}
    for axis in options.only:
        results[axis] = measure(axis, options)
        print("\n".join(table(axis, results[axis])) + "\n", flush=True)
    if options.out:
        growing = {axis: rows for axis, rows in results.items() if axis != "devices"}
        figures.save_png(options.out, picture(growing))
    if options.json:
        entries = {axis: [dataclasses.asdict(row) for row in rows] for axis, rows in results.items()}
        options.json.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    cli.run(main)
