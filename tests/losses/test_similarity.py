"""Structural similarity: agreement with scikit-image and NumPy, closed forms."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skimage.metrics
import skimage.transform

from jaxgen.losses import similarity

OPTIONS = ("data_range", "window", "stddev", "weights")
ssim_error = jax.jit(similarity.ssim_error, static_argnames=OPTIONS[:3])
ms_ssim_error = jax.jit(similarity.ms_ssim_error, static_argnames=OPTIONS)
RNG = np.random.default_rng(0)
X = RNG.uniform(size=(2, 24, 20, 3))
Y = np.clip(X + RNG.normal(0, 0.2, X.shape), 0, 1)


def single(array):
    return jnp.array(array, jnp.float32)


@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_ssim_agrees_with_scikit_image(data_range):
    # Its Gaussian window of 1.5 pixels is cut off at 3.5 deviations: 11 pixels.
    similarities = [
        skimage.metrics.structural_similarity(
            x,
            y,
            data_range=data_range,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for x, y in zip(X * data_range, Y * data_range, strict=True)
    ]
    value = ssim_error(single(Y * data_range), single(X * data_range), data_range=data_range)
    np.testing.assert_allclose(value, 1 - np.array(similarities), rtol=1e-4)


@pytest.mark.parametrize(
    ("a", "b", "data_range", "luminance"),
    # (2 a b + C_1) / (a^2 + b^2 + C_1) with C_1 = (0.01 data_range)^2.
    [(0.3, 0.6, 1.0, 0.8000444346), (3.0, 6.0, 255.0, (36 + 2.55**2) / (45 + 2.55**2))],
)
def test_ssim_of_constant_images_is_their_luminance(a, b, data_range, luminance):
    with jax.enable_x64(True):
        x, y = jnp.full((1, 16, 16, 1), a), jnp.full((1, 16, 16, 1), b)
        value = ssim_error(y, x, data_range=data_range)
    np.testing.assert_allclose(value, 1 - luminance, atol=1e-9)


def test_errors_are_zero_for_equal_images_symmetric_and_between_zero_and_two():
    x, y = single(X), single(Y)
    for error, options in (
        (ssim_error, {}),
        (ms_ssim_error, {"window": 5, "weights": (0.3, 0.3, 0.4)}),
    ):
        np.testing.assert_allclose(error(x, x, data_range=1.0, **options), 0.0, atol=1e-5)
        value = error(y, x, data_range=1.0, **options)
        np.testing.assert_allclose(error(x, y, data_range=1.0, **options), value, rtol=1e-4)
        assert ((value > 0) & (value < 2)).all()


def test_inverted_contrast_is_worse_than_independence():
    pattern = 0.3 * (-1.0) ** np.indices((16, 16)).sum(axis=0)[None, :, :, None]
    opposite = ssim_error(single(0.5 - pattern), single(0.5 + pattern), data_range=1.0)
    assert 1.9 < opposite < 2.0


@pytest.mark.parametrize(("window", "stddev"), [(5, 1.0), (8, 2.0)])
def test_window_and_deviation_are_those_of_the_local_statistics(window, stddev):
    offsets = np.arange(window) - (window - 1) / 2
    kernel = np.exp(-(offsets**2) / (2 * stddev**2))
    kernel /= kernel.sum()
    expected = 1 - numpy_similarity(X, Y, kernel)[1].mean(axis=(1, 2, 3))
    value = ssim_error(single(Y), single(X), data_range=1.0, window=window, stddev=stddev)
    np.testing.assert_allclose(value, expected, rtol=1e-4)


def numpy_similarity(x, y, kernel):
    """Contrast-structure and full similarity of every window inside the image, in float64."""

    def blur(images):
        for axis in (1, 2):
            slices = np.lib.stride_tricks.sliding_window_view(images, len(kernel), axis)
            images = slices @ kernel
        return images

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x**2) - mean_x**2, blur(y**2) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    c_1, c_2 = 0.01**2, 0.03**2
    structure = (2 * covariance + c_2) / (var_x + var_y + c_2)
    luminance = (2 * mean_x * mean_y + c_1) / (mean_x**2 + mean_y**2 + c_1)
    return structure, luminance * structure


def numpy_multiscale(x, y, window, weights):
    offsets = np.arange(window) - (window - 1) / 2
    kernel = np.exp(-(offsets**2) / (2 * 1.5**2))
    kernel /= kernel.sum()
    product = np.ones((x.shape[0], x.shape[3]))
    for scale, weight in enumerate(weights):
        structure, full = numpy_similarity(x, y, kernel)
        term = full if scale == len(weights) - 1 else structure
        product = product * np.maximum(term.mean(axis=(1, 2)), 0) ** weight
        even = [a[:, : a.shape[1] // 2 * 2, : a.shape[2] // 2 * 2] for a in (x, y)]
        x, y = (skimage.transform.downscale_local_mean(a, (1, 2, 2, 1)) for a in even)
    return 1 - product.mean(axis=1)


@pytest.mark.parametrize("shape", [(24, 20), (23, 21)])
def test_multiscale_error_is_the_product_over_the_scales(shape):
    x, y = X[:, : shape[0], : shape[1]], Y[:, : shape[0], : shape[1]]
    weights = (0.2, 0.3, 0.5)
    expected = numpy_multiscale(x, y, 5, weights)
    value = ms_ssim_error(single(y), single(x), data_range=1.0, window=5, weights=weights)
    np.testing.assert_allclose(value, expected, rtol=1e-4)


def test_multiscale_error_of_one_scale_is_the_plain_error_of_one_channel():
    x, y = single(X[..., :1]), single(Y[..., :1])
    one = ms_ssim_error(y, x, data_range=1.0, weights=(1.0,))
    np.testing.assert_allclose(one, ssim_error(y, x, data_range=1.0), rtol=1e-4)


def test_multiscale_error_has_the_five_published_weights_by_default():
    # Section 3.2 of Wang, Simoncelli, Bovik 2003; they add up to one, but for rounding.
    assert similarity.MULTISCALE_WEIGHTS == (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    x = RNG.uniform(size=(1, 176, 176, 1))
    y = np.clip(x + RNG.normal(0, 0.2, x.shape), 0, 1)
    value = ms_ssim_error(single(y), single(x), data_range=1.0)
    expected = numpy_multiscale(x, y, 11, (0.0448, 0.2856, 0.3001, 0.2363, 0.1333))
    np.testing.assert_allclose(value, expected, rtol=1e-3)


@pytest.mark.parametrize("shape", [(175, 200), (200, 175)])
def test_too_many_scales_are_refused_with_the_size_that_they_need(shape):
    images = jnp.zeros((1, *shape, 1))
    with pytest.raises(ValueError, match="5 scales of a window of 11 need 176 pixels"):
        similarity.ms_ssim_error(images, images, data_range=1.0)


def test_power_of_zero_is_zero_with_gradient_zero():
    value, slope = jax.value_and_grad(lambda x: similarity._power(x, 0.3))(0.0)
    np.testing.assert_array_equal((value, slope), (0.0, 0.0))


def test_power_and_its_slope_are_nan_at_nan():
    assert np.isnan(jax.value_and_grad(lambda x: similarity._power(x, 0.3))(jnp.nan)).all()


def test_multiscale_error_is_nan_for_the_image_with_a_nan_alone():
    spoilt = single(X[:, :24, :20]).at[0, 3, 3, 0].set(jnp.nan)
    value = ms_ssim_error(spoilt, single(Y[:, :24, :20]), data_range=1.0, window=5, weights=(0.5, 0.5))
    np.testing.assert_array_equal(jnp.isnan(value), np.arange(len(X)) == 0)


def test_negative_similarity_is_cut_off_with_gradient_zero():
    noise = single(RNG.normal(size=(1, 16, 16, 1)))

    def error(outputs):
        return ms_ssim_error(outputs, noise, data_range=1.0, window=5, weights=(0.5, 0.5))[0]

    value, gradient = jax.value_and_grad(error)(-noise)
    np.testing.assert_array_equal(value, 1.0)
    chex.assert_tree_all_finite(gradient)
    np.testing.assert_array_equal(gradient, 0.0)
