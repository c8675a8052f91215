"""Frechet distance: agreement with SciPy, POT and torch-fidelity, closed forms, singular covariances in float32."""

import jax
import jax.numpy as jnp
import numpy as np
import ot
import pytest
import scipy.linalg

from jaxgen.metrics import frechet_distance, gaussian_frechet_distance, moments, small_sample_frechet_distance
from tests.metrics import inputs
from tests.metrics.golden import stored
from tests.metrics.numbers import in_float64, single

REAL, FAKE = inputs.pairs()
of_gaussians = jax.jit(gaussian_frechet_distance)


@jax.jit
def of_features(real, fake):
    return frechet_distance(moments(real), moments(fake)), small_sample_frechet_distance(real, fake)


def statistics(*samples):
    return [array for sample in samples for array in (sample.mean(0), np.cov(sample.T))]


def test_distance_agrees_with_torch_fidelity_scipy_and_pot():
    m_1, s_1, m_2, s_2 = statistics(REAL, FAKE)
    root = scipy.linalg.sqrtm(s_1 @ s_2).real
    expected = ((m_1 - m_2) ** 2).sum() + np.trace(s_1 + s_2 - 2 * root)
    np.testing.assert_allclose(ot.gaussian.bures_wasserstein_distance(m_1, m_2, s_1, s_2) ** 2, expected, rtol=1e-8)
    np.testing.assert_allclose(stored("statistics")["fid"], expected, rtol=1e-8)
    np.testing.assert_allclose(in_float64(of_features.__wrapped__, REAL, FAKE), expected, rtol=1e-8)
    np.testing.assert_allclose(of_features(*single(REAL, FAKE)), expected, rtol=1e-4)


def test_fewer_examples_than_features_agree_with_torch_fidelity():
    golden = stored("statistics")["fid_singular"]  # 5 examples of 8 features
    # Its eigenvalues are roots of rounding: 10^-7 in float64.
    np.testing.assert_allclose(in_float64(of_features.__wrapped__, REAL[:5], FAKE[:5]), golden, rtol=1e-6)
    np.testing.assert_allclose(of_features(*single(REAL[:5], FAKE[:5])), golden, rtol=1e-5)


def test_singular_case_has_its_closed_form():
    # 12 examples along one axis each. With S_1 = a e_1 e_1^T and S_2 = b e_2 e_2^T the product is zero: d^2 = a + b.
    # Steps of 1 have variance 13, of 2 have 52.
    steps = np.arange(12.0) - 5.5
    real, fake = np.zeros((12, 3)), np.zeros((12, 3))
    real[:, 0], fake[:, 1] = steps, 2 * steps
    np.testing.assert_allclose(of_features(*single(real, fake)), 13 + 52, rtol=1e-6)
    fake = 2 * real
    np.testing.assert_allclose(of_features(*single(real, fake)), (13**0.5 - 52**0.5) ** 2, rtol=1e-5)


@pytest.mark.parametrize("decay", [2, 3])
def test_small_eigenvalues_keep_their_digits_in_float32(decay):
    # A spectrum as features have it. Roots of the eigenvalues of S_1 S_2 in float32 are wrong by up to the distance.
    rng = np.random.default_rng(0)
    scales = (1 + np.arange(96.0)) ** (-decay / 2)
    real = rng.normal(size=(400, 96)) * scales
    fake = rng.normal(size=(400, 96)) * scales * 1.05
    rotation, _ = np.linalg.qr(rng.normal(size=(96, 96)))
    gaussians = statistics(real @ rotation, fake @ rotation)
    expected = in_float64(gaussian_frechet_distance, *gaussians)
    np.testing.assert_allclose(of_gaussians(*single(*gaussians)), expected, rtol=1e-3)


def test_directions_without_variance_do_not_count_by_the_root_of_their_rounding():
    # S_1 = 10^4 v v^T and S_2 = I: 10^4 + 96 - 2 sqrt(10^4).
    v = np.random.default_rng(0).normal(size=96)
    v /= np.linalg.norm(v)
    gaussians = np.zeros(96), 1e4 * np.outer(v, v), np.zeros(96), np.eye(96)
    np.testing.assert_allclose(of_gaussians(*single(*gaussians)), 9896, rtol=2e-5)


def test_shift_costs_its_square_and_scaling_the_change_of_deviations():
    real = single(REAL)
    trace = np.trace(np.cov(REAL.T))
    shift = jnp.arange(8.0)
    np.testing.assert_allclose(of_features(real, real + shift[None]), float((shift**2).sum()), rtol=1e-4)
    centred = real - real.mean(axis=0)[None]
    np.testing.assert_allclose(of_features(centred, 3 * centred), 4 * trace, rtol=1e-4)
    # N(0, 1) and N(1, 4): 1 + (1 - 2)^2.
    one = jnp.ones((1, 1))
    np.testing.assert_allclose(of_gaussians(jnp.zeros(1), one, jnp.ones(1), 4 * one), 2.0, rtol=1e-6)


def test_distance_of_identical_sets_is_zero_and_order_and_rotation_do_not_matter():
    real, fake = single(REAL, FAKE)
    trace = np.trace(np.cov(REAL.T))
    np.testing.assert_allclose(of_features(real, real), 0, atol=2e-6 * trace)
    value = of_features(real, fake)
    np.testing.assert_allclose(of_features(fake, real[:50]), of_features(real[:50], fake), rtol=1e-4)
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))
    np.testing.assert_allclose(of_features(*single(REAL @ rotation, FAKE @ rotation)), value, rtol=1e-3)


def test_constant_features_are_only_shifted():
    zeros = jnp.zeros((4, 8))
    np.testing.assert_allclose(of_features(zeros, zeros + 2), 32.0, rtol=1e-6)


def test_statistics_that_do_not_belong_together_are_refused():
    mean, square = jnp.zeros(3), jnp.zeros((3, 3))
    for bad in ((mean, square, jnp.zeros(2), square), (mean, square, mean, jnp.zeros((3, 2))), (square, square) * 2):
        with pytest.raises(ValueError, match=r"do not belong together: they must be \(d,\), \(d, d\)"):
            gaussian_frechet_distance(*bad)
    with pytest.raises(ValueError, match=r"fake_features has shape \(1, 2\), but must hold at least 2"):
        small_sample_frechet_distance(jnp.zeros((2, 2)), jnp.zeros((1, 2)))


def test_one_example_has_no_distance():
    one, pair = moments(jnp.zeros((1, 2))), moments(jnp.zeros((2, 2)))
    with pytest.raises(ValueError, match="fake are moments of 1 examples, but a covariance needs at least 2"):
        frechet_distance(pair, one)
    assert np.isnan(jax.jit(frechet_distance)(one, pair))  # whose number is not known there
