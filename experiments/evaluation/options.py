"""What an evaluation is asked for."""

import pathlib
from dataclasses import dataclass
from typing import Literal

from experiments.command_line.checks import require_seed, require_step, require_width
from experiments.models.classes import Shares
from jaxgen.checks import require


@dataclass(frozen=True)
class Options:
    """What to measure, and on how much."""

    num_samples: int = 1_000  # samples to draw; held-out examples are as many, if there are
    metrics: tuple[str, ...] = ()  # to compute, by name; all if not given
    extractor: tuple[str, ...] = ()  # pixels, pca, classifier, inception:FILE; the classifier where there are labels
    against: pathlib.Path | None = None  # another run on the same data, to be judged beside this one
    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own
    average_width: float | None = None  # of the moving average, from all checkpoints kept; the run's own if not given
    seed: int = 0  # of the latents, of random choices and of the classifier
    num_reference: int = 10_000  # real training examples to compare with, at most
    num_halves: int = 20  # random halves of the samples, for an interval of what is no mean; 0 for none
    classes: Shares | None = None  # of the samples: turn, or data: as it has them; data where its classes are unequal
    equal_num: bool = True  # take no more samples than are held out, where a metric depends on their number
    perceptual: pathlib.Path | None = None  # weights of VGG-19, FILE.pth: the perceptual distance of paired runs
    back: pathlib.Path | None = None  # a run from photographs to label maps, which reads samples made of label maps
    matcher: pathlib.Path | None = None  # a run of caption_encoder: how often it finds the caption of a sample
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given
    cache_dir: pathlib.Path | None = None  # where classifiers are kept; ~/.cache/jaxgen/classifiers if not given

    def __post_init__(self):
        require(self.num_samples >= 2, "--num-samples", self.num_samples, "at least 2")
        require_seed(self.seed)
        require(self.num_reference >= 2, "--num-reference", self.num_reference, "at least 2")
        require(self.num_halves == 0 or self.num_halves >= 2, "--num-halves", self.num_halves, "0, or at least 2")
        require_step(self.step)
        require_width(self.average_width)
