"""What samples add to few images: `python -m experiments.augment RUN`, RUN being one of a model that is told classes.

Classifiers of one form learn from the images that the run has learned from: as they are, shifted and turned, with
samples of the run beside them, and from samples alone, which is the classification accuracy score. Where classes are
unequal, small ones are also filled up, by repetition and by samples. Accuracy on all held-out images is printed with
intervals of 95 % over seeds and written to RUN/augmentation.json.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.command_line import cli
from experiments.command_line.checks import require_seed, require_step
from jaxgen.checks import require


@dataclass(frozen=True)
class Options:
    """Which state of the run to draw from, and how classifiers learn."""

    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own
    num_samples: int = 5_000  # to draw, of all classes in turn
    num_seeds: int = 3  # classifiers for each way; their seeds follow one another
    steps: int = 2_000  # of each classifier
    mirror: bool = False  # half of the changed images mirrored: not for digits
    seed: int = 0  # of the samples, and the first of the classifiers
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(self.num_samples >= 1, "--num-samples", self.num_samples, "at least 1")
        require(self.num_seeds >= 1, "--num-seeds", self.num_seeds, "at least 1")
        require(self.steps >= 1, "--steps", self.steps, "at least 1")
        require_seed(self.seed)
        require_step(self.step)


def main(argv: Sequence[str]) -> int:
    """Print a line for each way and write RUN/augmentation.json."""
    folder, words = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.augment RUN [options]")
        return 0
    description = (__doc__ or "").partition("\n\n")[0]
    chosen = cli.parse(Options, Options(), words, prog="python -m experiments.augment RUN", description=description)
    from experiments.evaluation import augmenting
    from experiments.training import compilation

    compilation.keep(None)  # classifiers of one form share programs
    for line in augmenting.lines(augmenting.evaluate(folder, chosen)):
        print(line)
    return 0


if __name__ == "__main__":
    cli.run(main)
