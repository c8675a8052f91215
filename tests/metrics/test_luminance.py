"""The luminance of MATLAB's rgb2ycbcr, and borders that are cut."""

import jax.numpy as jnp
import numpy as np
import pytest
import skimage.color

from jaxgen.metrics import luminance, psnr, without_border
from tests.metrics import inputs
from tests.metrics.numbers import in_float64

IMAGES = inputs.pixels(2, 9, 8) / 255.0


def test_luminance_is_the_first_channel_of_scikit_images_conversion():
    (found,) = in_float64(lambda images: (luminance(images),), IMAGES)
    np.testing.assert_allclose(found[..., 0], skimage.color.rgb2ycbcr(IMAGES)[..., 0] / 255, rtol=1e-9)


def test_luminance_of_black_and_white_is_16_and_235_and_grey_images_are_their_own():
    edges = jnp.stack([jnp.zeros((1, 1, 3)), jnp.ones((1, 1, 3))])
    np.testing.assert_allclose(luminance(edges)[:, 0, 0, 0] * 255, [16, 235], rtol=1e-6)
    grey = jnp.linspace(0.0, 1.0, 6).reshape(1, 2, 3, 1)
    np.testing.assert_array_equal(luminance(grey), grey)


def test_a_grey_offset_of_colours_counts_as_219_of_255_in_the_luminance():
    zeros = jnp.zeros((1, 4, 4, 3))
    found = psnr(luminance(zeros + 0.1), luminance(zeros), data_range=1.0)
    np.testing.assert_allclose(found, 20 + 20 * np.log10(255 / 219), rtol=1e-5)


def test_the_border_is_cut_at_each_side():
    images = jnp.arange(30.0).reshape(1, 5, 6, 1)
    np.testing.assert_array_equal(without_border(images, 2)[0, :, :, 0], [[14, 15]])
    np.testing.assert_array_equal(without_border(images, 0), images)


def test_other_channels_and_borders_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match="channels of the images is 2, but must be 1 or 3"):
        luminance(jnp.zeros((1, 4, 4, 2)))
    with pytest.raises(ValueError, match="border is 2, but must be below half of 4x9"):
        without_border(jnp.zeros((1, 4, 9, 3)), 2)
    with pytest.raises(ValueError, match="border is -1"):
        without_border(jnp.zeros((1, 4, 9, 3)), -1)
