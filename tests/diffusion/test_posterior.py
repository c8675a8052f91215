"""The posterior against goldens, Bayes' rule by samples of numbers, and DDIM's form of the same mean."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.posterior import bound_term, log_variance, posterior_mean, step_of
from jaxgen.diffusion.schedules import CosineBetas, LinearBetas

SCHEDULE = LinearBetas(1000)


def test_variances_are_the_golden_ones():
    """beta~ at 0, 1, 2 and 999 of the linear schedule; that at 0 is replaced by that at 1."""
    step = step_of(SCHEDULE, jnp.array([0.0, 1.0, 2.0, 999.0]))
    golden = np.log([5.45318766e-5, 5.45318766e-5, 8.54891152e-5, 0.0199999835])
    np.testing.assert_allclose(step.log_small, golden, rtol=1e-6)
    np.testing.assert_allclose(step.log_small[0], -9.816725135, rtol=1e-6)
    np.testing.assert_allclose(np.exp(step.log_large[jnp.array([0, 3])]), [1e-4, 0.02], rtol=1e-5)


@pytest.mark.parametrize("schedule", [SCHEDULE, CosineBetas(50)])
def test_the_mean_is_equation_11_of_the_noise(schedule):
    """(x_t - beta / sqrt(1 - alpha_bar) epsilon) / sqrt(1 - beta), with x_0 that the noise stands for."""
    times = np.array([0, 1, schedule.steps // 2, schedule.steps - 1])
    betas = schedule.betas()
    alpha_bar = np.cumprod(1.0 - betas)[times]
    data, noise = np.random.default_rng(0).normal(size=(2, 4, 3))
    noisy = np.sqrt(alpha_bar)[:, None] * data + np.sqrt(1.0 - alpha_bar)[:, None] * noise
    expected = (noisy - (betas[times] / np.sqrt(1.0 - alpha_bar))[:, None] * noise) / np.sqrt(1.0 - betas[times])[
        :, None
    ]
    found = posterior_mean(step_of(schedule, jnp.asarray(times, jnp.float32)), *(jnp.float32(x) for x in (data, noisy)))
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


def test_the_share_of_the_variance_goes_from_the_posterior_to_beta():
    step = step_of(SCHEDULE, jnp.array([10.0]))
    for share, wanted in ((0.0, step.log_small), (1.0, step.log_large), (0.5, (step.log_small + step.log_large) / 2)):
        np.testing.assert_allclose(log_variance(step, jnp.full((1, 2), share)), np.full((1, 2), wanted), rtol=1e-6)


def test_terms_are_divergences_in_bits_for_each_number():
    """KL of two Gaussians of equal variance: half the squared difference of the means over the variance."""
    times = jnp.array([5.0, 5.0])
    step = step_of(SCHEDULE, times)
    data, noisy = jnp.zeros((2, 2, 2, 1)), jnp.ones((2, 2, 2, 1))
    wrong = jnp.stack([jnp.zeros((2, 2, 1)), jnp.full((2, 2, 1), 0.1)])
    logvar = jnp.broadcast_to(step.log_small[:, None, None, None], wrong.shape)
    found = bound_term(SCHEDULE, times, data, noisy, (wrong, logvar), (-1.0, 1.0))
    difference = float(step.data[0]) * 0.1
    np.testing.assert_allclose(found[0], 0.0, atol=1e-6)
    np.testing.assert_allclose(found[1], 0.5 * difference**2 / np.exp(step.log_small[0]) / np.log(2.0), rtol=1e-4)


def test_the_first_term_is_the_likelihood_of_levels():
    """A narrow density on the right level has no bits, one on a neighbour many."""
    data = jnp.full((1, 1, 1, 1), 1 / 255)
    terms = [
        bound_term(SCHEDULE, jnp.zeros(1), data, data, (data + shift, jnp.full_like(data, -20.0)), (-1.0, 1.0))
        for shift in (0.0, 2 / 255)
    ]
    np.testing.assert_allclose(terms[0], 0.0, atol=1e-3)
    assert terms[1] > 10


def test_images_without_levels_are_refused():
    data = jnp.zeros((1, 2))
    with pytest.raises(ValueError, match="value_range is None"):
        bound_term(SCHEDULE, jnp.zeros(1), data, data, (data, data), None)
