"""Optimal transport: agreement with SciPy and POT, translations, permutations."""

import hypothesis
import hypothesis.strategies as st
import jax.numpy as jnp
import numpy as np
import ot
import pytest
import scipy.stats

from jaxgen.losses import transport

seeds = st.integers(0, 1000)


def normal(*shape, seed=0):
    return jnp.array(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@hypothesis.given(seeds)
def test_distance_on_the_line_agrees_with_scipy(seed):
    x, y = normal(2, 9, seed=seed)
    expected = scipy.stats.wasserstein_distance(x, y)
    np.testing.assert_allclose(transport.wasserstein_1d(x, y), expected, rtol=1e-4)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_power_of_the_distance_on_the_line_agrees_with_pot(order):
    x, y = np.asarray(normal(2, 9), np.float64)
    expected = ot.wasserstein_1d(x, y, p=order)
    value = transport.wasserstein_1d(jnp.array(x, jnp.float32), jnp.array(y, jnp.float32), order=order)
    np.testing.assert_allclose(value, expected, rtol=1e-4)


@hypothesis.given(seeds, st.floats(-5, 5))
def test_translation_costs_its_length_and_order_does_not_matter(seed, shift):
    x = normal(7, seed=seed)
    moved = (x + shift)[::-1]
    np.testing.assert_allclose(transport.wasserstein_1d(x, moved), abs(shift), atol=1e-4)
    np.testing.assert_allclose(transport.wasserstein_1d(x, moved, order=2), shift**2, atol=1e-3)
    np.testing.assert_array_equal(transport.wasserstein_1d(x, x[::-1]), 0.0)


@hypothesis.given(seeds)
def test_distance_is_the_cheapest_assignment(seed):
    x, y = np.asarray(normal(2, 6, seed=seed), np.float64)
    cost = np.abs(x[:, None] - y[None])
    expected = ot.emd2(np.ones(6) / 6, np.ones(6) / 6, cost)
    value = transport.wasserstein_1d(jnp.array(x, jnp.float32), jnp.array(y, jnp.float32))
    np.testing.assert_allclose(value, expected, rtol=1e-4)


def test_earth_mover_turns_one_histogram_into_the_other_with_work_five():
    # 2 units from bin 0 to 1, 2 from 1 to 2, 1 from 3 to 2.
    p, q = jnp.array([3.0, 2.0, 1.0, 4.0]), jnp.array([1.0, 2.0, 4.0, 3.0])
    np.testing.assert_allclose(transport.earth_movers_distance(p, q), 5.0)
    np.testing.assert_allclose(transport.earth_movers_distance(q, p), 5.0)


@hypothesis.given(seeds)
def test_earth_mover_agrees_with_pot_row_by_row(seed):
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.ones(6), size=(2, 3))
    cost = np.abs(np.arange(6.0)[:, None] - np.arange(6.0)[None])
    expected = [ot.emd2(a, b, cost) for a, b in zip(p, q, strict=True)]
    value = transport.earth_movers_distance(jnp.array(p, jnp.float32), jnp.array(q, jnp.float32))
    np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_sliced_distance_agrees_with_pot_on_the_same_directions(order):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 8, 3))
    directions = rng.normal(size=(20, 3))
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    expected = ot.sliced_wasserstein_distance(x, y, projections=unit.T, p=order) ** order
    value = transport.sliced_wasserstein(*(jnp.array(a, jnp.float32) for a in (x, y, directions)), order=order)
    np.testing.assert_allclose(value, expected, rtol=1e-4)
    if order == 1:
        default = transport.sliced_wasserstein(*(jnp.array(a, jnp.float32) for a in (x, y, directions)))
        np.testing.assert_array_equal(default, value)


@hypothesis.settings(max_examples=10)
@hypothesis.given(seeds)
def test_sliced_distance_ignores_the_length_of_directions_and_the_order_of_points(seed):
    x, y, directions = normal(3, 5, 3, seed=seed)
    value = transport.sliced_wasserstein(x, y, directions)
    scaled = directions * jnp.arange(1.0, 6.0)[:, None]
    np.testing.assert_allclose(transport.sliced_wasserstein(x[::-1], y, scaled), value, rtol=1e-4)


def test_sliced_distance_in_one_dimension_is_the_distance_on_the_line():
    x, y = normal(2, 6, 1)
    value = transport.sliced_wasserstein(x, y, jnp.array([[-2.0]]))
    np.testing.assert_allclose(value, transport.wasserstein_1d(x[:, 0], y[:, 0]), rtol=1e-5)


def test_a_histogram_without_bins_is_refused():
    with pytest.raises(ValueError, match=r"p and q have shape \(2, 0\), but must be histograms"):
        transport.earth_movers_distance(jnp.ones((2, 0)), jnp.ones((2, 0)))
