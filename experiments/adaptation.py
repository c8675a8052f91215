"""What adaptation is worth: `python -m experiments.adaptation RUN`, RUN being one of PixelDA.

The accuracy on held-out target images of three classifiers of one form, each after as many steps of as many images:
one that learned from source images alone, the run's, and one that learned from target images and their labels. The
first is what there is without adaptation, the last what could be reached. Printed with intervals of 95 %, and written
to RUN/adaptation.json.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.command_line import cli
from experiments.command_line.checks import require_seed, require_step


@dataclass(frozen=True)
class Options:
    """Which state of the run to judge, and how the others learn."""

    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own
    seed: int = 0  # of the weights and the order of images of the other two
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require_seed(self.seed)
        require_step(self.step)


def main(argv: Sequence[str]) -> int:
    """Print three lines and write RUN/adaptation.json."""
    folder, words = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.adaptation RUN [options]")
        return 0
    description = (__doc__ or "").partition("\n\n")[0]
    chosen = cli.parse(Options, Options(), words, prog="python -m experiments.adaptation RUN", description=description)
    from experiments.evaluation import adapting

    for line in adapting.lines(adapting.evaluate(folder, chosen.step, chosen.seed, chosen.data_dir)):
        print(line)
    return 0


if __name__ == "__main__":
    cli.run(main)
