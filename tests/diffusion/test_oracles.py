"""Every sampler, on every schedule, from every kind of prediction, fed the exact denoiser of N(mean, deviation^2)."""

import dataclasses
import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion import predictions
from jaxgen.diffusion.grids import Even, Karras, Linspace, LogSNR
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.samplers import DDIM, Ancestral, Churn, DPMSolver, Euler, Heun, PredictorCorrector, run
from jaxgen.diffusion.schedules import (
    VE,
    VP,
    Cosine,
    CosineBetas,
    LinearBetas,
    ScaledLinearBetas,
    Sigmas,
    Straight,
    SubVP,
)
from tests.diffusion.oracles import gaussian, marginal, mixture
from tests.diffusion.recursions import affine

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
    SubVP(),
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
    "reverse diffusion": PredictorCorrector(8, 0),
    "dpm 1": DPMSolver(8, 1),
    "dpm 2": DPMSolver(8, 2),
    "dpm 2, heun": DPMSolver(8, 2, "heun", lower_below=0),
    "dpm 3": DPMSolver(8, 3, lower_below=0),
}


def grid_of(sampler, schedule):
    """Even steps reach sigma 0 where there are no discrete steps, and so does none of VE's."""
    return dataclasses.replace(sampler, grid=Linspace()) if isinstance(schedule, VE | Sigmas) else sampler


EACH_KIND = (LinearBetas, Sigmas, Straight)
"""One of each kind of schedule: discrete, with alpha 1, from pure noise. The others are exhaustive."""

NOTHING_AT_PURE_NOISE = (predictions.Noise, predictions.Score)
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


def of_all(kinds):
    """The denoiser of as many equal parts of a batch, each from another kind of prediction."""
    denoisers = [gaussian(MEAN, DEVIATION, kind) for kind in kinds]

    def denoise(noisy, point):
        parts = jnp.split(noisy, len(kinds))
        found = [each(part, point) for each, part in zip(denoisers, parts, strict=True)]
        return jax.tree.map(lambda *each: jnp.concatenate(each), *found)

    return denoise


@functools.cache
def noises(steps, num):
    """(steps, num): the noise that example i draws in each step, of key i."""
    keys = jax.random.split(jax.random.key(0), num)
    drawn = jax.vmap(
        lambda step: jax.vmap(lambda key: jax.random.normal(jax.random.fold_in(key, step), (1,), jnp.float64))(keys)
    )
    return keys, np.asarray(drawn(jnp.arange(steps)))


of_each_kind = pytest.mark.parametrize(
    "schedule",
    [pytest.param(each, marks=() if isinstance(each, EACH_KIND) else pytest.mark.exhaustive) for each in SCHEDULES],
    ids=lambda schedule: type(schedule).__name__,
)


@of_each_kind
@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_does_to_gaussian_data_what_its_formula_does(schedule, name):
    """For each kind of prediction: factor, offset, and what the noise of each step is multiplied by."""
    if (schedule, name) in MEANINGLESS:
        return
    sampler = grid_of(SAMPLERS[name], schedule)
    level = schedule.level(np.float64(schedule.start))
    kinds = [kind for kind in KINDS if level.alpha > 1e-8 or not isinstance(kind, NOTHING_AT_PURE_NOISE)]
    mean, deviation = marginal(level, MEAN, DEVIATION)
    num = 4
    points = np.linspace(mean - deviation, mean + deviation, num)[:, None]
    factor, offset, weights = affine(sampler, schedule, (MEAN, DEVIATION))
    expected = factor * points + offset
    with jax.enable_x64(True):
        keys, drawn = noises(sampler.steps, num)
        starts, keys = jnp.tile(points, (len(kinds), 1)), jnp.concatenate([keys] * len(kinds))
        found = run(sampler, schedule, of_all(kinds), starts, keys)
    if sampler.stochastic:
        assert np.abs(weights).max() > 1e-3
        expected = expected + np.tensordot(weights, drawn, 1)
    for kind, part in zip(kinds, np.split(np.asarray(found), len(kinds)), strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-7, err_msg=str(kind))


@of_each_kind
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
        found = affine(sampler, schedule, (MEAN, DEVIATION))
        mean, deviation = marginal(schedule.level(np.float64(schedule.start)), MEAN, DEVIATION)
        errors.append(abs(found.factor * mean + found.offset - MEAN) + abs(found.deviation(deviation) - DEVIATION))
    assert errors[1] < max(0.002, errors[0] / 2), errors


MODES, WIDTH = (-1.0, 0.2, 1.1), 0.3
"""A mixture of three Gaussians with equal shares on the line."""


def quantile_map(schedule, points):
    """What the exact ODE makes of points at `start` until `end`: on the line it keeps the order, hence the quantile.

    The quantile at `end` is found by bisection, in float64.
    """
    ends = [schedule.level(np.float64(t)) for t in (schedule.start, schedule.end)]

    def share_below(level, x):
        deviation = np.sqrt(level.alpha**2 * WIDTH**2 + level.sigma**2)
        z = (np.asarray(x)[:, None] - level.alpha * np.array(MODES)) / deviation
        return np.array([[0.5 * math.erfc(-each / 2**0.5) for each in row] for row in z]).mean(1)

    wanted = share_below(ends[0], points)
    low, high = np.full(len(points), -9.0), np.full(len(points), 9.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = share_below(ends[1], middle) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low


ORDERS = [
    (DDIM(1, grid=LogSNR(), limit=NoLimit(), to_data=False), VP(), 1),
    (Heun(1, grid=LogSNR(), to_data=False), VP(), 2),
    (DPMSolver(1, 2, grid=LogSNR(), to_data=False, lower_below=0), VP(), 2),
    pytest.param(Euler(1, grid=LogSNR(), to_data=False), VP(), 1, marks=pytest.mark.exhaustive),
    pytest.param(
        DPMSolver(1, 2, "heun", LogSNR(), to_data=False, lower_below=0), VP(), 2, marks=pytest.mark.exhaustive
    ),
    pytest.param(Euler(1, grid=Linspace(), to_data=False), Straight(0.01), 1, marks=pytest.mark.exhaustive),
    pytest.param(Heun(1, grid=Linspace(), to_data=False), Straight(0.01), 2, marks=pytest.mark.exhaustive),
    pytest.param(Heun(1, grid=Karras(), to_data=False), Sigmas(0.01, 20.0), 2, marks=pytest.mark.exhaustive),
]


@pytest.mark.parametrize(("sampler", "schedule", "order"), ORDERS, ids=str)
def test_the_error_for_a_mixture_falls_at_the_order_of_the_sampler(sampler, schedule, order):
    """From 40 steps on: the slope of the logarithm of the error over that of the number of steps."""
    deviation = float(schedule.level(np.float64(schedule.start)).sigma)
    points = deviation * np.linspace(-1.5, 1.5, 7)
    exact, errors, steps = quantile_map(schedule, points), [], [40, 80, 160]
    with jax.enable_x64(True):
        denoise = mixture([[mode] for mode in MODES], WIDTH)
        for num in steps:
            found = run(dataclasses.replace(sampler, steps=num), schedule, denoise, jnp.asarray(points)[:, None], None)
            errors.append(np.sqrt(((np.asarray(found)[:, 0] - exact) ** 2).mean()))
    slope = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.15 if order == 1 else 0.3), errors


ORACLE = {  # of the reference: relative error of the final x, VP, data N(0, .5^2), uniform lambda
    1: [-0.36611, -0.21285, -0.11284, -0.058108, -0.029489, -0.014855],
    2: [-0.038324, 0.032728, 0.013022, 0.0035068, 0.00089015, 0.00022332],
}


@pytest.mark.parametrize("order", [1, 2])
def test_dpm_solver_gives_the_table_of_relative_errors(order):
    schedule, found = VP(), []
    exact = np.divide(*(marginal(schedule.level(np.float64(t)), 0.0, 0.5)[1] for t in (schedule.end, schedule.start)))
    for steps in (5, 10, 20, 40, 80, 160):
        sampler = DPMSolver(steps, order, grid=LogSNR(), to_data=False, lower_below=0)
        found.append(affine(sampler, schedule, (0.0, 0.5)).factor / exact - 1.0)
    np.testing.assert_allclose(found, ORACLE[order], rtol=2e-4)
