"""Mode coverage: exact counts, the share of a Gaussian, collapse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.metrics import grid_modes, mode_coverage, ring_modes


def test_ring_lies_on_its_circle_and_grid_at_even_numbers():
    ring, grid = np.asarray(ring_modes()), np.asarray(grid_modes())
    assert ring.shape == (8, 2)
    np.testing.assert_allclose(np.hypot(*ring.T), 2, rtol=1e-6)
    np.testing.assert_allclose(ring.sum(0), 0, atol=1e-5)
    gaps = np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1)
    np.testing.assert_allclose(gaps, 4 * np.sin(np.pi / 8), rtol=1e-5)
    assert sorted(map(tuple, grid)) == [(x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)]


def test_samples_are_counted_at_their_nearest_mode():
    centers = jnp.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    samples = jnp.array([[0.0, 3.0], [0.0, 3.1], [9.0, 0.0], [10.0, 2.0], [5.0, 5.0]])
    covered, share, counts = mode_coverage(samples, centers, 1.0)
    assert covered == 2
    np.testing.assert_allclose(share, 3 / 5)
    np.testing.assert_array_equal(counts, [1, 2, 0])
    assert mode_coverage(samples, centers, 1.0, within=4.0).counts.tolist() == [2, 2, 0]


def test_true_samples_cover_all_modes_and_lie_within_three_deviations_as_often_as_a_gaussian(key):
    key_mode, key_noise = jax.random.split(key)
    centers = grid_modes()
    where = jax.random.randint(key_mode, (20_000,), 0, 25)
    samples = centers[where] + 0.05 * jax.random.normal(key_noise, (20_000, 2))
    covered, share, counts = mode_coverage(samples, centers, 0.05)
    assert covered == 25
    expected = 1 - np.exp(-9 / 2)
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 20_000)
    assert counts.sum() == round(float(share) * 20_000)


def test_collapsed_samples_cover_one_mode_with_full_quality():
    centers = ring_modes()
    found = mode_coverage(jnp.tile(centers[3:4], (5, 1)), centers, 0.02)
    assert (int(found.covered), float(found.high_quality)) == (1, 1.0)


def test_settings_out_of_range_are_refused():
    points = jnp.zeros((2, 2))
    with pytest.raises(ValueError, match=r"stddev is 0\.0, but must be positive"):
        mode_coverage(points, points, 0.0)
    with pytest.raises(ValueError, match=r"within is -1\.0, but must be positive"):
        mode_coverage(points, points, 1.0, within=-1.0)
    with pytest.raises(ValueError, match="differ in their second axis"):
        mode_coverage(points, jnp.zeros((2, 3)), 1.0)
    with pytest.raises(ValueError, match="num is 0"):
        ring_modes(0)
    with pytest.raises(ValueError, match="side is 0"):
        grid_modes(0)
