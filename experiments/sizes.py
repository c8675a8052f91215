"""What the networks of experiments cost on this device: `python -m experiments.sizes NAME...`.

For each experiment: parameters of each player, arithmetic of an update, seconds to compile it, memory of the device by
the compiler's account, and with --timed images a second and the share of the device's peak, which a product of large
matrices measures in the same run.
"""

import dataclasses
from collections.abc import Sequence
from typing import Annotated

import tyro

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from jaxgen.checks import require


@dataclasses.dataclass(frozen=True)
class Options:
    """What to look at."""

    names: Annotated[tuple[str, ...], tyro.conf.Positional] = ()  # of experiments
    batch_size: int | None = None  # m, another than the experiment's
    timed: bool = False  # run updates on random data, for images a second and the share of the peak
    seconds: float = 10.0  # of updates, at least, where they are timed
    peak: float | None = None  # FLOP a second of the device, in 10^12; measured if not given

    def __post_init__(self):
        require(self.batch_size is None or self.batch_size >= 1, "--batch-size", self.batch_size, "at least 1")
        require(self.seconds > 0, "--seconds", self.seconds, "above 0")
        require(self.peak is None or self.peak > 0, "--peak", self.peak, "above 0")


def main(argv: Sequence[str]) -> int:
    """Print a table, a line an experiment."""
    options = cli.parse(
        Options,
        Options(),
        argv,
        prog="python -m experiments.sizes",
        description=(__doc__ or "").partition("\n\n")[0],
    )
    if not options.names:
        raise UserError("name one experiment or more, such as biggan_cifar10; python -m experiments.train lists them")
    from experiments.benchmarks import sizes

    for line in sizes.lines(options):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    cli.run(main)
