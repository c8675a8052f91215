"""What each sampler does to data from N(mean, deviation^2), from the papers' formulas, in float64.

The exact denoiser is affine in x, so that x stays `factor` times the start + `offset` + `weights` times the noises.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.diffusion.samplers import DDIM, Ancestral, DPMSolver, Euler, Heun, PredictorCorrector
from jaxgen.diffusion.samplers.path import path
from jaxgen.diffusion.schedules import Cosine, Level, Straight
from tests.diffusion.oracles import posterior_mean


class Affine(NamedTuple):
    """An affine function of the start and of the noise of each step."""

    factor: float
    offset: float
    weights: np.ndarray  # (steps,)

    def then(self, factor, offset):
        """x becomes factor x + offset."""
        return Affine(factor * self.factor, factor * self.offset + offset, factor * self.weights)

    def with_noise(self, step, weight):
        """The noise of a step is added."""
        return self._replace(weights=self.weights + weight * (np.arange(len(self.weights)) == step))

    def deviation(self, start):
        """Of x, from the deviation of the start, for noises from N(0, 1)."""
        return np.sqrt((self.factor * start) ** 2 + (self.weights**2).sum())


def affine(sampler, schedule, data):
    """What a sampler makes of its start; `data` are mean and deviation."""
    steps = path(schedule, sampler.grid, sampler.steps, sampler.to_data)
    state, history = Affine(1.0, 0.0, np.zeros(sampler.steps)), []
    for i in range(sampler.steps):
        here, there = (Level(*(float(part[i]) for part in points.level)) for points in steps)
        match sampler:
            case DDIM() | Ancestral():
                state = ancestral_step(sampler, i, state, (here, there), data)
            case Euler() | Heun():
                state = ode_step(sampler, schedule, i, state, (here, there), data)
            case PredictorCorrector():
                state = reverse_step(i, state, (here, there), data, last=i == sampler.steps - 1)
            case DPMSolver():
                state = dpm_step(sampler, i, state, (here, there), data, history)
    return state


def data_of(level, data):
    """Factor and offset of E[x_0|x]."""
    offset = posterior_mean(level, 0.0, *data)
    return posterior_mean(level, 1.0, *data) - offset, offset


def ancestral_step(sampler, i, state, levels, data):
    """q(x_n|x_t, x_0) with x_0 estimated; DDIM with eta."""
    (alpha, sigma), (alpha_n, sigma_n) = levels
    beta = sigma**2 - (alpha / alpha_n) ** 2 * sigma_n**2
    small = beta * sigma_n**2 / sigma**2
    eta = sampler.eta if isinstance(sampler, DDIM) else 1.0
    variance = beta if isinstance(sampler, Ancestral) and sampler.variance == "large" else eta**2 * small
    direction = np.sqrt(sigma_n**2 - eta**2 * small)
    slope, offset = data_of(levels[0], data)
    state = state.then(
        alpha_n * slope + direction * (1.0 - alpha * slope) / sigma,
        alpha_n * offset - direction * alpha * offset / sigma,
    )
    return state.with_noise(i, np.sqrt(variance) * (sigma_n > 0))


def reverse_step(i, state, levels, data, *, last):
    """2 x - a x - b^2 epsilon / sigma + b z, where the forward step is x_t = a x_n + b z."""
    (alpha, sigma), (alpha_n, sigma_n) = levels
    a = alpha / alpha_n
    b = np.sqrt(sigma**2 - a**2 * sigma_n**2)
    slope, offset = data_of(levels[0], data)
    state = state.then(2 - a - b**2 * (1.0 - alpha * slope) / sigma**2, b**2 * alpha * offset / sigma**2)
    return state.with_noise(i, b * (not last))


def ode_step(sampler, schedule, i, state, levels, data):
    """Algorithm 2 of EDM in x / alpha, or Euler's and Heun's method in t on the straight path."""
    level, following = levels
    straight = isinstance(schedule, Straight | Cosine)
    if sampler.churn.amount:
        churn, ratio = sampler.churn, level.sigma / level.alpha
        if churn.least <= ratio <= churn.most:
            raised = ratio * (1 + min(churn.amount / sampler.steps, 2**0.5 - 1))
            before, level = level, schedule.level(schedule.time(-2.0 * np.log(raised)))
            state = state.then(level.alpha / before.alpha, 0.0)
            state = state.with_noise(i, level.alpha * np.sqrt(raised**2 - ratio**2) * churn.deviation)
    scale, scale_n = (each.alpha + each.sigma if straight else each.alpha for each in (level, following))
    step = following.sigma / scale_n - level.sigma / scale

    def slope(level):
        """Factor and offset of dy/du as a function of x."""
        factor, offset = data_of(level, data)
        weight = -1.0 if straight else 0.0
        noise = (1.0 - level.alpha * factor) / level.sigma, -level.alpha * offset / level.sigma
        return noise[0] + weight * factor, noise[1] + weight * offset

    f, o = slope(level)
    factor, shift = scale_n * (1.0 / scale + step * f), scale_n * step * o
    if isinstance(sampler, Heun) and following.sigma > 0:
        f_n, o_n = slope(following)
        f, o = 0.5 * (f + f_n * factor), 0.5 * (o + f_n * shift + o_n)
        factor, shift = scale_n * (1.0 / scale + step * f), scale_n * step * o
    return state.then(factor, shift)


def dpm_step(sampler, i, state, levels, data, history):
    """The multistep formulas of the reference, with the estimates of the steps before as they are."""
    (alpha, sigma), (alpha_n, sigma_n) = levels
    x = np.array([state.factor, state.offset])
    slope, offset = data_of(levels[0], data)
    now = slope * x + np.array([0.0, offset])
    with np.errstate(divide="ignore"):
        here, there = np.log(alpha) - np.log(sigma), np.log(alpha_n) - np.log(sigma_n)
    history.append((here, now))
    order = min(sampler.order, i + 1)
    if sampler.steps < sampler.lower_below:
        order = min(order, sampler.steps - i)
    if sigma_n == 0:
        order = 1
    h = there - here
    phi = np.expm1(-h)
    result = sigma_n / sigma * x - alpha_n * phi * now
    if order >= 2:
        r_0 = (here - history[-2][0]) / h
        d_0 = (now - history[-2][1]) / r_0
        if order == 2:
            result += -0.5 * alpha_n * phi * d_0 if sampler.variant == "midpoint" else alpha_n * (phi / h + 1) * d_0
        else:
            r_1 = (history[-2][0] - history[-3][0]) / h
            d_1 = (history[-2][1] - history[-3][1]) / r_1
            first = d_0 + r_0 / (r_0 + r_1) * (d_0 - d_1)
            second = (d_0 - d_1) / (r_0 + r_1)
            result += alpha_n * (phi / h + 1) * first - alpha_n * ((phi / h + 1) / h - 0.5) * second
    return Affine(*result, state.weights)


def responses(sampler, schedule, denoise):
    """Factor of the start and weights of the noises of a sampler whose denoiser is linear: its own steps, float64."""
    with jax.enable_x64(True):
        rows = jax.tree.map(jnp.asarray, sampler.rows(schedule))
        units = jnp.eye(sampler.steps + 1)  # of the start, and of the noise of each step

        def step(carry, inputs):
            row, noise = inputs
            return sampler.step(denoise, carry, row, noise[:, None] if sampler.stochastic else None), None

        start = units[0][:, None]
        found = jax.lax.scan(step, (start, sampler.memory(start)), (rows, units[1:]))[0][0][:, 0]
        return Affine(float(found[0]), 0.0, np.asarray(found[1:]))
