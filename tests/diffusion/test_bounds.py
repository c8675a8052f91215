"""The discrete bound: that of Gaussian data in closed form, and its parts."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion import bounds, ddpm, improved_ddpm
from jaxgen.diffusion.samplers import DDIM, Ancestral
from jaxgen.diffusion.schedules import VP, CosineBetas, LinearBetas
from jaxgen.losses import discretized_gaussian_nll
from tests.diffusion.networks import Exact, Tiny

STEPS = 20
SCHEDULE = LinearBetas(STEPS, 0.001, 0.6)
EXACT = ddpm.Config(
    image_shape=(2, 2, 1),
    denoiser=Exact(0.3, 0.2, SCHEDULE),
    schedule=SCHEDULE,
    sampler=Ancestral(STEPS, "small"),
)
PIXELS = jnp.array([[60, 170], [200, 90]], jnp.uint8)[None, :, :, None]


def evenly(config, batch, num, seed=0):
    """Means of the parts over draws whose steps are spread evenly."""
    state = ddpm.init(config, jax.random.key(0)) if config is EXACT else improved_ddpm.init(config, jax.random.key(0))
    many = jnp.tile(batch, (num, 1, 1, 1))
    shares = (jnp.arange(num, dtype=jnp.float32) + 0.5) / num
    found = jax.jit(lambda key: bounds.bound(config, state, many, key, shares))(jax.random.key(seed))
    return [np.asarray(part, np.float64).mean() for part in found]


def by_hand(times, variance):
    """E[L_t] of N(mean, deviation^2) data with the exact denoiser, from DDPM's equations, for the pixels above."""
    x = np.asarray(PIXELS, np.float64).ravel() / 127.5 - 1
    betas = SCHEDULE.betas()
    alpha_bar = np.cumprod(1 - betas)
    total = 0.0
    for t in times:
        before = alpha_bar[t - 1]
        posterior = betas[t] * (1 - before) / (1 - alpha_bar[t])
        factor = np.sqrt(before) * betas[t] / (1 - alpha_bar[t])  # of x_0 in the posterior's mean
        marginal = alpha_bar[t] * 0.04 + 1 - alpha_bar[t]
        slope = np.sqrt(alpha_bar[t]) * 0.04 / marginal
        # the estimate less x is affine in x and in the noise
        bias = 0.3 + slope * np.sqrt(alpha_bar[t]) * (x - 0.3) - x
        squares = bias**2 + slope**2 * (1 - alpha_bar[t])
        ratio = np.log(posterior) - np.log(variance[t])
        total += 0.5 * (np.exp(ratio) - 1 - ratio + factor**2 * squares / variance[t]).sum()
    return total


@pytest.mark.parametrize("variance", ["small", "large"])
def test_the_divergences_of_gaussian_data_are_the_closed_form(variance):
    config = dataclasses.replace(EXACT, sampler=Ancestral(STEPS, variance))
    betas = SCHEDULE.betas()
    alpha_bar = np.cumprod(1 - betas)
    small = betas * (1 - np.append(1, alpha_bar[:-1])) / (1 - alpha_bar)
    state = ddpm.init(config, jax.random.key(0))
    num = 400 * (STEPS - 1)
    many = jnp.tile(PIXELS, (num, 1, 1, 1))
    shares = (jnp.arange(num, dtype=jnp.float32) + 0.5) / num
    found = jax.jit(lambda key: bounds.bound(config, state, many, key, shares))(jax.random.key(0))
    wanted = by_hand(range(1, STEPS), small if variance == "small" else betas)
    np.testing.assert_allclose(found.diffusion.mean(), wanted, rtol=0.03)
    x = np.asarray(PIXELS, np.float64).ravel() / 127.5 - 1
    prior = 0.5 * (alpha_bar[-1] * x**2 - alpha_bar[-1] - np.log1p(-alpha_bar[-1])).sum()
    np.testing.assert_allclose(found.prior, prior, rtol=1e-3)


def test_the_first_step_is_the_likelihood_of_levels():
    """With the estimate at t = 0 nearly the pixel itself: x_0 of N(.3, .2^2) given x_0 + noise of variance beta_0."""
    found = evenly(EXACT, PIXELS, 4000)
    x, beta = np.asarray(PIXELS, np.float64).ravel() / 127.5 - 1, SCHEDULE.betas()
    before = 1 - beta[0]
    slope = np.sqrt(before) * 0.04 / (before * 0.04 + beta[0])
    noise = np.random.default_rng(0).normal(size=(4000, 4))
    estimate = 0.3 + slope * (np.sqrt(before) * x + np.sqrt(beta[0]) * noise - np.sqrt(before) * 0.3)
    logvar = np.full_like(estimate, np.log(beta[1] * beta[0] / (1 - (1 - beta[0]) * (1 - beta[1]))))
    nll = discretized_gaussian_nll(*(jnp.float32(each) for each in (estimate, logvar, np.tile(x, (4000, 1)))))
    np.testing.assert_allclose(found[0], float(nll.mean()), rtol=0.03)


def test_even_shares_visit_each_step_once_and_draws_differ_in_their_noise_alone():
    config = improved_ddpm.Config(
        image_shape=(2, 2, 1),
        denoiser=Tiny(rate=0.0, norm="none"),
        schedule=CosineBetas(5),
        sampler=Ancestral(5, "learned"),
    )
    state = improved_ddpm.init(config, jax.random.key(0))
    batch = jnp.tile(PIXELS, (4, 1, 1, 1))
    key = jnp.broadcast_to(jax.random.key(3), (4,))
    found = bounds.bound(config, state, batch, key, jnp.array([0.0, 0.2, 0.3, 0.9]))
    assert float(found.diffusion[0]) == float(found.diffusion[1]) != float(found.diffusion[2])
    assert len(set(np.asarray(found.reconstruction).tolist())) == len(set(np.asarray(found.prior).tolist())) == 1
    assert all(np.isfinite(np.asarray(part)).all() for part in found)


def test_a_sampler_without_a_variance_has_the_large_one():
    parts = []
    for sampler in (DDIM(4), Ancestral(STEPS, "large"), Ancestral(STEPS, "small")):
        config = dataclasses.replace(EXACT, sampler=sampler)
        state = ddpm.init(config, jax.random.key(0))
        parts.append(float(bounds.bound(config, state, PIXELS, jax.random.key(0), jnp.zeros(1)).diffusion[0]))
    assert parts[0] == parts[1] != parts[2]


def test_continuous_time_and_data_without_levels_are_refused():
    continuous = dataclasses.replace(EXACT, schedule=VP())
    with pytest.raises(ValueError, match="must be discrete"):
        bounds.bound(continuous, None, PIXELS, jax.random.key(0), jnp.zeros(1))
    points = dataclasses.replace(EXACT, value_range=None)
    state = ddpm.init(points, jax.random.key(0))
    with pytest.raises(ValueError, match="value_range is None"):
        bounds.bound(points, state, jnp.zeros((1, 2, 2, 1)), jax.random.key(0), jnp.zeros(1))
