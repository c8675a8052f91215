"""Samples beside the training images that they are most like, by the distance of pixels: whether a model copies."""

import pathlib

import jax
import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.images import ImageSet
from experiments.models import sampling
from experiments.pictures import figures
from experiments.samples.drawing import Drawing
from jaxgen.metrics.neighbors import squared_distances

ROWS = 8
"""Samples if no number is asked for."""

BLOCK = 2_000
"""Training images compared at a time."""


def write(path: pathlib.Path, drawn: Drawing, num: int) -> str:
    """Draw, and write a row for each sample with its `num` nearest training images; what was written, in words."""
    from experiments import data
    from experiments.evaluation import sets
    from experiments.runs import run_data

    if len(drawn.shape) != 3:
        raise UserError("--nearest is of images, but this model draws points; leave it out")
    run_data.check(drawn.folder, drawn.experiment)
    training = sets.compared(drawn.experiment.model, data.load_for(drawn.experiment))
    rows = drawn.wanted.num or ROWS
    sampling.require_memory("--num", (1 + num) * rows, drawn.shape)
    samples = np.concatenate(list(drawn.batches(np.arange(rows))))
    indices, distances = nearest(samples, training, num)
    columns = {"sample": samples}
    columns |= {str(place + 1): training.batch(indices[:, place]) for place in range(indices.shape[1])}
    figures.save_png(path, figures.side_by_side(columns))
    mean = distances[:, 0].mean()
    return f"{rows:,} samples of step {drawn.step:,} beside the nearest training images, at {mean:.2f} on average,"


def nearest(samples: np.ndarray, training: ImageSet, num: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and distances of the `num` training images, or of all there are, nearest to each sample, ascending.

    Args:
        samples: (samples, height, width, channels) uint8.
        training: images of that shape.
        num: at least 1.

    Returns:
        Two arrays of (samples, num): numbers in the set, and Euclidean distances of pixels in [0, 1], float32.
    """
    between = jax.jit(jax.vmap(squared_distances, in_axes=(0, None)))
    rows = _rows(samples)
    places, found = np.zeros((len(rows), 0), np.int64), np.zeros((len(rows), 0), np.float32)
    for start in range(0, len(training), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(training)))
        others = _rows(np.asarray(training.batch(block)))
        squared = np.asarray(between(rows, others))
        found = np.concatenate([found, squared], axis=1)
        places = np.concatenate([places, np.broadcast_to(block, squared.shape)], axis=1)
        best = np.argsort(found, axis=1, kind="stable")[:, :num]
        found, places = (np.take_along_axis(array, best, axis=1) for array in (found, places))
    return places, np.sqrt(found)


def _rows(images: np.ndarray) -> np.ndarray:
    """Around grey, for small rounding errors: (num, d) float32."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255) - np.float32(0.5)
