"""Samples of trainings side by side, judged alike: by the classifier of their data, with the measures of `evaluate`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from experiments.data import ImageOptions
from experiments.data.images import ImageSet
from experiments.evaluation import classifier, measures
from experiments.evaluation.sets import Examples

NAMES = ("frechet", "confidence", "classes", "as_asked")
"""Of the measures."""


@dataclass(frozen=True)
class Verdict:
    """Of samples."""

    distance: float  # the Frechet distance from training images, in the classifier's features
    recognised: np.ndarray  # of each sample, whether the classifier is sure of a class
    shares: float  # the distance of class shares from those of training images: half the sum of the differences
    as_asked: np.ndarray | None  # of each sample, whether it is of the class that was asked for; None without classes


class Judge:
    """A classifier, and what it makes of training images."""

    def __init__(self, outputs: Callable[[np.ndarray], Any], images: np.ndarray):
        self._outputs, self._measures = outputs, {name: measures.named(name) for name in NAMES}
        reference = self._examples(images, None)
        self._prepared = {name: measure.prepare(reference) for name, measure in self._measures.items()}

    def __call__(self, images: np.ndarray, asked: np.ndarray | None = None) -> Verdict:
        """What is said of uint8 images, and of the classes that they were to have."""
        candidates = self._examples(images, asked)

        def found(name: str) -> Any:
            generator = np.random.default_rng(0)  # these measures draw nothing
            return self._measures[name].compute(self._prepared[name], candidates, jax.random.key(0), generator)[0]

        as_asked = None if asked is None else found("as_asked")
        return Verdict(float(found("frechet")), found("confidence"), float(found("classes")), as_asked)

    def _examples(self, images: np.ndarray, labels: np.ndarray | None) -> Examples:
        return Examples(images, labels, *self._outputs(images))


def of(train: ImageSet, test: ImageSet) -> tuple[Judge, str]:
    """The judge of a set with labels, trained if it is not in the cache, and a line about it. UserError without."""
    found = classifier.obtain(train, test, ImageOptions())
    return Judge(found.outputs, np.asarray(train.images)), found.describe()
