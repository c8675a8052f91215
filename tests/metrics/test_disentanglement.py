"""Codes of known factors: perfect ones, copies, mixtures, noise; against scikit-learn where it has the formula."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from jaxgen import metrics

SIZES = (3, 6, 8)
NUM = 4_000
FACTORS = np.stack([np.random.default_rng(size).integers(0, size, NUM) for size in SIZES], axis=1).astype(np.int32)
PERFECT = FACTORS.astype(np.float32)
NOISE = np.random.default_rng(1).normal(size=(NUM, 4)).astype(np.float32)
MIXED = (PERFECT @ np.random.default_rng(2).normal(size=(3, 3))).astype(np.float32)
COPIED = np.concatenate([PERFECT, PERFECT], axis=1)

information = jax.jit(functools.partial(metrics.mutual_information, num_values=SIZES))
gap = jax.jit(functools.partial(metrics.mutual_information_gap, num_values=SIZES))
score = jax.jit(functools.partial(metrics.factor_vae_score, num_votes=(400, 400), size=32))
squares = jax.jit(metrics.squared_correlations)
KEY = jax.random.key(0)


def bins_of(code, num=20):
    return np.digitize(code, np.histogram(code, num)[1][:-1]) - 1


def test_information_is_that_of_scikit_learn_in_bins_of_numpy():
    found = information(MIXED, FACTORS)
    wanted = [[mutual_info_score(factor, bins_of(code)) for factor in FACTORS.T] for code in MIXED.T]
    np.testing.assert_allclose(found, wanted, atol=2e-4)


def test_information_of_a_perfect_code_is_the_entropy_and_of_noise_its_bias():
    found = information(np.concatenate([PERFECT, NOISE, np.ones_like(NOISE[:, :1])], axis=1), FACTORS)
    counts = [np.bincount(factor) / NUM for factor in FACTORS.T]
    np.testing.assert_allclose(np.diag(found[:3]), [-(p * np.log(p)).sum() for p in counts], rtol=1e-4)
    bias = np.array([19 * (size - 1) / (2 * NUM) for size in SIZES])  # chi^2 of independent counts
    assert (np.abs(np.asarray(found[3:7]) - bias) < 1.2 * bias).all()
    np.testing.assert_allclose(found[7], 0.0, atol=1e-6)


def test_gap_is_1_of_a_perfect_code_and_0_of_copies_and_noise():
    assert gap(PERFECT, FACTORS) == pytest.approx(1.0, abs=0.03)
    assert gap(COPIED, FACTORS) == pytest.approx(0.0, abs=1e-5)
    assert gap(NOISE, FACTORS) < 0.02
    assert gap(PERFECT[:, :1], FACTORS[:, :1].repeat(3, axis=1)) == pytest.approx(1.0, abs=1e-4)  # a single code


def test_gap_leaves_a_factor_out_that_does_not_vary():
    factors = np.concatenate([FACTORS[:, :2], np.zeros_like(FACTORS[:, :1])], axis=1)
    both = metrics.mutual_information_gap(*map(jnp.asarray, (PERFECT[:, :2], FACTORS[:, :2])), num_values=SIZES[:2])
    assert gap(PERFECT[:, :2], factors) == pytest.approx(float(both), abs=1e-6)


@pytest.mark.parametrize("codes", [PERFECT, MIXED], ids=["perfect", "mixed"])
def test_order_scale_and_place_of_codes_change_nothing(codes):
    other = np.ascontiguousarray(codes[:, ::-1]) * 4 + 8  # powers of two: the same bins
    np.testing.assert_allclose(gap(other, FACTORS), gap(codes, FACTORS), atol=2e-3)
    np.testing.assert_allclose(squares(other, FACTORS), squares(codes, FACTORS)[::-1], atol=1e-4)


def test_votes_find_the_factor_of_a_perfect_code_and_that_of_noise_by_chance():
    assert score(PERFECT, FACTORS, KEY) == 1.0
    assert score(COPIED, FACTORS, KEY) == 1.0
    assert score(NOISE, FACTORS, KEY) == pytest.approx(1 / 3, abs=4 * math.sqrt(2 / 9 / 400) + 0.05)


def test_a_code_that_hardly_varies_has_no_vote():
    quiet = np.concatenate([1e-3 * NOISE[:, :1], PERFECT], axis=1)
    assert score(quiet, FACTORS, KEY) == 1.0
    assert score(1e-3 * NOISE, FACTORS, KEY) == 0.0


def test_squared_correlations_are_numpys():
    wanted = np.corrcoef(MIXED.T, FACTORS.T)[:3, 3:] ** 2
    np.testing.assert_allclose(squares(MIXED, FACTORS), wanted, atol=1e-5)
    assert (squares(np.ones_like(MIXED), FACTORS) == 0).all()
    perfect = metrics.predictability_gap(squares(PERFECT, FACTORS))
    copied = metrics.predictability_gap(squares(COPIED, FACTORS))
    assert perfect > 0.97 and copied == pytest.approx(0.0, abs=1e-6)
    assert metrics.predictability_gap(jnp.array([[0.25, 0.75]])) == 0.5  # of a single code


def test_modularity_of_rows_by_hand():
    """1, 1/2, 0 for a dead code, 1 - 0.09 / (2 * 0.36)."""
    rows = jnp.array([[1.0, 0, 0], [0.5, 0.5, 0], [0, 0, 0], [0.6, 0.3, 0]])
    assert metrics.modularity(rows) == pytest.approx((1 + 0.5 + 0 + 0.875) / 4)
    scaled = rows * jnp.array([2.0, 3.0, 1.0, 0.5])[:, None]
    assert metrics.modularity(scaled) == pytest.approx(float(metrics.modularity(rows)))
    assert metrics.modularity(jnp.ones((3, 4))) == 0.0


def test_importances_of_one_to_one_codes_uniform_and_shared():
    eye, uniform = jnp.eye(4)[:, ::-1], jnp.ones((4, 5))
    assert metrics.disentanglement(eye) == metrics.completeness(eye) == 1.0
    np.testing.assert_allclose([metrics.disentanglement(uniform), metrics.completeness(uniform)], 0.0, atol=1e-6)
    twice = jnp.concatenate([eye, eye]) / 2  # two codes for each factor
    assert metrics.disentanglement(twice) == pytest.approx(1.0)
    assert metrics.completeness(twice) == pytest.approx(1 - math.log(2) / math.log(8))
    assert metrics.disentanglement(jnp.zeros((3, 3))) == 0.0


def test_importances_written_out_in_numpy():
    table = np.random.default_rng(3).uniform(size=(5, 3))

    def wanted(table):
        shares = table / table.sum(axis=1, keepdims=True)
        entropies = -(shares * np.log(shares)).sum(axis=1) / np.log(table.shape[1])
        return (table.sum(axis=1) / table.sum() * (1 - entropies)).sum()

    as_array = jnp.asarray(table, jnp.float32)
    assert metrics.disentanglement(as_array) == pytest.approx(wanted(table), rel=1e-5)
    assert metrics.completeness(as_array) == pytest.approx(wanted(table.T), rel=1e-5)


CODES, VALUES = jnp.asarray(PERFECT), jnp.asarray(FACTORS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.squared_correlations(CODES, VALUES[:5]), r"factors are int32 \(5, 3\), but must be"),
        (lambda: metrics.mutual_information(CODES, VALUES, num_values=(3, 6)), "num_values is .* of the 3 factors"),
        (lambda: metrics.mutual_information(CODES, VALUES, num_values=(1, 6, 8)), "num_values is .* at least 2"),
        (lambda: metrics.mutual_information(CODES, VALUES, num_values=SIZES, num_bins=1), "num_bins is 1"),
        (lambda: metrics.factor_vae_score(CODES[:1], VALUES[:1], KEY), "at least 2 examples"),
        (lambda: metrics.factor_vae_score(CODES, VALUES, KEY, num_votes=(0, 5)), "num_votes is"),
        (lambda: metrics.factor_vae_score(CODES, VALUES, KEY, size=1), "size is 1"),
        (lambda: metrics.modularity(jnp.ones((3, 1))), "factors of information is 1"),
        (lambda: metrics.disentanglement(jnp.ones((3, 1))), "factors of importances is 1"),
        (lambda: metrics.completeness(jnp.ones((1, 3))), "codes of importances is 1"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
