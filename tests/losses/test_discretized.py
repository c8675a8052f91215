"""Likelihoods of levels: SciPy's distribution functions."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from jaxgen.losses import discretized as dz

seeds = st.integers(0, 1000)


@pytest.mark.parametrize(("levels", "value_range"), [(256, (-1.0, 1.0)), (5, (0.0, 2.0)), (2, (0.0, 1.0))])
@pytest.mark.parametrize("mean", [-3.0, 0.1, 0.9])
@pytest.mark.parametrize("formula", [dz.discretized_logistic_nll, dz.discretized_gaussian_nll])
def test_probabilities_of_the_levels_sum_to_one(formula, levels, value_range, mean):
    targets = jnp.linspace(value_range[0], value_range[1], levels)
    for log_scale in -4.0, 0.0, 2.0:
        nll = formula(
            jnp.full(levels, mean),
            jnp.full(levels, log_scale),
            targets,
            num_levels=levels,
            value_range=value_range,
        )
        np.testing.assert_allclose(jnp.exp(-nll).sum(), 1.0, rtol=1e-4)


@hypothesis.given(seeds)
def test_discretised_logistic_is_a_difference_of_scipys_distribution_function(seed):
    rng = np.random.default_rng(seed)
    mean, log_scale = rng.normal(size=(2, 3, 5)) / 2
    index = rng.integers(0, 16, (3, 5))
    targets = index / 7.5 - 1
    edges = np.concatenate([[-np.inf], (np.arange(15) + 0.5) / 7.5 - 1, [np.inf]])
    distribution = scipy.stats.logistic(mean, np.exp(log_scale))
    probability = distribution.cdf(edges[index + 1]) - distribution.cdf(edges[index])
    value = dz.discretized_logistic_nll(*(jnp.array(a, jnp.float32) for a in (mean, log_scale, targets)), num_levels=16)
    np.testing.assert_allclose(value, -np.log(probability).sum(axis=1), rtol=1e-4)


def test_discretised_logistic_has_256_levels_by_default():
    arrays = jnp.array([[0.1]]), jnp.array([[-2.0]]), jnp.array([[1 / 255]])
    expected = dz.discretized_logistic_nll(*arrays, num_levels=256, value_range=(-1.0, 1.0))
    np.testing.assert_array_equal(dz.discretized_logistic_nll(*arrays), expected)
    density = scipy.stats.logistic.logpdf(1 / 255, 0.1, np.exp(-2.0))
    np.testing.assert_allclose(expected, -density - np.log(2 / 255), rtol=1e-3)


@pytest.mark.parametrize("mean", [-1e4, 1e4])
def test_discretised_logistic_is_finite_far_from_the_target_at_the_smallest_scale(mean):
    def total(mean, log_scale):
        return dz.discretized_logistic_nll(mean, log_scale, jnp.array([[0.0, -1.0, 1.0]])).sum()

    arrays = jnp.full((1, 3), mean), jnp.full((1, 3), -7.0)
    value, gradients = jax.value_and_grad(total, (0, 1))(*arrays)
    assert np.isfinite(value)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@hypothesis.given(seeds)
def test_discretised_gaussian_is_a_difference_of_scipys_distribution_function(seed):
    rng = np.random.default_rng(seed)
    mean, logvar = rng.normal(size=(2, 3, 5)) / 2
    index = rng.integers(0, 16, (3, 5))
    edges = np.concatenate([[-np.inf], (np.arange(15) + 0.5) / 7.5 - 1, [np.inf]])
    distribution = scipy.stats.norm(mean, np.exp(0.5 * logvar))
    probability = distribution.cdf(edges[index + 1]) - distribution.cdf(edges[index])
    arrays = (jnp.array(a, jnp.float32) for a in (mean, logvar, index / 7.5 - 1))
    value = dz.discretized_gaussian_nll(*arrays, num_levels=16)
    np.testing.assert_allclose(value, -np.log(probability).sum(axis=1), rtol=1e-4)


def test_discretised_gaussian_has_256_levels_in_minus_one_to_one_by_default():
    arrays = jnp.array([[0.1]]), jnp.array([[-4.0]]), jnp.array([[1 / 255]])
    expected = dz.discretized_gaussian_nll(*arrays, num_levels=256, value_range=(-1.0, 1.0))
    np.testing.assert_array_equal(dz.discretized_gaussian_nll(*arrays), expected)
    density = scipy.stats.norm.logpdf(1 / 255, 0.1, np.exp(-2.0))
    np.testing.assert_allclose(expected, -density - np.log(2 / 255), rtol=1e-3)


@pytest.mark.parametrize(("mean", "logvar"), [(-40.0, -6.0), (40.0, -6.0), (0.0, -18.0), (0.0, 8.0)])
def test_discretised_gaussian_is_finite_far_from_the_target_and_for_narrow_densities(mean, logvar):
    def total(mean, logvar):
        return dz.discretized_gaussian_nll(mean, logvar, jnp.array([[0.0, -1.0, 1.0]])).sum()

    value, gradients = jax.value_and_grad(total, (0, 1))(jnp.full((1, 3), mean), jnp.full((1, 3), logvar))
    assert np.isfinite(value)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
