"""Resampling by 2: against convolutions and NumPy, and the laws that a filter without aliasing keeps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.convolution import conv, conv_transpose, mean_pool, upsample_nearest
from jaxgen.nets.resampling import BINOMIAL, BLUR, downsample, smooth, upsample

IMAGES = jax.random.normal(jax.random.key(0), (2, 6, 4, 3))
TAPS = [BINOMIAL, (1.0, 1.0), (1.0, 2.0, -0.5, 0.25), (1.0, 5.0, 10.0, 10.0, 5.0, 1.0)]
taps = pytest.mark.parametrize("taps", TAPS, ids=["binomial", "box", "skewed", "six"])


def kernel(taps):
    """(k, k, 1, 3): one filter for each of three channels."""
    taps = jnp.asarray(taps) / sum(taps)
    return jnp.tile(jnp.outer(taps, taps)[:, :, None, None], (1, 1, 1, 3))


@pytest.mark.exhaustive
@taps
def test_both_are_depthwise_convolutions_of_stride_two(taps):
    padding = len(taps) // 2 - 1
    options = {"strides": 2, "padding": ((padding, padding),) * 2, "feature_groups": 3}
    found = downsample(IMAGES, taps)
    np.testing.assert_allclose(found, conv(IMAGES, kernel(taps), **options), atol=1e-6)
    flipped = 4 * kernel(taps)[::-1, ::-1]  # conv_transpose takes the kernel of the adjoint in reverse order
    found = upsample(IMAGES, taps)
    assert found.shape == (2, 12, 8, 3)
    np.testing.assert_allclose(found, conv_transpose(IMAGES, flipped, **options), atol=1e-6)


@taps
@pytest.mark.parametrize("padding", [0, 1])
def test_smoothing_is_a_depthwise_convolution(taps, padding):
    images = jnp.concatenate([IMAGES, IMAGES[:, ::-1]], axis=2)
    wanted = conv(images, kernel(taps), padding=((padding, padding),) * 2, feature_groups=3)
    np.testing.assert_allclose(smooth(images, padding, taps), wanted, atol=1e-6)


def test_smoothing_before_every_second_place_is_downsampling():
    np.testing.assert_allclose(smooth(IMAGES, 1)[:, ::2, ::2], downsample(IMAGES), atol=1e-6)


@taps
def test_upsampling_is_four_times_the_adjoint_of_downsampling(taps):
    other = jax.random.normal(jax.random.key(1), (2, 12, 8, 3))
    one, two = (upsample(IMAGES, taps) * other).sum(), 4 * (IMAGES * downsample(other, taps)).sum()
    np.testing.assert_allclose(one, two, rtol=1e-5)


def test_the_binomial_filter_by_hand():
    """y[2 i] = (x[i - 1] + 3 x[i]) / 4 and y[2 i + 1] = (3 x[i] + x[i + 1]) / 4, along each axis, and its adjoint."""

    def doubled(x):
        padded = np.pad(x, 1)
        return np.stack([(padded[:-2] + 3 * x) / 4, (3 * x + padded[2:]) / 4], axis=1).reshape(-1)

    row, column = np.array([1.0, 2.0, -3.0], np.float32), np.array([2.0, 5.0], np.float32)
    found = upsample(jnp.asarray(np.outer(row, column))[None, :, :, None])[0, :, :, 0]
    np.testing.assert_allclose(found, np.outer(doubled(row), doubled(column)), rtol=1e-6)
    row = np.array([1.0, 2.0, -3.0, 5.0], np.float32)
    halved = np.array([(3 * 1 + 3 * 2 - 3) / 8, (2 + 3 * -3 + 3 * 5) / 8])
    found = downsample(jnp.asarray(np.outer(row, row))[None, :, :, None])[0, :, :, 0]
    np.testing.assert_allclose(found, np.outer(halved, halved), rtol=1e-6)


def test_two_equal_taps_are_the_mean_of_blocks_and_the_nearest_pixel():
    np.testing.assert_allclose(downsample(IMAGES, (1.0, 1.0)), mean_pool(IMAGES), atol=1e-6)
    np.testing.assert_allclose(upsample(IMAGES, (1.0, 1.0)), upsample_nearest(IMAGES), atol=1e-6)


def test_constants_keep_their_value_within_and_the_finest_pattern_is_filtered_out():
    ones = jnp.ones((1, 8, 8, 1))
    np.testing.assert_allclose(downsample(ones)[:, 1:-1, 1:-1], 1.0, rtol=1e-6)
    np.testing.assert_allclose(upsample(ones)[:, 1:-1, 1:-1], 1.0, rtol=1e-6)
    stripes = ones * jnp.tile(jnp.array([1.0, -1.0]), 4)[None, None, :, None]
    np.testing.assert_allclose(downsample(stripes)[:, :, 1:-1], 0.0, atol=1e-6)


def test_a_blur_is_a_depthwise_convolution_that_sums_to_1_and_loses_what_lies_beyond_the_border():
    for taps in (BLUR, (1.0, 0.5, -0.25), (1.0, 2.0, 4.0, 2.0, 3.0)):
        found = smooth(IMAGES, len(taps) // 2, taps)
        np.testing.assert_allclose(found, conv(IMAGES, kernel(taps), feature_groups=3), atol=1e-6)
    ones = np.asarray(smooth(jnp.ones((1, 4, 4, 1)), 1, BLUR))[0, :, :, 0]
    np.testing.assert_allclose(ones[0], [0.5625, 0.75, 0.75, 0.5625], atol=1e-7)
    np.testing.assert_allclose(ones[1], [0.75, 1.0, 1.0, 0.75], atol=1e-7)
    for taps in ((), (1.0, -1.0, 0.0)):
        with pytest.raises(ValueError, match=r"taps is .*, but must be one or more, of sum not 0"):
            smooth(IMAGES, 1, taps)


def test_halves_stay_halves():
    images = IMAGES.astype(jnp.bfloat16)
    assert downsample(images).dtype == upsample(images).dtype == jnp.bfloat16


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="size of images is 3x4, but must be a multiple of 2x2"):
        downsample(jnp.ones((1, 3, 4, 1)))
    with pytest.raises(ValueError, match="size of images is 4x3"):
        downsample(jnp.ones((1, 4, 3, 1)))
    for bad in ((1.0, 2.0, 1.0), (), (1.0, -1.0)):
        for resample in (downsample, upsample):
            with pytest.raises(ValueError, match=r"taps is .*, but must be an even number"):
                resample(jnp.ones((1, 4, 4, 1)), bad)
