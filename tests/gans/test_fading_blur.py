"""The blur of the discriminator's images."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from jaxgen.gans.fading_blur import FadingBlur

IMAGES = jax.random.normal(jax.random.key(0), (2, 9, 12, 3))


def step(number):
    return jnp.asarray(number, jnp.int32)


@pytest.mark.parametrize(("number", "sigma"), [(0, 2.0), (3, 1.4), (8, 0.4)])
def test_the_blur_is_a_convolution_whose_width_falls_linearly(number, sigma):
    """With SciPy, zeros outside; taps 2^(-(x / sigma)^2) up to 3 sigma."""
    x = np.arange(-np.floor(3 * sigma + 1e-6), np.floor(3 * sigma + 1e-6) + 1)
    taps = 2.0 ** -((x / sigma) ** 2)
    wanted = np.asarray(IMAGES, np.float64)
    for axis in (1, 2):
        wanted = scipy.ndimage.convolve1d(wanted, taps / taps.sum(), axis, mode="constant")
    np.testing.assert_allclose(FadingBlur(2.0, end=10).transform(IMAGES, step(number)), wanted, atol=1e-5)


def test_from_its_end_on_and_without_a_width_images_are_as_they_are():
    for number in (9, 10, 99):  # 3 sigma is below 1 from update 9 on
        found = FadingBlur(2.0, end=10).transform(IMAGES, step(number))
        np.testing.assert_allclose(found, IMAGES, atol=1e-6)
    assert FadingBlur().transform(IMAGES, step(0)) is IMAGES


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"sigma is -1\.0, but must be at least 0"):
        FadingBlur(-1.0)
    with pytest.raises(ValueError, match="end is 0, but must be at least 1"):
        FadingBlur(end=0)
