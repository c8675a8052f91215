"""Milliseconds a sample of finished runs, in turn: `python -m experiments.benchmarks.drawing RUN RUN ...`.

    python -m experiments.benchmarks.drawing runs/edm_mnist 'runs/consistency_distilled_mnist --sampler.steps 2'

A run in quotes takes the options with which `sample` draws it. The ratio is the time of the first run over that of the
line, so that above 1 is faster than the first. On a machine that others load, compare the work of one core:
`taskset -c 0 python -m ... --clock processor`.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from experiments.benchmarks import clock
from experiments.benchmarks.clock import Clock, Variant
from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.evaluation import table
from experiments.models import conditions, samplers, sampling
from experiments.runs import restore
from jaxgen.checks import require


@dataclass(frozen=True)
class Options:
    """Which runs, and how long each is timed."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional] = ()  # folders, each with its options of drawing in quotes
    num: int = 250  # samples at a time
    rounds: int = 3  # in each of which every run draws
    seconds: float = 10.0  # of a run in a round, at least
    clock: Clock = "wall"  # or the processor's seconds, of all threads

    def __post_init__(self):
        for name in ("num", "rounds"):
            require(getattr(self, name) >= 1, f"--{name}", getattr(self, name), "at least 1")
        require(self.seconds > 0, "--seconds", self.seconds, "above 0")


@dataclass(frozen=True)
class Drawn:
    """What a run takes besides its settings of drawing: nothing."""


def main(argv: Sequence[str]) -> int:
    """Print a table, a line a run."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.drawing", __doc__ or "")
    if not options.runs:
        raise UserError("no run is given; name the folders of the runs to time, such as runs/edm_mnist")
    variants = {words: variant(words, options.num) for words in options.runs}
    timings = clock.compare(
        variants, options.runs[0], rounds=options.rounds, seconds=options.seconds, clock=options.clock
    )
    rows = [
        (words, f"{timing.milliseconds:.3g}", f"{timing.ratio:.3g} ({timing.lowest:.3g} to {timing.highest:.3g})")
        for words, timing in timings.items()
    ]
    print(*table.aligned([("run", "ms a sample", "ratio (lowest to highest)"), *rows]), sep="\n")
    return 0


def variant(words: str, num: int) -> Variant:
    """The drawing of `num` samples of a run, as `words` say: its folder, and options after it."""
    folder, options = cli.run_folder(shlex.split(words) or [""])
    assert folder is not None  # of words there is at least one
    prog = f"python -m experiments.sample {folder}"
    _, changes = samplers.parse(Drawn(), folder, options, prog=prog, description="Draw.")
    found, _, _, state = restore.at(folder, "newest")
    config = samplers.replaced(found, changes).model
    if conditions.takes_examples(config):
        raise UserError(f"{folder} samples for examples of its data; name runs that draw from noise alone, or by class")
    draw = sampling.drawer(config)

    def run() -> None:
        draw(state, num, 0)

    return Variant(run, num)


if __name__ == "__main__":
    cli.run(main)
