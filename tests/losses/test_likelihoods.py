"""Likelihoods: SciPy's distributions, exact evidence of a linear Gaussian model, bounds."""

import itertools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats

from jaxgen.losses import likelihoods as lk

seeds = st.integers(0, 1000)


def normal(*shape, seed=0):
    return jnp.array(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def test_bernoulli_on_golden_logits():
    # max(l, 0) - l x + log1p(exp(-|l|)) in float64.
    with jax.enable_x64(True):
        logits, targets = jnp.array([-2.0, 1.0, 0.5]), jnp.array([0.0, 1.0, 0.3])
        golden = [0.12692801, 0.31326169, 0.82407698]
        np.testing.assert_allclose(lk.bernoulli_nll(logits, targets), golden, atol=1e-8)
        total = lk.bernoulli_nll(logits[None], targets[None])
        np.testing.assert_allclose(total, [1.2642666827], atol=1e-10)


@hypothesis.given(seeds)
def test_bernoulli_is_the_sum_of_scipys_log_probabilities(seed):
    logits = normal(3, 2, 4, seed=seed)
    targets = np.random.default_rng(seed).integers(0, 2, (3, 2, 4))
    probabilities = scipy.special.expit(np.asarray(logits, np.float64))
    expected = -scipy.stats.bernoulli.logpmf(targets, probabilities).sum(axis=(1, 2))
    value = lk.bernoulli_nll(logits, jnp.array(targets, jnp.float32))
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_bernoulli_of_a_grey_target_is_least_at_the_target_where_it_is_the_entropy():
    grey = jnp.array([[0.3]])
    logit = jnp.log(grey / (1 - grey))
    value, slope = jax.value_and_grad(lambda logit: lk.bernoulli_nll(logit, grey)[0])(logit)
    np.testing.assert_allclose(value, scipy.stats.bernoulli.entropy(0.3), rtol=1e-6)
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)


def test_confident_bernoulli_keeps_its_relative_precision():
    for logit, target in (30.0, 1.0), (-30.0, 0.0):
        value = lk.bernoulli_nll(jnp.array([[logit]]), jnp.array([[target]]))
        np.testing.assert_allclose(value, np.exp(-30.0), rtol=1e-5)


def test_gaussian_on_a_golden_point():
    # (log 2 pi - 0.5 + 0.64 e^0.5) / 2
    with jax.enable_x64(True):
        value = lk.gaussian_nll(jnp.array([0.2]), jnp.array([-0.5]), jnp.array([1.0]))
    np.testing.assert_allclose(value, 1.1965293398, atol=1e-10)


@hypothesis.given(seeds)
def test_gaussian_is_the_sum_of_scipys_log_densities(seed):
    mean, logvar, targets = normal(3, 3, 2, 4, seed=seed)
    stddev = np.exp(np.asarray(logvar) / 2)
    expected = -scipy.stats.norm.logpdf(targets, mean, stddev).sum(axis=(1, 2))
    value = lk.gaussian_nll(mean, logvar, targets)
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("logvar", [0.7, jnp.float32(0.7), jnp.full((3, 4), 0.7)])
def test_gaussian_with_a_fixed_variance_counts_it_for_every_dimension(logvar):
    mean, targets = normal(2, 3, 4)
    expected = -scipy.stats.norm.logpdf(targets, mean, np.exp(0.35)).sum(axis=1)
    np.testing.assert_allclose(lk.gaussian_nll(mean, logvar, targets), expected, rtol=1e-5)


def test_gaussian_with_variance_one_half_is_the_squared_error_and_a_constant():
    mean, targets = normal(2, 3, 4)
    constant = 4 * np.log(np.pi) / 2
    expected = ((targets - mean) ** 2).sum(axis=1) + constant
    np.testing.assert_allclose(lk.gaussian_nll(mean, np.log(0.5), targets), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("mean", "logvar", "golden"),
    [
        ([0.5, -1.0], [0.0, 0.7], 0.7818763537),
        ([0.0], [1.0], 0.35914091),  # (e - 2) / 2
        ([0.0], [-1.0], 0.18393972),  # 1 / (2 e)
        ([1.0], [0.0], 0.5),
    ],
)
def test_divergence_from_the_standard_normal_on_golden_points(mean, logvar, golden):
    with jax.enable_x64(True):
        value = lk.standard_normal_kl(jnp.array([mean]), jnp.array([logvar]))
    np.testing.assert_allclose(value, golden, atol=1e-8)


def test_divergence_of_two_gaussians_on_a_golden_point():
    rows = [[0.5, -1.0]], [[0.0, 0.7]], [[0.1, 0.2]], [[0.3, -0.4]]
    with jax.enable_x64(True):
        value = lk.gaussian_kl(*(jnp.array(row) for row in rows))
    np.testing.assert_allclose(value, 1.6058713623, atol=1e-10)


@pytest.mark.parametrize("prior", [(0.0, 0.0), (0.7, -0.5)])
def test_divergence_is_the_integral_of_its_definition(prior):
    mean, logvar = -0.4, 0.6
    normal = scipy.stats.norm

    def integrand(z):
        log_posterior = normal.logpdf(z, mean, np.exp(logvar / 2))
        return np.exp(log_posterior) * (log_posterior - normal.logpdf(z, prior[0], np.exp(prior[1] / 2)))

    expected = scipy.integrate.quad(integrand, -20, 20)[0]
    arrays = [jnp.array([[number]]) for number in (mean, logvar, *prior)]
    np.testing.assert_allclose(lk.gaussian_kl(*arrays), expected, rtol=1e-5)
    if prior == (0.0, 0.0):
        np.testing.assert_allclose(lk.standard_normal_kl(*arrays[:2]), expected, rtol=1e-5)


@hypothesis.given(seeds)
def test_divergences_are_not_negative_and_agree_on_the_standard_prior(seed):
    mean, logvar, other, others = normal(4, 3, 2, 2, seed=seed)
    value = lk.standard_normal_kl(mean, logvar)
    zero = jnp.zeros_like(mean)
    np.testing.assert_allclose(lk.gaussian_kl(mean, logvar, zero, zero), value, rtol=1e-5)
    assert (value > 0).all()
    assert (lk.gaussian_kl(mean, logvar, other, others) > 0).all()
    np.testing.assert_array_equal(lk.gaussian_kl(mean, logvar, mean, logvar), 0.0)


def test_divergence_and_its_gradient_vanish_at_the_prior():
    zero = jnp.zeros((1, 3))
    value, gradients = jax.value_and_grad(lambda mean, logvar: lk.standard_normal_kl(mean, logvar)[0], (0, 1))(
        zero, zero
    )
    np.testing.assert_array_equal(value, 0.0)
    np.testing.assert_array_equal(gradients, 0.0)


def test_divergence_near_the_prior_keeps_its_relative_precision():
    # exp(t) - 1 - t is t^2 / 2 up to t^3 / 6.
    tiny = jnp.full((1, 1), 1e-3)
    np.testing.assert_allclose(lk.standard_normal_kl(0 * tiny, tiny), 1e-6 / 4, rtol=1e-3)
    np.testing.assert_allclose(lk.gaussian_kl(tiny, tiny, tiny, 0 * tiny), 1e-6 / 4, rtol=1e-3)


def linear_gaussian(x, w=1.3, s=0.6):
    """The model x = w z + N(0, s^2), z ~ N(0, 1): its posterior and -log p(x)."""
    variance = w**2 + s**2
    posterior_mean, posterior_variance = w * x / variance, s**2 / variance
    return w, s, posterior_mean, posterior_variance, -scipy.stats.norm.logpdf(x, 0, variance**0.5)


@pytest.mark.parametrize("shift", [0.0, 0.8])
@pytest.mark.parametrize("widen", [1.0, 1.7])
def test_negative_elbo_exceeds_the_evidence_by_the_divergence_from_the_posterior(shift, widen):
    x = 0.9
    w, s, exact_mean, exact_variance, evidence = linear_gaussian(x)
    mean, variance = exact_mean + shift, exact_variance * widen
    nodes, mass = np.polynomial.hermite_e.hermegauss(20)  # exact for the quadratic below
    z = jnp.array(mean + np.sqrt(variance) * nodes, jnp.float32)
    nll = lk.gaussian_nll(w * z, 2 * np.log(s), jnp.full_like(z, x))
    expected_nll = (nll * mass).sum() / mass.sum()

    def row(number):
        return jnp.full((1, 1), number, jnp.float32)

    posterior = row(mean), row(np.log(variance))
    elbo = expected_nll + lk.standard_normal_kl(*posterior)[0]
    gap = lk.gaussian_kl(*posterior, row(exact_mean), row(np.log(exact_variance)))[0]
    np.testing.assert_allclose(elbo, evidence + gap, rtol=1e-5)
    assert (gap < 1e-6) == (shift == 0 and widen == 1)


def test_importance_weighted_bound_at_the_exact_posterior_is_the_evidence():
    x = 0.9
    w, s, mean, variance, evidence = linear_gaussian(x)
    z = np.random.default_rng(0).normal(mean, np.sqrt(variance), 7)
    log_weights = scipy.stats.norm.logpdf(x, w * z, s) + scipy.stats.norm.logpdf(z)
    log_weights -= scipy.stats.norm.logpdf(z, mean, np.sqrt(variance))
    bound = lk.importance_weighted_bound(jnp.array([log_weights], jnp.float32))
    np.testing.assert_allclose(bound, evidence, rtol=1e-5)


def test_importance_weighted_bound_falls_with_the_number_of_samples():
    # Theorem 1 of arXiv 1509.00519, exact for the average over all subsets of K weights.
    log_weights = normal(6)
    means = []
    for k in 1, 2, 4, 6:
        subsets = jnp.array(list(itertools.combinations(range(6), k)))
        means.append(float(lk.importance_weighted_bound(log_weights[subsets]).mean()))
    assert all(a > b for a, b in itertools.pairwise(means))
    np.testing.assert_allclose(means[0], -log_weights.mean(), rtol=1e-5)
    np.testing.assert_allclose(means[-1], -np.log(np.exp(log_weights).mean()), rtol=1e-5)


def test_free_bits_apply_the_minimum_to_the_mean_over_the_batch():
    kl = jnp.array([[0.0, 1.0, 0.2], [0.4, 5.0, 2.0]])  # means 0.2, 3, 1.1
    np.testing.assert_allclose(lk.free_bits(kl, 0.5), 0.5 + 3.0 + 1.1, rtol=1e-6)
    np.testing.assert_allclose(lk.free_bits(kl, 0.0), kl.mean(axis=0).sum(), rtol=1e-6)
    gradient = jax.grad(lk.free_bits)(kl, 0.5)
    np.testing.assert_allclose(gradient, [[0.0, 0.5, 0.5]] * 2)


def test_terms_of_each_latent_add_up_to_the_divergence():
    mean, logvar = normal(2, 5, 3)
    terms = jax.vmap(lk.standard_normal_kl, 1, 1)(mean, logvar)
    assert terms.shape == (5, 3)
    np.testing.assert_allclose(terms.sum(axis=1), lk.standard_normal_kl(mean, logvar), rtol=1e-5)


def test_capacity_penalty_is_the_distance_from_the_capacity():
    kl = jnp.array([3.2, 7.0])
    np.testing.assert_allclose(1000 * lk.capacity_penalty(kl, 5.0), [1800.0, 2000.0], rtol=1e-5)
    slope = jax.vmap(jax.grad(lambda kl: lk.capacity_penalty(kl[None], 5.0)[0]))(kl)
    np.testing.assert_array_equal(slope, [-1.0, 1.0])


def test_uniform_bytes_have_eight_bits_in_each_dimension():
    nats = jnp.array([12 * np.log(256.0)], jnp.float32)
    np.testing.assert_allclose(lk.bits_per_dim(nats, 12), 8.0, rtol=1e-6)


def test_bits_of_no_example_or_of_no_dimension_are_refused():
    with pytest.raises(ValueError, match=r"nll has shape \(0,\), but must hold an example"):
        lk.bits_per_dim(jnp.ones(0), 3)
    with pytest.raises(ValueError, match="num_dims is 0, but must be at least 1"):
        lk.bits_per_dim(jnp.ones(1), 0)
