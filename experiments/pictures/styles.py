"""The style of held-out images under the captions of others: a row an image, a column a caption."""

from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.data import held_out
from experiments.data.images import ImageSet
from experiments.models import styles
from experiments.pictures import figures
from experiments.runs.experiment import Experiment

TEXTS = 5
"""Captions, each with a column."""

LONGEST = 420
"""Pixels of a caption over its column, at most."""


def drawing(experiment: Experiment, image_set: ImageSet) -> Callable[[Any], np.ndarray]:
    """What draws the picture of a state, (height, width, 3) uint8, of the same images and captions each time."""
    unseen = held_out.load_for(experiment) or image_set
    num = min(max(1, experiment.num_samples // (1 + TEXTS)), len(unseen))
    batch = unseen.batch(np.linspace(0, len(unseen) - 1, num + TEXTS).astype(np.int64), experiment.model.batch_type)
    pixels, texts = np.asarray(batch.images)[:num], np.asarray(batch.captions)[num:]
    transfer = styles.transfer(experiment.model)
    named = [unseen.text(text) for text in texts]
    return lambda state: sheet(pixels, transfer(state, pixels, texts), named)


def sheet(pixels: np.ndarray, made: np.ndarray, texts: list[str]) -> np.ndarray:
    """Images at the left, and what is made of each for each of the texts: (height, width, 3) uint8."""
    tiles = np.concatenate([pixels[:, None], made], axis=1).reshape(-1, *pixels.shape[1:])
    return figures.labelled(figures.grid(tiles, 1 + len(texts)), (), ("style of", *texts), longest=LONGEST)
