"""Penalties of all latents together: Gaussians in closed form, estimates over all batches, covariances by hand."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import aggregate
from jaxgen.autoencoders.aggregate import Covariance, MeanDiscrepancy, TotalCorrelation
from jaxgen.autoencoders.bounds import Diagonal

KEYS = jax.random.split(jax.random.key(0), 4)
Q = Diagonal(jax.random.normal(KEYS[0], (6, 3)), 0.5 * jax.random.normal(KEYS[1], (6, 3)))
LATENTS = Q.mean + jnp.exp(Q.logvar / 2) * jax.random.normal(KEYS[2], (6, 3))
PRIOR = jax.random.normal(KEYS[3], (6, 3))


def densities(mean, logvar, latents):
    """N(z_j; mean_j, exp(logvar_j)) in float64, (latents, images, dimensions)."""
    mean, logvar, latents = (np.asarray(value, np.float64) for value in (mean, logvar, latents))
    squared = (latents[:, None] - mean[None]) ** 2 / np.exp(logvar)
    return np.exp(-squared / 2) / np.sqrt(2 * np.pi * np.exp(logvar))


def test_densities_of_each_latent_under_each_posterior_are_numpys():
    wanted = np.log(densities(*Q, LATENTS))
    np.testing.assert_allclose(aggregate.log_densities(Q, LATENTS), wanted, rtol=1e-4, atol=1e-5)


def test_total_correlation_of_correlated_gaussians_is_that_in_closed_form():
    """z ~ N(m, s^2 I), m ~ N(0, S): sum of log variances less log det, halved; the estimate off by (d - 1) log N."""
    num, noise = 1_500, 0.3
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    key_mean, key_noise = jax.random.split(jax.random.key(5))
    mean = jax.random.normal(key_mean, (num, 2)) @ jnp.asarray(np.linalg.cholesky(covariance).T, jnp.float32)
    q = Diagonal(mean, jnp.full((num, 2), 2 * math.log(noise)))
    latents = mean + noise * jax.random.normal(key_noise, (num, 2))
    whole = covariance + noise**2 * np.eye(2)
    wanted = (np.log(np.diag(whole)).sum() - np.linalg.slogdet(whole)[1]) / 2
    settings = TotalCorrelation(num_examples=num)
    found = jax.jit(functools.partial(aggregate.total_correlation, settings))(q, latents)
    assert float(found) - math.log(num) == pytest.approx(wanted, abs=0.06)


def test_total_correlation_of_one_latent_is_0_and_of_one_posterior_for_all_images_its_constant():
    settings = TotalCorrelation(num_examples=50)
    one = Diagonal(Q.mean[:, :1], Q.logvar[:, :1])
    assert aggregate.total_correlation(settings, one, LATENTS[:, :1]) == pytest.approx(0.0, abs=1e-5)
    same = Diagonal(*(jnp.broadcast_to(value[:1], value.shape) for value in Q))
    assert aggregate.total_correlation(settings, same, LATENTS) == pytest.approx(2 * math.log(50), rel=1e-5)
    unbiased = TotalCorrelation(num_examples=50, stratified=True)
    assert aggregate.total_correlation(unbiased, same, LATENTS) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("num", [2, 3, 4])
def test_stratified_weights_sum_to_1_and_are_right_on_average_over_all_batches(num):
    """Of four images, with the latent of one: the mean over batches of the others is q(z) of the whole set."""
    settings = TotalCorrelation(num_examples=4, stratified=True)
    weights = np.exp(np.asarray(aggregate.log_weights(settings, num)))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(np.diag(weights), 1 / 4)
    known = densities(Q.mean[:4], Q.logvar[:4], LATENTS[:1]).prod(axis=2)[0]
    batches = [(0, *others) for others in itertools.permutations((1, 2, 3), num - 1)]
    estimates = [known[list(batch)] @ weights[0] for batch in batches]
    assert np.mean(estimates) == pytest.approx(known.mean(), rel=1e-5)


def test_weighted_sampling_of_the_whole_set_is_off_by_a_constant():
    settings = TotalCorrelation(num_examples=6)
    found = aggregate.mixture(aggregate.log_densities(Q, LATENTS).sum(axis=2), aggregate.log_weights(settings, 6))
    wanted = np.log(densities(*Q, LATENTS).prod(axis=2).mean(axis=1)) - np.log(6)
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_number_of_examples_changes_no_gradient_of_weighted_sampling():
    def gradient(num):
        loss = functools.partial(aggregate.total_correlation, TotalCorrelation(num_examples=num))
        return jax.grad(lambda mean: loss(Diagonal(mean, Q.logvar), LATENTS))(Q.mean)

    np.testing.assert_allclose(gradient(10), gradient(1_000), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("num", [1, 6])
def test_a_batch_of_one_or_of_more_than_the_set_is_refused(num):
    with pytest.raises(ValueError, match=rf"batch is {num}, but must be of 2 to the 5 images of num_examples"):
        aggregate.log_weights(TotalCorrelation(num_examples=5), num)


@pytest.mark.parametrize(("settings", "wanted"), [(Covariance(10.0, 100.0), 50.8), (Covariance(10.0, 10.0), 5.8)])
def test_penalty_of_a_covariance_by_hand(settings, wanted):
    """10 (0.2^2 + 0.2^2) + b (0.5^2 + 0.5^2)."""
    weights = {"off_diagonal": settings.off_diagonal, "diagonal": settings.diagonal}
    found = aggregate.covariance_penalty(jnp.array([[1.5, 0.2], [0.2, 0.5]]), **weights)
    assert found == pytest.approx(wanted, rel=1e-5)


def test_covariances_are_numpys_and_of_latents_that_of_the_mixture():
    found = aggregate.covariance_of(Q, of_latents=False)
    np.testing.assert_allclose(found, np.cov(Q.mean.T, bias=True), atol=1e-5)
    more = aggregate.covariance_of(Q, of_latents=True) - found
    np.testing.assert_allclose(more, np.diag(np.exp(Q.logvar).mean(axis=0)), atol=1e-5)


def test_whitened_codes_and_the_prior_cost_nothing():
    """Type I where the means are white; type II where q(z|x) is the prior, which costs d b of type I."""
    centred = np.asarray(Q.mean - Q.mean.mean(axis=0, keepdims=True), np.float64)
    white = centred @ np.linalg.inv(np.linalg.cholesky(centred.T @ centred / 6)).T
    means = Diagonal(jnp.asarray(white, jnp.float32), Q.logvar)
    loss, value = aggregate.penalty_loss(Covariance(), means, LATENTS, PRIOR)
    np.testing.assert_allclose([loss, value], 0.0, atol=1e-4)
    prior = Diagonal(jnp.zeros((6, 3)), jnp.zeros((6, 3)))
    assert aggregate.penalty_loss(Covariance(of_latents=True), prior, LATENTS, PRIOR)[0] == 0.0
    assert aggregate.penalty_loss(Covariance(), prior, LATENTS, PRIOR)[0] == pytest.approx(3 * 100.0)


def test_discrepancy_of_two_by_two_latents_and_of_the_same_ones():
    """{(0, 0), (1, 0)} and {(0, 1), (1, 1)}: 1 - e^{-1/2} with d = 2."""
    one = jnp.array([[0.0, 0], [1, 0]])
    assert aggregate.mean_discrepancy(one + jnp.array([[0.0, 1]]), one) == pytest.approx(1 - math.exp(-0.5), rel=1e-5)
    assert aggregate.mean_discrepancy(one, one[::-1]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("penalty", [MeanDiscrepancy(2.0), TotalCorrelation(2.0), Covariance(2.0, 2.0)])
def test_weights_multiply_the_value_and_devices_see_the_whole_batch(penalty):
    loss, value = aggregate.penalty_loss(penalty, Q, LATENTS, PRIOR)
    assert loss == pytest.approx(2 * float(value), rel=1e-5)
    shared = jax.tree.map(lambda leaf: leaf.reshape(2, 3, 3), (Q, LATENTS, PRIOR))
    of_devices = jax.vmap(lambda some: aggregate.penalty_loss(penalty, *some, "i")[0], axis_name="i")(shared)
    np.testing.assert_allclose(of_devices, loss, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MeanDiscrepancy(-1.0), "weight is -1.0, but must be at least 0"),
        (lambda: TotalCorrelation(weight=-1.0), "weight is -1.0, but must be at least 0"),
        (lambda: TotalCorrelation(num_examples=0), "num_examples is 0, but must be at least 1"),
        (lambda: Covariance(off_diagonal=-1.0), "off_diagonal is -1.0, but must be at least 0"),
        (lambda: Covariance(diagonal=-1.0), "diagonal is -1.0, but must be at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
