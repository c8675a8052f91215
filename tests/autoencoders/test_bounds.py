"""Laws of the bounds. The exact model: x = w z + N(0, s^2), z ~ N(0, 1), whose evidence and posterior are Gaussians."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxgen.autoencoders import bounds
from jaxgen.autoencoders.bounds import ELBO, Capacity, Diagonal, ImportanceWeighted, Terms
from jaxgen.losses.likelihoods import gaussian_nll

W, S = 1.5, 0.7
X = np.array([-2.0, 0.3, 1.7])
LOG_EVIDENCE = stats.norm(0, math.hypot(W, S)).logpdf(X)
POSTERIOR = Diagonal(
    jnp.asarray(W * X / (W**2 + S**2), jnp.float32)[:, None],
    jnp.full((3, 1), math.log(S**2 / (W**2 + S**2)), jnp.float32),
)
WRONG = Diagonal(POSTERIOR.mean + 0.4, POSTERIOR.logvar + 0.8)


@jax.jit
def terms_of(q, noise):
    """The terms of the linear model for q and noise (3, K, 1)."""
    latents = bounds.reparametrize(q, noise)
    targets = jnp.asarray(X, jnp.float32)[:, None]
    nll = jax.vmap(lambda z: gaussian_nll(W * z, 2 * math.log(S), targets), 1, 1)(latents)
    prior = bounds.standard_normal(q.mean)
    return Terms(nll, bounds.log_ratio(q, prior, latents), bounds.kl_of_each_latent(q, prior))


def noise(num, seed=0):
    return jax.random.normal(jax.random.key(seed), (3, num, 1))


def random_terms(batch=6, samples=4, latent=3):
    keys = jax.random.split(jax.random.key(5), 3)
    return Terms(
        100 + jax.random.normal(keys[0], (batch, samples)),
        jax.random.normal(keys[1], (batch, samples)),
        jax.random.uniform(keys[2], (batch, latent)),
    )


compiled_loss = jax.jit(bounds.objective_loss, static_argnums=0)


def loss_of(objective, terms, step=0):
    return compiled_loss(objective, terms, jnp.int32(step))


def test_reparametrised_latents_have_the_posteriors_mean_and_variance():
    latents = np.asarray(bounds.reparametrize(WRONG, noise(20_000))[..., 0])
    std = np.exp(np.asarray(WRONG.logvar) / 2)[:, 0]
    np.testing.assert_allclose(latents.mean(1), WRONG.mean[:, 0], atol=4 * std.max() / math.sqrt(20_000))
    np.testing.assert_allclose(latents.var(1), std**2, rtol=4 * math.sqrt(2 / 20_000))


def test_noise_of_zero_is_the_mean_and_of_one_a_deviation_above_it():
    q = Diagonal(jnp.array([[1.0, 2.0]]), jnp.log(jnp.array([[4.0, 9.0]])))
    latents = bounds.reparametrize(q, jnp.array([[[0.0, 0.0], [1.0, -1.0]]]))
    np.testing.assert_allclose(latents, [[[1.0, 2.0], [3.0, -1.0]]], rtol=1e-6)


def test_log_ratio_is_the_difference_of_scipys_log_densities():
    latents = bounds.reparametrize(WRONG, noise(5))
    prior = Diagonal(jnp.full((3, 1), 0.2), jnp.full((3, 1), -0.3))
    z, std = np.asarray(latents)[..., 0], np.exp(np.asarray(WRONG.logvar) / 2)
    wanted = stats.norm(0.2, math.exp(-0.15)).logpdf(z) - stats.norm(np.asarray(WRONG.mean), std).logpdf(z)
    np.testing.assert_allclose(bounds.log_ratio(WRONG, prior, latents), wanted, atol=1e-5)


def test_the_divergence_of_each_latent_has_its_golden_value():
    """((0.5^2 + 1 - 1 - 0) / 2, (1 + e^0.7 - 1 - 0.7) / 2)."""
    q = Diagonal(jnp.array([[0.5, -1.0]]), jnp.array([[0.0, 0.7]]))
    kl = bounds.kl_of_each_latent(q, bounds.standard_normal(q.mean))
    np.testing.assert_allclose(kl, [[0.125, (math.exp(0.7) - 0.7) / 2]], rtol=1e-6)
    assert kl.sum() == pytest.approx(0.7818763537, rel=1e-6)


def test_a_posterior_equal_to_its_prior_has_no_divergence_and_no_gradient():
    prior = Diagonal(jnp.array([[0.3, -1.0]]), jnp.array([[0.4, -2.0]]))
    kl, gradient = jax.value_and_grad(lambda q: bounds.kl_of_each_latent(q, prior).sum())(prior)
    assert kl == 0
    np.testing.assert_allclose(jax.tree.leaves(gradient), 0, atol=1e-6)


def test_at_the_exact_posterior_every_weight_is_the_evidence():
    terms = terms_of(POSTERIOR, noise(50))
    np.testing.assert_allclose(terms.log_ratio - terms.nll, np.tile(LOG_EVIDENCE[:, None], 50), atol=1e-5)


def test_the_elbo_is_the_evidence_less_the_divergence_from_the_exact_posterior():
    """E[-log p(x|z)] in closed form: the mean of (x - w z)^2 over z from q."""
    for q in (POSTERIOR, WRONG):
        mean, variance = (np.asarray(part)[:, 0] for part in (q.mean, jnp.exp(q.logvar)))
        nll = 0.5 * math.log(2 * math.pi * S**2) + ((X - W * mean) ** 2 + W**2 * variance) / (2 * S**2)
        elbo = -nll - np.asarray(bounds.kl_of_each_latent(q, bounds.standard_normal(q.mean)))[:, 0]
        gap = np.asarray(bounds.kl_of_each_latent(q, POSTERIOR))[:, 0]
        np.testing.assert_allclose(elbo, LOG_EVIDENCE - gap, atol=1e-5)
        sampled = terms_of(q, noise(20_000)).nll.mean(1)
        np.testing.assert_allclose(sampled, nll, atol=4 * 3 / math.sqrt(20_000))


def test_the_importance_weighted_bound_rises_with_its_samples_to_the_evidence():
    found = []
    for num in (1, 4, 32):
        log_weights = terms_of(WRONG, noise(num * 4_000, seed=num))
        log_weights = (log_weights.log_ratio - log_weights.nll).reshape(3 * 4_000, num)
        bound = special.logsumexp(np.asarray(log_weights), axis=1) - math.log(num)
        found.append(np.asarray(bound).reshape(3, 4_000).mean(1))
    first, second, third = found
    assert (first + 0.03 < second).all() and (second + 0.01 < third).all()
    assert (third < LOG_EVIDENCE).all()
    np.testing.assert_allclose(third, LOG_EVIDENCE, atol=0.05)


def test_plain_elbo_of_one_sample_is_the_bound_of_one_weight_in_expectation():
    """With the divergence sampled in place of its closed form."""
    terms = terms_of(WRONG, noise(50_000))
    sampled = -(terms.log_ratio - terms.nll).mean(1)
    closed = terms.nll.mean(1) + terms.kl.sum(1)
    np.testing.assert_allclose(sampled, closed, atol=0.05)


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_beta_weighs_the_divergence_and_one_is_the_elbo(beta):
    terms = random_terms()
    loss, metrics = loss_of(ELBO(beta), terms)
    nll, kl = float(terms.nll.mean()), float(terms.kl.sum(1).mean())
    assert loss == pytest.approx(nll + beta * kl, rel=1e-6)
    assert metrics["elbo"] == pytest.approx(-(nll + kl), rel=1e-6)
    assert metrics["reconstruction"] == pytest.approx(nll, rel=1e-6)
    assert metrics["kl"] == pytest.approx(kl, rel=1e-6)


@pytest.mark.parametrize(("step", "weight"), [(0, 0.0), (5, 1.0), (10, 2.0), (99, 2.0)])
def test_warm_up_raises_the_weight_linearly(step, weight):
    terms = random_terms()
    loss, _ = loss_of(ELBO(beta=2.0, warm_up=10), terms, step)
    assert loss == pytest.approx(float(terms.nll.mean() + weight * terms.kl.sum(1).mean()), rel=1e-6)


def test_free_bits_leave_latents_below_them_alone():
    terms = random_terms()._replace(kl=jnp.array([[0.1, 3.0], [0.3, 1.0]]), nll=jnp.zeros((2, 1)))
    loss, _ = loss_of(ELBO(free_bits=0.5), terms)
    assert loss == pytest.approx(0.5 + 2.0, rel=1e-6)
    gradient = jax.grad(lambda kl: loss_of(ELBO(free_bits=0.5), terms._replace(kl=kl))[0])(terms.kl)
    np.testing.assert_allclose(gradient, [[0.0, 0.5], [0.0, 0.5]])


def test_free_bits_compare_means_over_all_devices():
    kl = jnp.array([[0.0, 3.0], [0.4, 1.0], [0.8, 0.2], [0.0, 0.2]])
    terms = Terms(jnp.zeros((4, 1)), jnp.zeros((4, 1)), kl)
    shards = jax.tree.map(lambda leaf: leaf.reshape(2, 2, *leaf.shape[1:]), terms)
    of_shard = jax.vmap(
        lambda terms: bounds.objective_loss(ELBO(free_bits=0.5), terms, jnp.int32(0), "shards")[0], axis_name="shards"
    )
    np.testing.assert_allclose(of_shard(shards).mean(), loss_of(ELBO(free_bits=0.5), terms)[0], rtol=1e-6)
    assert loss_of(ELBO(free_bits=0.5), terms)[0] == pytest.approx(0.5 + 1.1, rel=1e-6)


def test_capacity_has_its_golden_value_and_rises():
    """gamma 1000, C 5, KL 3.2: 1800."""
    terms = Terms(jnp.zeros((1, 1)), jnp.zeros((1, 1)), jnp.array([[3.0, 0.2]]))
    objective = Capacity(1_000.0, 25.0, steps=100)
    for step, wanted in ((20, 1_800.0), (0, 3_200.0), (1_000, 21_800.0)):
        assert loss_of(objective, terms, step)[0] == pytest.approx(wanted, rel=1e-6)


def test_importance_weighted_loss_is_the_log_mean_of_the_weights():
    terms = random_terms()
    log_weights = np.asarray(terms.log_ratio - terms.nll, np.float64)
    wanted = -np.log(np.exp(log_weights + 100).mean(1)).mean() + 100
    assert loss_of(ImportanceWeighted(4), terms)[0] == pytest.approx(wanted, rel=1e-6)


def test_losses_do_not_depend_on_the_order_of_the_batch():
    terms = random_terms()
    turned = jax.tree.map(lambda leaf: leaf[::-1], terms)
    for objective in (ELBO(2.0), ELBO(free_bits=0.5), Capacity(), ImportanceWeighted(4)):
        np.testing.assert_allclose(loss_of(objective, terms)[0], loss_of(objective, turned)[0], rtol=1e-5)


def test_streamed_evidence_is_that_of_all_weights_at_once():
    def drawn(key, num):
        return terms_of(WRONG, jax.random.normal(key, (3, num, 1)))

    found = jax.jit(lambda key: bounds.evidence(drawn, key, num_samples=12, chunk=4))(jax.random.key(0))
    chunks = [drawn(key, 4) for key in jax.random.split(jax.random.key(0), 3)]
    nll = np.concatenate([terms.nll for terms in chunks], axis=1)
    log_weights = np.concatenate([terms.log_ratio for terms in chunks], axis=1) - nll
    np.testing.assert_allclose(found.nll, nll.mean(1), rtol=1e-5)
    np.testing.assert_allclose(found.kl, chunks[0].kl.sum(1), rtol=1e-6)
    np.testing.assert_allclose(found.log_evidence, np.log(np.exp(log_weights).mean(1)), rtol=1e-5)


def test_a_number_of_samples_that_the_chunk_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="num_samples is 10, but must be a multiple of the chunk, 4"):
        bounds.evidence(lambda key, num: terms_of(WRONG, noise(num)), jax.random.key(0), 10, 4)


def test_log_variances_far_out_are_clipped():
    q = bounds.diagonal(jnp.array([[[1.0, 1e6], [2.0, -1e6], [3.0, 0.5]]]))
    np.testing.assert_array_equal(q.mean, [[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(q.logvar, [[20.0, -30.0, 0.5]])
    prior = bounds.standard_normal(q.mean)
    assert np.isfinite(bounds.kl_of_each_latent(q, prior)).all()
    assert np.isfinite(bounds.log_ratio(q, prior, bounds.reparametrize(q, jnp.ones((1, 2, 3))))).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: ELBO(beta=-1.0),
        lambda: ELBO(free_bits=-1.0),
        lambda: ELBO(warm_up=-1),
        lambda: ELBO(num_samples=0),
        lambda: Capacity(gamma=-1.0),
        lambda: Capacity(capacity=-1.0),
        lambda: Capacity(steps=0),
        lambda: Capacity(num_samples=0),
        lambda: ImportanceWeighted(0),
    ],
)
def test_settings_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="but must be"):
        make()
