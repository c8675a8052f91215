"""Photographs made of label maps, read back: the share of pixels that a run of the other direction finds right.

As the FCN score of pix2pix (arXiv 1611.07004, section 3.4), with a translator of our own in place of their network.
"""

import pathlib
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from experiments.command_line.errors import UserError
from experiments.evaluation import sets
from experiments.evaluation.sets import Run
from experiments.models import conditions, progress, sampling
from jaxgen.images import scale

Translate = Callable[[np.ndarray], np.ndarray]
"""Photographs to label maps, uint8."""


def translator(folder: pathlib.Path, run: Run, seed: int) -> Translate:
    """The run in a folder as a function. UserError unless it goes from what `run` makes to what `run` is given."""
    if run.experiment.images.label_maps != "inputs":
        raise UserError(f"--back {folder} is for a run from label maps; train it with --images.label-maps inputs")
    other = sets.run(folder, "newest")
    config, wanted = other.experiment.model, tuple(run.experiment.model.image_shape)
    found = tuple(getattr(config, "input_shape", config.image_shape))
    if not conditions.is_image(config) or found != wanted or other.experiment.images.label_maps != "targets":
        raise UserError(f"--back {folder} is no run from photographs of {'x'.join(map(str, wanted))} to label maps")

    def translate(images: np.ndarray) -> np.ndarray:
        def given(places: np.ndarray) -> object:
            return scale(jnp.asarray(images[places]), config.value_range)

        made = progress.batches(config, other.state, np.arange(len(images)), seed, given, size=sampling.BATCH)
        return np.concatenate(list(made))

    return translate
