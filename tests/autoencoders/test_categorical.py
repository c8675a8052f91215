"""Categorical draws and their relaxation: golden values, laws of the Gumbel distribution, SciPy."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy, gumbel_r, kstest, norm

from jaxgen.autoencoders import categorical
from jaxgen.autoencoders.categorical import AnnealedTemperature, Codes, ConstantTemperature

LOGITS = jnp.array([[1.0, 0.0, -1.0]])
NOISE = jnp.array([[[0.1, 0.7, 0.3]]])
KEY = jax.random.key(0)
MANY = categorical.gumbel(jax.random.normal(KEY, (1, 20_000, 3)))
TEMPERATURES = pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])


@pytest.mark.parametrize(
    ("temperature", "wanted"),
    [(1.0, [0.54477538, 0.36517386, 0.09005076]), (0.5, [0.67720731, 0.30428886, 0.01850382])],
)
def test_relaxed_draws_are_the_golden_ones(temperature, wanted):
    np.testing.assert_allclose(categorical.relaxed(LOGITS, NOISE, temperature)[0, 0], wanted, rtol=1e-6)


def test_noise_is_of_the_gumbel_distribution_at_both_ends():
    values = np.asarray(MANY).ravel()
    assert kstest(values, gumbel_r.cdf).pvalue > 0.01
    ends = np.array([-12.0, -5.0, 0.0, 5.0, 9.0])
    wanted = -np.log(-norm.logcdf(ends))
    found = categorical.gumbel(jnp.asarray(ends, jnp.float32))
    np.testing.assert_allclose(found, wanted, rtol=5e-3)  # at 5, log u is that of the float32 next to 1 - 2.9e-7


@TEMPERATURES
def test_the_largest_entry_is_a_draw_of_the_distribution_at_every_temperature(temperature):
    rows = categorical.relaxed(LOGITS, MANY, temperature)
    np.testing.assert_allclose(rows.sum(axis=2), 1.0, rtol=1e-5)
    share, wanted = np.bincount(np.asarray(rows[0]).argmax(axis=1), minlength=3) / 20_000, softmax(LOGITS[0])
    assert (np.abs(share - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / 20_000)).all()
    np.testing.assert_array_equal(categorical.hard(rows), categorical.exact(LOGITS, MANY))


def test_a_constant_added_to_the_logits_changes_nothing():
    for function in (categorical.uniform_kl, lambda logits: categorical.relaxed(logits, MANY[:, :50], 0.7)):
        np.testing.assert_allclose(function(LOGITS + 3.0), function(LOGITS), atol=1e-5)
    choices = categorical.exact(LOGITS, MANY[:, :50])
    np.testing.assert_allclose(
        categorical.log_probability(LOGITS + 3.0, choices), categorical.log_probability(LOGITS, choices), atol=1e-5
    )


def test_cold_draws_are_one_hot_and_hot_ones_uniform():
    few = MANY[:, :200]
    np.testing.assert_allclose(categorical.relaxed(LOGITS, few, 1e-5), categorical.exact(LOGITS, few), atol=1e-6)
    np.testing.assert_allclose(categorical.relaxed(LOGITS, few, 1e6), 1 / 3, atol=1e-5)


def test_of_equal_values_one_is_chosen():
    np.testing.assert_array_equal(categorical.hard(jnp.array([[[0.4, 0.4, 0.2]]])), [[[1.0, 0.0, 0.0]]])


def test_straight_through_is_hard_with_the_gradient_of_the_relaxed_draw():
    weights = jnp.array([[[0.3, -1.0, 2.0]]])

    def value(logits, change):
        return (change(categorical.relaxed(logits, NOISE, 0.5)) * weights).sum()

    rows = categorical.relaxed(LOGITS, MANY, 0.5)
    np.testing.assert_array_equal(categorical.straight_through(rows), categorical.hard(rows))
    found, wanted = (jax.grad(value)(LOGITS, change) for change in (categorical.straight_through, lambda rows: rows))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert (np.abs(wanted) > 1e-3).all()


def test_divergence_and_log_probabilities_are_scipys():
    logits = 3.0 * jax.random.normal(KEY, (50, 4))
    q = softmax(np.asarray(logits, np.float64), axis=1)
    np.testing.assert_allclose(
        categorical.uniform_kl(logits), entropy(q.T, np.full((4, 50), 0.25)), rtol=1e-4, atol=1e-6
    )
    choices = jnp.tile(jnp.eye(4)[None], (50, 1, 1))
    np.testing.assert_allclose(categorical.log_probability(logits, choices), np.log(q), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        categorical.log_probability(logits, 0.4 * choices + 0.15), np.log(q), rtol=1e-4, atol=1e-5
    )


def test_divergence_is_zero_of_equal_logits_and_log_k_of_certain_ones_with_finite_gradients():
    logits = jnp.array([[2.0, 2.0, 2.0], [500.0, 0.0, 0.0]])
    np.testing.assert_allclose(categorical.uniform_kl(logits), [0.0, np.log(3)], atol=1e-6)
    assert np.isfinite(jax.grad(lambda logits: categorical.uniform_kl(logits).sum())(logits)).all()


def test_a_normal_number_chooses_every_category_alike_and_back():
    numbers = jnp.concatenate([jax.random.normal(KEY, (20_000,)), jnp.array([-40.0, 40.0])])
    found = np.asarray(categorical.chosen(numbers, 5))
    assert found[-2:].tolist() == [0, 4]
    np.testing.assert_allclose(np.bincount(found) / 20_002, 0.2, atol=4 * np.sqrt(0.16 / 20_000))
    every = jnp.arange(7, dtype=jnp.int32)
    np.testing.assert_array_equal(categorical.chosen(categorical.choosing(every, 7), 7), every)
    np.testing.assert_allclose(categorical.choosing(every, 7)[3], 0.0, atol=1e-6)


def test_a_latent_holds_its_categories_behind_the_continuous_numbers():
    codes = Codes(2, (3, 4))
    latents = jnp.zeros((2, 4)).at[:, 3].set(jnp.array([-9.0, 9.0]))
    changed = codes.with_first_code(latents, jnp.array([2, 0], jnp.int32))
    np.testing.assert_array_equal(changed[:, [0, 1, 3]], latents[:, [0, 1, 3]])
    first, second = codes.one_hot(changed)
    np.testing.assert_array_equal(first, np.eye(3)[[2, 0]])
    np.testing.assert_array_equal(second, np.eye(4)[[0, 3]])


def test_temperatures_follow_the_updates():
    annealed = AnnealedTemperature()
    for step, wanted in [(0, 1.0), (999, 1.0), (1_000, np.exp(-0.03)), (5_999, np.exp(-0.15)), (200_000, 0.5)]:
        assert float(annealed.at(jnp.int32(step))) == pytest.approx(wanted, rel=1e-6)
        assert float(ConstantTemperature(0.3).at(jnp.int32(step))) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("settings", "change", "said"),
    [
        (ConstantTemperature(), {"value": 0.0}, "value is 0.0, but must be above 0"),
        (AnnealedTemperature(), {"rate": -1e-5}, "rate is -1e-05, but must be at least 0"),
        (AnnealedTemperature(), {"every": 0}, "every is 0, but must be at least 1"),
        (AnnealedTemperature(), {"least": 0.0}, "least is 0.0, but must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, change, said):
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(settings, **change)
