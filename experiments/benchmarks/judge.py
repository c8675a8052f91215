"""Samples of trainings side by side, judged alike: by the classifier of their data."""

import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments import data
from experiments.data import ImageOptions
from experiments.data.images import ImageSet
from experiments.evaluation import classifier
from experiments.evaluation.measures import CONFIDENT
from jaxgen import metrics


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
        found = outputs(images)
        self._outputs, self._reference = outputs, metrics.moments(jnp.asarray(found.features))
        self._shares = _class_shares(np.asarray(found.logits))

    def __call__(self, images: np.ndarray, asked: np.ndarray | None = None) -> Verdict:
        """What is said of uint8 images, and of the classes that they were to have."""
        found = self._outputs(images)
        logits = np.asarray(found.logits)
        sure = np.asarray(jax.nn.softmax(jnp.asarray(logits), axis=1)).max(axis=1) >= CONFIDENT
        distance = metrics.frechet_distance(self._reference, metrics.moments(jnp.asarray(found.features)))
        shares = float(np.abs(_class_shares(logits) - self._shares).sum() / 2)
        return Verdict(float(distance), sure, shares, None if asked is None else logits.argmax(axis=1) == asked)


def of(name: str, data_dir: pathlib.Path | None) -> tuple[Judge, ImageSet, ImageSet, str]:
    """The judge of a set with labels, its training and held-out images, and a line about the classifier."""
    train, test = (data.load(name, split, data_dir) for split in ("train", "test"))
    found = classifier.obtain(train, test, ImageOptions())
    return Judge(found.outputs, np.asarray(train.images)), train, test, found.describe()


def _class_shares(logits: np.ndarray) -> np.ndarray:
    return np.bincount(logits.argmax(axis=1), minlength=logits.shape[1]) / len(logits)
