import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from jaxgen.latents.traversal import normal_quantiles, quantile_grid, traverse


@pytest.mark.parametrize("num", [1, 2, 21])
def test_quantiles_are_the_normal_distributions(num):
    found = normal_quantiles(num)
    np.testing.assert_allclose(found, scipy.stats.norm.ppf((np.arange(num) + 0.5) / num), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found, -found[::-1], atol=1e-5)


def test_quantiles_cut_the_prior_into_equal_parts():
    """Between two neighbours lies 1 / num of the draws, and half as much beyond the outer ones."""
    draws = jax.random.normal(jax.random.key(0), (100_000,))
    counts = np.diff(np.searchsorted(np.sort(draws), normal_quantiles(8)), prepend=0, append=100_000)
    np.testing.assert_allclose(counts / 100_000, [1 / 16, *[1 / 8] * 7, 1 / 16], atol=0.005)


def test_a_traversal_sets_one_coordinate_and_leaves_the_others():
    latent, axes, values = jnp.array([1.0, 2.0, 3.0]), jnp.array([2, 0]), jnp.array([-5.0, 0.0, 5.0])
    found = traverse(latent, axes, values)
    assert found.shape == (2, 3, 3)
    for row, axis in enumerate((2, 0)):
        np.testing.assert_array_equal(found[row, :, axis], values)
        others = np.delete(np.asarray(found[row]), axis, axis=1)
        np.testing.assert_array_equal(others, np.tile(np.delete(latent, axis), (3, 1)))


def test_the_value_that_a_coordinate_has_gives_the_latent_itself():
    latent = jax.random.normal(jax.random.key(1), (4,))
    for axis in range(4):
        np.testing.assert_array_equal(traverse(latent, jnp.array([axis]), latent[axis : axis + 1])[0, 0], latent)


def test_the_grid_lies_as_a_diagram_does():
    grid = quantile_grid(3).reshape(3, 3, 2)
    assert (np.diff(grid[..., 0], axis=1) > 0).all() and (np.diff(grid[..., 1], axis=0) < 0).all()
    np.testing.assert_allclose(grid[1, 1], 0.0, atol=1e-6)
    np.testing.assert_allclose(grid[0, :, 0], normal_quantiles(3))
    np.testing.assert_allclose(grid[:, 0, 1], normal_quantiles(3)[::-1])


def test_no_quantiles_are_refused():
    with pytest.raises(ValueError, match="num is 0, but must be at least 1"):
        normal_quantiles(0)
