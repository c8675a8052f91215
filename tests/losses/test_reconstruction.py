"""Reconstruction losses: means over pixels, cycles, total variation, context."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
import scipy.special

from jaxgen.losses import reconstruction as rec

seeds = st.integers(0, 1000)


def normal(*shape, seed=0):
    return jnp.array(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@hypothesis.given(seeds)
def test_errors_are_means_over_the_pixels_of_each_image(seed):
    y, x = normal(2, 3, 4, 5, 2, seed=seed)
    difference = np.asarray(y, np.float64) - np.asarray(x, np.float64)
    axes = (1, 2, 3)
    for value, expected in (
        (rec.mean_absolute_error(y, x), np.abs(difference).mean(axes)),
        (rec.mean_squared_error(y, x), np.square(difference).mean(axes)),
        (rec.charbonnier_error(y, x), np.sqrt(difference**2 + 1e-6).mean(axes)),
        (rec.charbonnier_error(y, x, epsilon=0.5), np.sqrt(difference**2 + 0.25).mean(axes)),
        (rec.smooth_l1_error(y, x), scipy.special.huber(1.0, difference).mean(axes)),
        (rec.smooth_l1_error(y, x, beta=0.4), scipy.special.huber(0.4, difference).mean(axes) / 0.4),
    ):
        np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_errors_are_symmetric_and_least_for_equal_images():
    y, x = normal(2, 3, 4)
    for error in rec.mean_absolute_error, rec.mean_squared_error, rec.charbonnier_error:
        np.testing.assert_allclose(error(y, x), error(x, y))
    np.testing.assert_array_equal(rec.mean_absolute_error(x, x), 0.0)
    np.testing.assert_array_equal(rec.mean_squared_error(x, x), 0.0)
    np.testing.assert_allclose(rec.charbonnier_error(x, x, epsilon=0.2), 0.2, rtol=1e-6)


def test_charbonnier_is_smooth_at_zero_and_absolute_far_away():
    def error(d):
        return rec.charbonnier_error(d[None], jnp.zeros(1))[0]

    np.testing.assert_array_equal(jax.grad(error)(0.0), 0.0)
    np.testing.assert_allclose(jax.grad(error)(-5.0), -1.0, rtol=1e-6)


def test_cycle_of_inverse_translations_costs_nothing():
    x, y = normal(2, 3, 4)
    value = rec.cycle_consistency(lambda x: 2 * x + 1, lambda y: (y - 1) / 2, x, y)
    np.testing.assert_allclose(value, 0.0, atol=1e-6)


def test_cycles_start_in_their_own_domain():
    # G(x) = x + 1, F(y) = y^2, at x = 1, y = 2: F(G(1)) = 4 and G(F(2)) = 5, both 3 away.
    # At x = 2, y = 1: F(G(2)) = 9, 7 away; G(F(1)) = 2, 1 away. G(y) = 2, F(x) = 4.
    def add(x):
        return x + 1

    def square(y):
        return y**2

    x, y = jnp.array([[1.0], [2.0]]), jnp.array([[2.0], [1.0]])
    np.testing.assert_allclose(rec.cycle_consistency(add, square, x, y), [3 + 3, 7 + 1])
    np.testing.assert_allclose(rec.identity_mapping(add, square, x, y), [1 + 0, 1 + 2])


def test_identity_maps_cost_nothing():
    x, y = normal(2, 3, 4)
    np.testing.assert_array_equal(rec.identity_mapping(jnp.array, jnp.array, x, y), 0.0)


@hypothesis.given(seeds)
def test_total_variation_is_the_sum_of_the_steps_between_neighbours(seed):
    images = np.asarray(normal(2, 3, 4, 2, seed=seed), np.float64)
    expected = np.zeros(2)
    for i in range(3):
        for j in range(4):
            if i + 1 < 3:
                expected += np.abs(images[:, i + 1, j] - images[:, i, j]).sum(-1)
            if j + 1 < 4:
                expected += np.abs(images[:, i, j + 1] - images[:, i, j]).sum(-1)
    value = rec.total_variation(jnp.array(images, jnp.float32))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    transposed = rec.total_variation(jnp.array(images.swapaxes(1, 2), jnp.float32))
    np.testing.assert_allclose(transposed, value, rtol=1e-5)


def test_total_variation_of_a_constant_image_is_zero_and_of_a_disc_its_perimeter():
    np.testing.assert_array_equal(rec.total_variation(jnp.ones((2, 5, 5, 3))), 0.0)
    square = jnp.zeros((1, 8, 8, 1)).at[:, 2:5, 3:7].set(1.0)
    np.testing.assert_allclose(rec.total_variation(square), 2 * (3 + 4))


@pytest.mark.parametrize("window", [3, 7])
@hypothesis.settings(max_examples=10)
@hypothesis.given(seeds)
def test_context_weights_are_scipys_convolution_with_mirrored_edges(window, seed):
    mask = np.random.default_rng(seed).integers(0, 2, (2, 9, 8)).astype(float)
    value = rec.context_weights(jnp.array(mask, jnp.float32), window=window)
    kernel = np.ones((window, window)) / window**2
    expected = [m * scipy.signal.convolve2d(1 - m, kernel, mode="same", boundary="symm") for m in mask]
    np.testing.assert_allclose(value, expected, atol=1e-6)


def test_context_of_a_window_of_one_is_the_pixel_itself():
    weights = rec.context_weights(jnp.full((1, 2, 2), 0.3), window=1)
    np.testing.assert_allclose(weights, 0.3 * 0.7, rtol=1e-6)


def test_context_weights_vanish_on_missing_pixels_and_far_from_the_hole():
    mask = jnp.ones((1, 20, 20)).at[:, 8:12, 8:12].set(0.0)
    weights = rec.context_weights(mask)
    np.testing.assert_array_equal(weights[mask == 0], 0.0)
    np.testing.assert_array_equal(weights[:, :5], 0.0)  # three pixels from row 8 is row 5
    assert (weights[:, 5, 8:12] > 0).all()


@hypothesis.given(seeds)
def test_context_error_is_the_weighted_sum_over_pixels_and_channels(seed):
    y, x = normal(2, 3, 4, 5, 2, seed=seed)
    weights = jnp.abs(normal(3, 4, 5, seed=seed))
    expected = (np.abs(y - x) * np.asarray(weights)[..., None]).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(rec.context_error(y, x, weights), expected, rtol=1e-5)


def test_context_error_is_zero_where_known_pixels_are_equal():
    mask = jnp.ones((1, 8, 8)).at[:, 2:5, 2:5].set(0.0)
    target = normal(1, 8, 8, 3)
    output = target + 9 * (1 - mask)[..., None]
    np.testing.assert_array_equal(rec.context_error(output, target, rec.context_weights(mask)), 0.0)


@pytest.mark.parametrize("beta", [0.0, -1.0])
def test_smooth_l1_needs_a_width(beta):
    with pytest.raises(ValueError, match=f"beta is {beta}"):
        rec.smooth_l1_error(jnp.zeros((1, 1)), jnp.zeros((1, 1)), beta=beta)
