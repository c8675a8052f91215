"""Trainings side by side that are given equal time: options, the images of a block, and who trains when."""

import math
import pathlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.benchmarks.clock import CLOCKS, Clock
from experiments.command_line.errors import UserError
from experiments.data.images import ImageSet
from experiments.evaluation.rows import NORMAL
from jaxgen.checks import require


@dataclass(frozen=True)
class EqualTime:
    """What is trained, and for how long."""

    models: tuple[str, ...] = ()  # of those that both have
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; $TFDS_DATA_DIR if not given
    minutes: float = 1.0  # of each side and model
    seeds: tuple[int, ...] = (0, 1)  # of the batches, the noise and the weights
    clock: Clock = "processor"  # or wall

    def __post_init__(self):
        require(self.minutes > 0, "--minutes", self.minutes, "above 0")

    def require_known(self, known: Iterable[str]) -> None:
        """ValueError unless each of the models is one of these."""
        unknown = [name for name in self.models if name not in known]
        require(not unknown, "--models", ", ".join(unknown), f"of {', '.join(known)}")


def train(trainings: Sequence[Callable[[Any], None]], batches: Callable[[int], Any], options: EqualTime) -> list[int]:
    """Train until each has used its minutes, the one that has used less first; how many blocks each has done.

    Args:
        trainings: a block of updates each; what a compiler takes counts.
        batches: of the n-th block, the same for all; making them does not count.
        options: the minutes of each, and the clock.
    """
    now, used, done = CLOCKS[options.clock], [0.0] * len(trainings), [0] * len(trainings)
    while min(used) < 60 * options.minutes:
        place = used.index(min(used))
        given = batches(done[place])
        begun = now()
        trainings[place](given)
        used[place] += now() - begun
        done[place] += 1
    return done


def places(seed: int, block: int, shape: tuple[int, ...], num: int) -> np.ndarray:
    """Which of `num` examples the n-th block has: a function of the seed and n."""
    return np.random.default_rng((seed, block)).integers(0, num, shape)


def interval(*values: np.ndarray) -> tuple[float, float]:
    """Of 95 %, of a mean; of the difference of two means that were taken apart, the first from the second."""
    *before, last = values
    middle = float(last.mean()) - sum(float(one.mean()) for one in before)
    half = NORMAL * math.sqrt(sum(float(one.var(ddof=1)) / len(one) for one in values))
    return middle - half, middle + half


def require_digits(images: ImageSet) -> None:
    """UserError unless they are of the size of MNIST's."""
    if images.image_shape != (28, 28, 1):
        shape = "x".join(map(str, images.image_shape))
        raise UserError(f"--data {images.name} has images of {shape}; choose a set of 28x28x1, such as fashion_mnist")
