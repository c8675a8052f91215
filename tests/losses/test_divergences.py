"""Divergences of a finite table: closed forms, the bound of f-GAN and where it is tight, conjugates by search."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.losses import divergences
from jaxgen.losses.divergences import DIVERGENCES
from jaxgen.losses.transport import earth_movers_distance
from tests.losses.finite import jsd, kl, p, q

# f of p / q, and the best output f'(p / q), written out.
WANTED = {
    "kl": (kl(p, q), 1 + np.log(p / q)),
    "reverse_kl": (kl(q, p), -q / p),
    "pearson": (float(((p - q) ** 2 / q).sum()), 2 * (p / q - 1)),
    "hellinger": (float(((np.sqrt(p) - np.sqrt(q)) ** 2).sum()), 1 - np.sqrt(q / p)),
    "jensen_shannon": (2 * jsd(p, q), np.log(2 * p / (p + q))),
    "gan": (2 * jsd(p, q) - np.log(4), np.log(p / (p + q))),
}
VALUE_AT_EQUALITY = {name: -np.log(4) if name == "gan" else 0.0 for name in DIVERGENCES}
RAW = {  # the scores v with g(v) = f'(p / q)
    "kl": 1 + np.log(p / q),
    "reverse_kl": np.log(p / q),
    "pearson": 2 * (p / q - 1),
    "hellinger": np.log(p / q) / 2,
    "jensen_shannon": np.log(p / q),
    "gan": np.log(p / q),
}
P, Q = jnp.asarray(p, jnp.float32), jnp.asarray(q, jnp.float32)
every = pytest.mark.parametrize("name", DIVERGENCES)


def bound(name, scores):
    """E_p[g(v)] - E_q[f*(g(v))], from the loss of pairs of equal symbols."""
    one = DIVERGENCES[name]
    return (P * one.activation(scores) - Q * one.composed(scores)).sum()


@every
def test_a_finite_divergence_has_its_closed_form_and_is_least_for_equal_distributions(name):
    one = DIVERGENCES[name]
    assert divergences.f_divergence(P, Q, one) == pytest.approx(WANTED[name][0], abs=1e-5)
    assert divergences.f_divergence(P, P, one) == pytest.approx(VALUE_AT_EQUALITY[name], abs=1e-6)


@every
def test_the_bound_is_tight_and_stationary_at_the_best_output(name):
    best, (value, output) = jnp.asarray(RAW[name], jnp.float32), WANTED[name]
    np.testing.assert_allclose(DIVERGENCES[name].activation(best), output, rtol=1e-5, atol=1e-6)
    found, slope = jax.value_and_grad(lambda scores: bound(name, scores))(best)
    assert found == pytest.approx(value, abs=1e-5)
    np.testing.assert_allclose(slope, np.zeros(4), atol=1e-6)


@every
def test_the_bound_holds_for_all_scores(name):
    scores = 2 * jax.random.normal(jax.random.key(0), (200, 4))
    assert jax.vmap(lambda one: bound(name, one))(scores).max() <= WANTED[name][0] + 1e-5


@every
def test_the_conjugate_is_the_supremum_over_ratios(name):
    """sup over u of t u - f(u) on a fine grid, for outputs of scores from -1.5 to 1.5."""
    one, u = DIVERGENCES[name], jnp.exp(jnp.linspace(-9.0, 9.0, 20_001))
    scores = jnp.linspace(-1.5, 1.5, 7)
    outputs = one.activation(scores)
    found = (outputs[:, None] * u[None] - one.function(u)[None]).max(axis=1)
    np.testing.assert_allclose(found, one.conjugate(outputs), atol=2e-4)
    np.testing.assert_allclose(one.composed(scores), one.conjugate(outputs), rtol=1e-4, atol=1e-6)


@every
def test_the_losses_are_the_bounds_negatives_and_the_probability_that_of_the_ratio(name):
    one, scores = DIVERGENCES[name], jnp.asarray(RAW[name], jnp.float32)
    pairs = divergences.f_gan_discriminator(scores, scores[::-1], one)
    np.testing.assert_allclose(pairs, one.conjugate(one.activation(scores))[::-1] - one.activation(scores), rtol=1e-4)
    zero_sum = divergences.f_gan_generator(scores, one, saturating=True)
    np.testing.assert_allclose(zero_sum, -one.composed(scores), rtol=1e-6)
    np.testing.assert_allclose(divergences.f_gan_generator(scores, one), -one.activation(scores), rtol=1e-6)
    np.testing.assert_allclose(one.probability(scores), p / (p + q), rtol=1e-5)


def test_exponentials_are_linear_from_sixty_on():
    one = DIVERGENCES["kl"]
    value, slope = jax.value_and_grad(lambda v: one.composed(v))(jnp.float32(1000.0))
    assert value == pytest.approx(np.exp(60.0) * 940, rel=1e-4) and slope == pytest.approx(np.exp(60.0), rel=1e-4)
    assert one.composed(jnp.float32(41.0)) == pytest.approx(np.exp(40.0), rel=1e-5)


def test_divergences_of_finite_distributions_beside_the_earth_movers_distance():
    """(3, 2, 1, 4) / 10 and (1, 2, 4, 3) / 10: half a unit of work, three tenths of the mass elsewhere."""
    assert earth_movers_distance(P, Q) == pytest.approx(0.5)
    assert divergences.total_variation_distance(P, Q) == pytest.approx(0.3)
    assert divergences.kl_divergence(P, Q) == pytest.approx(kl(p, q), rel=1e-5)
    assert divergences.jensen_shannon_divergence(P, Q) == pytest.approx(jsd(p, q), rel=1e-5)
    np.testing.assert_allclose(
        divergences.jensen_shannon_divergence(Q, P), divergences.jensen_shannon_divergence(P, Q), rtol=1e-6
    )


def test_distributions_that_share_nothing_are_equally_far_however_far_they_lie():
    """All but the earth mover's distance, which is their shift, and KL, which is infinite."""
    places = jnp.eye(5)
    first = jnp.tile(places[:1], (4, 1))
    np.testing.assert_allclose(divergences.total_variation_distance(first, places[1:]), np.ones(4))
    np.testing.assert_allclose(divergences.jensen_shannon_divergence(first, places[1:]), np.full(4, np.log(2)))
    np.testing.assert_array_equal(divergences.kl_divergence(first, places[1:]), np.full(4, np.inf))
    np.testing.assert_allclose(earth_movers_distance(first, places[1:]), np.arange(1.0, 5.0))
    for found in (divergences.kl_divergence, divergences.jensen_shannon_divergence):
        assert found(places[0], places[0]) == 0


def test_nothing_where_neither_has_mass_and_no_number_where_the_model_alone_has_none():
    """f of a ratio with 0 below: only the limit would be known."""
    pearson = DIVERGENCES["pearson"]
    wider = [jnp.concatenate([each, jnp.zeros(1)]) for each in (P, Q)]
    assert divergences.f_divergence(*wider, pearson) == pytest.approx(WANTED["pearson"][0], rel=1e-5)
    assert not jnp.isfinite(divergences.f_divergence(jnp.array([0.5, 0.5]), jnp.array([1.0, 0.0]), pearson))
