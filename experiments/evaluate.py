"""Judge a run by its samples: `python -m experiments.evaluate RUN`.

Every metric is printed, and written to RUN/evaluation.json, beside the same metric of real held-out examples, which
tells its scale, with the number of samples, the extractor and its resizing, and an interval of 95 %. What cannot be
computed is named with its reason. docs/metrics.md explains the metrics and the intervals.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments import cli
from jaxgen.checks import require


@dataclass(frozen=True)
class Options:
    """What to measure, and on how much."""

    num_samples: int = 1_000  # samples to draw; held-out examples are as many, if there are
    metrics: tuple[str, ...] = ()  # to compute, by name; all if not given
    extractor: tuple[str, ...] = ()  # pixels, pca, classifier, inception:FILE; the classifier where there are labels
    against: pathlib.Path | None = None  # another run on the same data, to be judged beside this one
    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own
    seed: int = 0  # of the latents, of random choices and of the classifier
    num_reference: int = 10_000  # real training examples to compare with, at most
    num_halves: int = 20  # random halves of the samples, for an interval of what is no mean; 0 for none
    equal_num: bool = True  # take no more samples than are held out, where a metric depends on their number
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given
    cache_dir: pathlib.Path | None = None  # where classifiers are kept; ~/.cache/jaxgen/classifiers if not given

    def __post_init__(self):
        require(self.num_samples >= 2, "--num-samples", self.num_samples, "at least 2")
        require(0 <= self.seed < 2**32, "--seed", self.seed, "in [0, 2^32)")
        require(self.num_reference >= 2, "--num-reference", self.num_reference, "at least 2")
        require(self.num_halves == 0 or self.num_halves >= 2, "--num-halves", self.num_halves, "0, or at least 2")
        require(not isinstance(self.step, int) or self.step >= 1, "--step", self.step, "at least 1")


def main(argv: Sequence[str]) -> int:
    """Print a table and write RUN/evaluation.json."""
    folder, options = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.evaluate RUN [options]")
        return 0
    chosen = cli.parse(
        Options,
        Options(),
        options,
        prog="python -m experiments.evaluate RUN",
        description=(__doc__ or "").partition("\n\n")[0],
    )
    from experiments.evaluation import judging, table

    for line in table.lines(judging.evaluate(folder, chosen)):
        print(line)
    return 0


if __name__ == "__main__":
    cli.run(main)
