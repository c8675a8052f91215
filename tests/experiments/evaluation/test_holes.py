"""Holes that a model fills: the masks of its samples, and the plainest fill."""

from typing import Any

import jax
import numpy as np

from experiments.evaluation import holes, pairs
from experiments.models import sampling
from jaxgen.translation.masks import draw_masks
from tests.experiments import small_runs
from tests.translation.test_partial_conv import TINY

IMAGES = np.random.default_rng(0).integers(0, 256, (260, *TINY.image_shape), np.uint8)
MASKS: Any = holes.masks(TINY, IMAGES, seed=3)


def test_masks_are_those_of_the_samples_of_a_seed():
    keys = sampling.keys_of(jax.random.key(3), np.arange(260, dtype=np.uint32))
    np.testing.assert_array_equal(MASKS, draw_masks(TINY.masks, keys, 260, TINY.image_shape))
    assert holes.masks(small_runs.GAN, IMAGES, seed=3) is None


def test_the_plainest_fill_is_one_colour_and_leaves_the_rest():
    filled = holes.plain(IMAGES, MASKS)
    known = MASKS[0, :, :, 0] > 0
    np.testing.assert_array_equal(filled[0][known], IMAGES[0][known])
    colour = np.unique(filled[0][~known], axis=0)
    assert len(colour) == 1
    np.testing.assert_allclose(colour[0], IMAGES[0][known].mean(axis=0), atol=0.51)


def test_inside_the_holes_alone_images_are_compared():
    """An error of 10 % in the holes is 20 dB there, and what is outside does not count."""
    targets = np.full((4, 8, 8, 3), 100, np.uint8)
    images = np.where(MASKS[:4] > 0, np.uint8(7), np.uint8(126))
    images = np.broadcast_to(images, targets.shape)
    (measure,) = [
        one for one in pairs.measures(pairs.Pairs({}, targets, targets, masks=MASKS[:4])) if one.name == "psnr_hole"
    ]
    np.testing.assert_allclose(measure.compare(images, targets), 20 * np.log10(255 / 26), rtol=1e-5)
    assert "psnr_hole" in pairs.NAMES
    assert all(one.name != "psnr_hole" for one in pairs.measures(pairs.Pairs({}, targets, targets)))
