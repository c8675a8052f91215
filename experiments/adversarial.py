"""A classifier under attack, before and after adversarial training: `python -m experiments.adversarial --data mnist`.

The classifier that `evaluate` fits to a set, and one of the same form that learns from adversarial examples alone, are
attacked on held-out images by FGSM and PGD over a range of epsilons, of pixels in [0, 1]. Printed; OUT/adversarial.json
has the numbers, OUT/accuracy.png the curves, and OUT/examples.png images that one step of FGSM makes misread.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.command_line import cli
from experiments.command_line.checks import require_seed
from jaxgen.checks import require


@dataclass(frozen=True)
class Options:
    """What is attacked, and how."""

    data: str = "mnist"  # a labelled set of images that holds some out
    out: pathlib.Path = pathlib.Path("runs/adversarial")  # folder of what is written
    epsilons: tuple[float, ...] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)  # radii of the balls
    norm: Literal["linf", "l2"] = "linf"  # of the balls
    steps: int = 20  # of PGD, each of 2.5 epsilon over this number
    train_epsilon: float = 0.2  # radius of the ball in training
    train_steps: int = 7  # of PGD in training
    shown_epsilon: float = 0.1  # of the images that are shown
    num_images: int = 1_000  # held-out images, at most
    seed: int = 0  # of the classifiers and of the points where PGD begins
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; $TFDS_DATA_DIR if not given
    cache_dir: pathlib.Path | None = None  # where the first classifier is kept; ~/.cache/jaxgen/classifiers

    def __post_init__(self):
        require(min(self.epsilons, default=-1.0) >= 0, "--epsilons", self.epsilons, "one or more of at least 0")
        require(self.steps >= 1, "--steps", self.steps, "at least 1")
        require(self.train_epsilon > 0, "--train-epsilon", self.train_epsilon, "above 0")
        require(self.train_steps >= 1, "--train-steps", self.train_steps, "at least 1")
        require(self.shown_epsilon > 0, "--shown-epsilon", self.shown_epsilon, "above 0")
        require(self.num_images >= 1, "--num-images", self.num_images, "at least 1")
        require_seed(self.seed)


def main(argv: Sequence[str]) -> int:
    """Print a table and write three files."""
    description = (__doc__ or "").partition("\n\n")[0]
    chosen = cli.parse(Options, Options(), argv, prog="python -m experiments.adversarial", description=description)
    from experiments.evaluation import attacking

    for line in attacking.lines(attacking.run(chosen)):
        print(line)
    return 0


if __name__ == "__main__":
    cli.run(main)
