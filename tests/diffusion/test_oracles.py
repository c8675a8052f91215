"""Every sampler, on every schedule, from every kind of prediction, fed the exact denoiser of N(mean, deviation^2)."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion import predictions
from jaxgen.diffusion.grids import Even, Karras, Linspace, LogSNR
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.samplers import DDIM, Ancestral, Churn, DPMSolver, Euler, Heun, run
from jaxgen.diffusion.samplers.path import path
from jaxgen.diffusion.schedules import VE, VP, Cosine, CosineBetas, LinearBetas, ScaledLinearBetas, Sigmas, Straight
from tests.diffusion.oracles import gaussian, marginal, posterior_mean

MEAN, DEVIATION = 0.3, 0.2
KINDS = (
    predictions.Noise(),
    predictions.Data(),
    predictions.V(),
    predictions.Score(),
    predictions.Velocity(),
    predictions.Preconditioned(0.5),
)
SCHEDULES = (
    LinearBetas(),
    CosineBetas(),
    ScaledLinearBetas(),
    VP(),
    Cosine(),
    VE(0.02, 20.0),
    Sigmas(0.01, 20.0),
    Straight(),
)
SAMPLERS = {
    "ddim": DDIM(8, limit=NoLimit()),
    "ddim, eta 0.7": DDIM(8, eta=0.7, limit=NoLimit()),
    "ancestral, small": Ancestral(8, "small", limit=NoLimit()),
    "ancestral, large": Ancestral(8, "large", limit=NoLimit()),
    "euler": Euler(8),
    "heun": Heun(8, grid=Even()),
    "euler, churn": Euler(8, churn=Churn(3.0, 0.05, 10.0, 1.003)),
    "heun, churn": Heun(8, grid=Linspace(), churn=Churn(3.0, 0.05, 10.0, 1.003)),
    "dpm 1": DPMSolver(8, 1),
    "dpm 2": DPMSolver(8, 2),
    "dpm 2, heun": DPMSolver(8, 2, "heun", lower_below=0),
    "dpm 3": DPMSolver(8, 3, lower_below=0),
}


def grid_of(sampler, schedule):
    """Even steps reach sigma 0 where there are no discrete steps, and so does none of VE's."""
    return dataclasses.replace(sampler, grid=Linspace()) if isinstance(schedule, VE | Sigmas) else sampler


def affine(sampler, schedule, data=(MEAN, DEVIATION)):
    """Factor, offset and variance of the noise of what the sampler makes of x: float64, from the papers' formulas.

    The denoiser is affine in x, so that x stays a * start + b + noise of variance c.
    """
    steps = path(schedule, sampler.grid, sampler.steps, sampler.to_data)
    at = lambda point, i: (point.level.alpha[i], point.level.sigma[i])  # noqa: E731
    state = np.array([1.0, 0.0, 0.0])  # a, b, c
    history = []

    def data_of(state, alpha, sigma):
        """Factor and offset of E[x_0|x] as a function of the start."""
        level = type(steps.points.level)(alpha, sigma)
        offset = posterior_mean(level, 0.0, *data)
        slope = posterior_mean(level, 1.0, *data) - offset
        return slope, slope * state[0], slope * state[1] + offset

    for i in range(sampler.steps):
        (alpha, sigma), (alpha_n, sigma_n) = at(steps.points, i), at(steps.next, i)
        last = sigma_n == 0
        match sampler:
            case DDIM() | Ancestral():
                beta = sigma**2 - (alpha / alpha_n) ** 2 * sigma_n**2
                small = beta * sigma_n**2 / sigma**2
                eta = sampler.eta if isinstance(sampler, DDIM) else 1.0
                noise = eta**2 * small
                if isinstance(sampler, Ancestral) and sampler.variance == "large":
                    noise = beta
                direction = np.sqrt(sigma_n**2 - eta**2 * small)
                slope, _, offset = data_of([1.0, 0.0], alpha, sigma)
                factor = alpha_n * slope + direction * (1.0 - alpha * slope) / sigma
                shift = alpha_n * offset - direction * alpha * offset / sigma
                state = np.array(
                    [factor * state[0], factor * state[1] + shift, factor**2 * state[2] + noise * (not last)]
                )
            case Euler() | Heun():
                state = ode_step(sampler, schedule, state, ((alpha, sigma), (alpha_n, sigma_n)), data)
            case DPMSolver():
                state = dpm_step(sampler, i, state, steps, data_of, history)
    return state


def ode_step(sampler, schedule, state, levels, data):
    """Algorithm 2 of EDM in x / alpha, or Euler's and Heun's method in t on the straight path."""
    a, b, c = state
    (alpha, sigma), (alpha_n, sigma_n) = levels
    straight = isinstance(schedule, Straight | Cosine)
    if sampler.churn.amount and not straight:
        churn, ratio = sampler.churn, sigma / alpha
        if churn.least <= ratio <= churn.most:
            raised = schedule.level(
                schedule.time(-2.0 * np.log(ratio * (1 + min(churn.amount / sampler.steps, 2**0.5 - 1))))
            )
            ratio_hat = raised.sigma / raised.alpha
            factor = raised.alpha / alpha
            added = raised.alpha**2 * (ratio_hat**2 - ratio**2) * churn.deviation**2
            a, b, c = a * factor, b * factor, c * factor**2 + added
            alpha, sigma = float(raised.alpha), float(raised.sigma)
    scale, scale_n = (alpha + sigma, alpha_n + sigma_n) if straight else (alpha, alpha_n)
    u, u_n = sigma / scale, sigma_n / scale_n

    def slope(alpha, sigma):
        """(factor, offset) of dy/du of x."""
        level = type(schedule.level(0.5))(alpha, sigma)
        offset = posterior_mean(level, 0.0, *data)
        factor = posterior_mean(level, 1.0, *data) - offset
        weight = -1.0 if straight else 0.0
        return (1.0 - alpha * factor) / sigma + weight * factor, -alpha * offset / sigma + weight * offset

    f, o = slope(alpha, sigma)
    step = u_n - u
    factor, shift = scale_n * (1.0 / scale + step * f), scale_n * step * o
    if isinstance(sampler, Heun) and sigma_n > 0:
        f_n, o_n = slope(alpha_n, sigma_n)
        f, o = 0.5 * (f + f_n * factor), 0.5 * (o + f_n * shift + o_n)
        factor, shift = scale_n * (1.0 / scale + step * f), scale_n * step * o
    return np.array([factor * a, factor * b + shift, factor**2 * c])


def dpm_step(sampler, i, state, steps, data_of, history):
    """The multistep formulas, written with lengths of steps in log(alpha / sigma)."""
    alpha, sigma = steps.points.level.alpha[i], steps.points.level.sigma[i]
    alpha_n, sigma_n = steps.next.level.alpha[i], steps.next.level.sigma[i]
    x = np.array(state[:2])
    data = np.array(data_of(x, alpha, sigma)[1:])
    with np.errstate(divide="ignore"):
        here, there = np.log(alpha / sigma), np.log(alpha_n) - np.log(sigma_n)
    history.append((here, data))
    order = min(sampler.order, i + 1)
    if sampler.steps < sampler.lower_below:
        order = min(order, sampler.steps - i)
    if sigma_n == 0:
        order = 1
    h = there - here
    phi = np.expm1(-h)
    result = sigma_n / sigma * x - alpha_n * phi * data
    if order >= 2:
        r_0 = (here - history[-2][0]) / h
        d_0 = (data - history[-2][1]) / r_0
        if order == 2:
            result += -0.5 * alpha_n * phi * d_0 if sampler.variant == "midpoint" else alpha_n * (phi / h + 1) * d_0
        else:
            r_1 = (history[-2][0] - history[-3][0]) / h
            d_1 = (history[-2][1] - history[-3][1]) / r_1
            first = d_0 + r_0 / (r_0 + r_1) * (d_0 - d_1)
            second = (d_0 - d_1) / (r_0 + r_1)
            result += alpha_n * (phi / h + 1) * first - alpha_n * ((phi / h + 1) / h - 0.5) * second
    return np.array([*result, 0.0])


EACH_KIND = (LinearBetas, Sigmas, Straight)
"""One of each kind of schedule: discrete, with alpha 1, from pure noise. The others are exhaustive."""

NOTHING_AT_PURE_NOISE = (predictions.Noise, predictions.Score, predictions.Preconditioned)
"""Kinds that say nothing of the data where alpha is 0: refused with such a schedule by test_denoising.py."""

MEANINGLESS = [
    (schedule, name)
    for schedule, name in itertools.product(SCHEDULES, SAMPLERS)
    if isinstance(schedule, Straight | Cosine) and "churn" in name
]
"""Churn raises sigma / alpha, which is infinite where a schedule begins at pure noise."""


@pytest.mark.parametrize(("schedule", "name"), MEANINGLESS, ids=str)
def test_pairs_without_meaning_are_refused(schedule, name):
    with pytest.raises(ValueError, match="churn"):
        SAMPLERS[name].rows(schedule)


@pytest.mark.parametrize(
    "schedule",
    [pytest.param(each, marks=() if isinstance(each, EACH_KIND) else pytest.mark.exhaustive) for each in SCHEDULES],
    ids=lambda schedule: type(schedule).__name__,
)
@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_does_to_gaussian_data_what_its_formula_does(schedule, name):
    """For each kind of prediction: factor and offset exactly, the variance of the noise by its draws."""
    if (schedule, name) in MEANINGLESS:
        return
    sampler = grid_of(SAMPLERS[name], schedule)
    factor, offset, variance = affine(sampler, schedule)
    level = schedule.level(np.float64(schedule.start))
    mean, deviation = marginal(level, MEAN, DEVIATION)
    num = 4 if not sampler.stochastic else 2000
    keys, points = (
        jax.random.split(jax.random.key(0), num),
        np.linspace(mean - deviation, mean + deviation, num)[:, None],
    )
    for kind in KINDS:
        if isinstance(kind, NOTHING_AT_PURE_NOISE) and level.alpha < 1e-8:
            continue
        with jax.enable_x64(True):
            start = jnp.asarray(points)
            found = run(sampler, schedule, gaussian(MEAN, DEVIATION, kind), start, keys)
        expected = factor * np.asarray(start, np.float64) + offset
        if sampler.stochastic:
            rest = np.asarray(found, np.float64) - expected
            assert abs(rest.mean()) < 4 * np.sqrt(variance / num) + 1e-5, kind
            np.testing.assert_allclose(rest.var(), variance, rtol=0.15, err_msg=str(kind))
        else:
            np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=str(kind))
            assert variance == 0.0


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)
@pytest.mark.parametrize("name", SAMPLERS)
def test_many_steps_give_the_distribution_of_the_data(schedule, name):
    """Started from the true marginal, by the closed form of all steps."""
    if (schedule, name) in MEANINGLESS:
        return
    errors = []
    for steps in (40, 400):
        sampler = dataclasses.replace(grid_of(SAMPLERS[name], schedule), steps=steps)
        if isinstance(schedule, VE | Sigmas):
            sampler = dataclasses.replace(sampler, grid=Karras())
        factor, offset, variance = affine(sampler, schedule)
        mean, deviation = marginal(schedule.level(np.float64(schedule.start)), MEAN, DEVIATION)
        errors.append(
            abs(factor * mean + offset - MEAN) + abs(np.sqrt(factor**2 * deviation**2 + variance) - DEVIATION)
        )
    assert errors[1] < max(0.002, errors[0] / 2), errors


@pytest.mark.parametrize(
    ("sampler", "order"),
    [
        (DDIM(1, limit=NoLimit(), grid=LogSNR(), to_data=False), 1),
        (Euler(1, grid=LogSNR(), to_data=False), 1),
        (Heun(1, grid=LogSNR(), to_data=False), 2),
        (DPMSolver(1, 2, grid=LogSNR(), to_data=False, lower_below=0), 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_error_of_deterministic_samplers_falls_at_their_order(sampler, order):
    """On VP from t = 1 to 1e-3, as in the oracle table of the reference."""
    schedule = VP()
    exact = np.divide(*(marginal(schedule.level(np.float64(t)), 0.0, 0.5)[1] for t in (schedule.end, schedule.start)))
    steps = [40, 80, 160]
    errors = [
        abs(affine(dataclasses.replace(sampler, steps=num), schedule, (0.0, 0.5))[0] / exact - 1.0) for num in steps
    ]
    slopes = -np.diff(np.log(errors)) / np.log(2)
    np.testing.assert_allclose(slopes, order, atol=0.1 if order == 1 else 0.25)


ORACLE = {  # of the reference: relative error of the final x, VP, data N(0, .5^2), uniform lambda
    1: [-0.36611, -0.21285, -0.11284, -0.058108, -0.029489, -0.014855],
    2: [-0.038324, 0.032728, 0.013022, 0.0035068, 0.00089015, 0.00022332],
}


@pytest.mark.parametrize("order", [1, 2])
def test_dpm_solver_gives_the_table_of_relative_errors(order):
    schedule = VP()
    exact = np.divide(*(marginal(schedule.level(np.float64(t)), 0.0, 0.5)[1] for t in (schedule.end, schedule.start)))
    for steps, wanted in zip((5, 10, 20, 40, 80, 160), ORACLE[order], strict=True):
        sampler = DPMSolver(steps, order, grid=LogSNR(), to_data=False, lower_below=0)
        np.testing.assert_allclose(affine(sampler, schedule, (0.0, 0.5))[0] / exact - 1.0, wanted, rtol=2e-3)
