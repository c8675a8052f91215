"""What a model that makes images of images has to beat: answers that nobody had to train."""

from typing import Any

import numpy as np

from experiments.data import bicubic
from experiments.data.images import ImageSet
from experiments.evaluation import sets
from jaxgen import batches

TITLES = {
    "identity": "input itself",
    "bicubic": "bicubic",
    "labels_alone": "same network, labels alone",
    "cross_entropy": "same network, cross-entropy",
    "prior": "what most have",
    "mean": "mean training target",
    "frequent": "most frequent label",
    "mean_color": "mean colour around the hole",
    "chance": "chance",
    "shuffled": "real, texts of others",
}
"""What a person calls them."""

MOST = 2_000
"""Training targets whose mean is taken."""


def of_inputs(config: Any, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Those that are made of the inputs: themselves where they are of the outputs' shape, enlarged where smaller.

    None of a model that fills holes in its inputs: they are what it is compared with.
    """
    kind, shape = config.batch_type, tuple(config.image_shape)
    if kind.CONDITION == kind.TARGET or isinstance(kind.CONDITION, tuple):
        return {}
    if inputs.shape[1:] == shape:
        return {"identity": inputs}
    if inputs.shape[3] == shape[2] and inputs.shape[1] < shape[0]:
        return {"bicubic": enlarged(inputs, *shape[:2])}
    return {}


def enlarged(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bicubic, of uint8 images (num, height, width, channels)."""
    return np.stack([bicubic.resize(one, height, width) for one in images])


def mean_target(train: ImageSet, num: int) -> np.ndarray:
    """The mean of the images to compare with, so many times, uint8."""
    mean = sets.spread(train, MOST).pixels.mean(axis=0)
    return np.repeat(np.round(mean).astype(np.uint8)[None], num, axis=0)


def inputs_of(config: Any, batch: Any) -> np.ndarray | None:
    """The images of a batch that the model is given; None where it is given none."""
    given = batches.condition(batch)
    found = given[0] if isinstance(given, tuple) else given
    return found if found is not None and np.ndim(found) == 4 else None
