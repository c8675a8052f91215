"""SSIM, PSNR, MS-SSIM: agreement with scikit-image and a NumPy form of ProGAN's code, closed forms."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import skimage.metrics

from jaxgen.losses import ms_ssim_error
from jaxgen.metrics import hole_psnr, ms_ssim, ms_ssim_diversity, psnr, ssim
from tests.metrics import inputs
from tests.metrics.numbers import in_float64, single

X, Y = inputs.pixels(2, 48, 40) / 255.0, inputs.pixels(2, 48, 40, seed=4) / 255.0


def test_ssim_and_psnr_agree_with_scikit_image():
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    similarities, ratios = in_float64(lambda x, y: (ssim(y, x, data_range=1.0), psnr(y, x, data_range=1.0)), X, Y)
    expected = [
        skimage.metrics.structural_similarity(x, y, channel_axis=-1, **options) for x, y in zip(X, Y, strict=True)
    ]
    np.testing.assert_allclose(similarities, expected, rtol=1e-9)
    expected = [skimage.metrics.peak_signal_noise_ratio(x, y, data_range=1.0) for x, y in zip(X, Y, strict=True)]
    np.testing.assert_allclose(ratios, expected, rtol=1e-9)


def test_psnr_of_a_constant_offset_is_its_decibels_and_of_equal_images_infinite():
    zeros = jnp.zeros((2, 4))
    np.testing.assert_allclose(psnr(zeros + 0.1, zeros, data_range=1.0), 20, rtol=1e-5)
    np.testing.assert_allclose(psnr(zeros + 25.5, zeros, data_range=255.0), 20, rtol=1e-5)
    np.testing.assert_array_equal(psnr(zeros, zeros, data_range=1.0), np.inf)


def test_psnr_of_a_hole_is_that_of_its_pixels_alone():
    mask = np.ones((2, 48, 40, 1))
    mask[:, 5:20, 7:30] = 0.0
    found = hole_psnr(*(jnp.asarray(each, jnp.float32) for each in (Y, X, mask)), data_range=1.0)
    wanted = psnr(*(jnp.asarray(each[:, 5:20, 7:30], jnp.float32) for each in (Y, X)), data_range=1.0)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    with pytest.raises(ValueError, match=r"shape of mask is \(2, 48, 40, 3\), but must be \(2, 48, 40, 1\)"):
        hole_psnr(jnp.ones((2, 48, 40, 3)), jnp.ones((2, 48, 40, 3)), jnp.ones((2, 48, 40, 3)), data_range=1.0)


def similarity(x, y, side):
    """Mean luminance-contrast-structure and mean contrast-structure, range 255, window shrunk to the image."""
    size = min(11, side)
    offsets = np.arange(size) - (size - 1) / 2
    kernel = np.exp(-(offsets**2) / (2 * (1.5 * size / 11) ** 2))
    kernel /= kernel.sum()

    def blur(images):
        for axis in (1, 2):
            images = np.lib.stride_tricks.sliding_window_view(images, size, axis) @ kernel
        return images

    m_x, m_y = blur(x), blur(y)
    v_x, v_y, c = blur(x * x) - m_x**2, blur(y * y) - m_y**2, blur(x * y) - m_x * m_y
    structure = (2 * c + (0.03 * 255) ** 2) / (v_x + v_y + (0.03 * 255) ** 2)
    luminance = (2 * m_x * m_y + (0.01 * 255) ** 2) / (m_x**2 + m_y**2 + (0.01 * 255) ** 2)
    return (luminance * structure).mean((1, 2, 3)), structure.mean((1, 2, 3))


def progan(x, y):
    """MS-SSIM as ProGAN's authors compute it, with SciPy's filter between scales."""
    product = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        full, structure = similarity(x, y, min(x.shape[1:3]))
        product = product * np.maximum(full if scale == 4 else structure, 0) ** weight
        box = np.ones((1, 2, 2, 1)) / 4
        x, y = (scipy.ndimage.convolve(a, box, mode="reflect")[:, ::2, ::2] for a in (x, y))
    return product


def test_multiscale_similarity_is_progans_on_small_images():
    x, y = X[:, :32, :32] * 255, (X + 0.1 * (Y - X))[:, :32, :32] * 255
    value = in_float64(functools.partial(ms_ssim, data_range=255.0), x, y)
    assert (value > 0.1).all()
    np.testing.assert_allclose(value, progan(x, y), rtol=1e-9)
    np.testing.assert_allclose(jax.jit(functools.partial(ms_ssim, data_range=255.0))(*single(x, y)), value, rtol=1e-3)


def test_multiscale_similarity_of_one_channel_is_the_losses():
    x, y = single(X[..., :1], Y[..., :1])
    options = {"data_range": 1.0, "window": 5, "weights": (0.3, 0.7)}
    both = jax.jit(lambda x, y: (ms_ssim(x, y, **options), 1 - ms_ssim_error(x, y, **options)))
    np.testing.assert_allclose(*both(x, y), rtol=1e-4)


def test_diversity_is_the_mean_over_pairs_of_different_images(key):
    # Of two images there is one pair, whichever comes first.
    images = single(X[:, :32, :32])
    expected = jax.jit(functools.partial(ms_ssim, data_range=1.0))(images[:1], images[1:])
    diversity = jax.jit(functools.partial(ms_ssim_diversity, data_range=1.0, num_pairs=8, block_size=4))
    np.testing.assert_allclose(diversity(images, key), expected[0], rtol=1e-5)
    np.testing.assert_allclose(diversity(jnp.repeat(images[:1], 2, axis=0), key), 1, rtol=1e-6)


def test_images_too_small_and_pairs_of_one_are_refused(key):
    images = jnp.zeros((2, 15, 32, 1))
    with pytest.raises(ValueError, match="too small for 5 scales: they need 16 pixels"):
        ms_ssim(images, images, data_range=1.0)
    with pytest.raises(ValueError, match="number of images is 1, but must be at least 2"):
        ms_ssim_diversity(images[:1], key, data_range=1.0)
    with pytest.raises(ValueError, match="num_pairs is 0"):
        ms_ssim_diversity(images, key, data_range=1.0, num_pairs=0)
