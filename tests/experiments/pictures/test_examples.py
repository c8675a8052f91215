"""Rows of what a model is given and what it makes of it."""

from typing import Any

import jax
import numpy as np

from experiments.pictures import examples
from experiments.runs.experiment import Experiment
from jaxgen.batches import Inpainting
from jaxgen.images import to_pixels
from jaxgen.translation import partial_conv
from tests.translation.test_partial_conv import TINY

PIXELS: Any = np.random.default_rng(0).integers(0, 120, (3, *TINY.image_shape), np.uint8)


def test_filled_holes_stand_between_the_images_with_holes_and_the_whole_ones():
    state, key = jax.jit(partial_conv.init, static_argnums=0)(TINY, jax.random.key(0)), jax.random.key(1)
    draw = examples._one_sample(Experiment(TINY), Inpainting(PIXELS), key, ())
    columns = draw(state)
    assert list(columns) == ["hole", "sample", "target"]
    np.testing.assert_array_equal(columns["target"], PIXELS)
    images = 2.0 * PIXELS.astype(np.float32) / 255 - 1
    sample = jax.jit(partial_conv.sample, static_argnums=(0, 3))
    wanted = to_pixels(sample(TINY, state, key, 3, jax.numpy.asarray(images)))
    assert np.abs(columns["sample"].astype(int) - np.asarray(wanted)).max() <= 1
    hidden = np.broadcast_to(np.asarray(partial_conv.holes(TINY, key, jax.numpy.asarray(images))) == 0, PIXELS.shape)
    assert (columns["hole"][hidden] == 128).all()
    for name in ("hole", "sample"):
        np.testing.assert_array_equal(columns[name][~hidden], PIXELS[~hidden])
