"""One fixed nonlinear denoiser, and its whole trajectories: by our samplers and by the schedulers of diffusers."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion import predictions
from jaxgen.diffusion.grids import Even, Leading, Linspace, Listed
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.predictions import Prediction, estimate, target
from jaxgen.diffusion.samplers import run
from jaxgen.diffusion.schedules import CosineBetas, Level, LinearBetas, ScaledLinearBetas

MISSING = "not installed: pip install 'jaxgen[benchmark]'"
try:
    import diffusers
    import torch
except ImportError:  # the tests of this file's users are skipped; doctests load this file too
    diffusers = torch = None

MARKS = [
    pytest.mark.skipif(diffusers is None, reason=f"torch and diffusers are {MISSING}"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]
"""Of every test beside diffusers; NumPy 2 gives that warning for torch's arrays."""

SCHEDULES = {
    "linear": (LinearBetas(), {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}),
    "scaled": (ScaledLinearBetas(), {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}),
    "cosine": (CosineBetas(), {"beta_schedule": "squaredcos_cap_v2"}),
}
KINDS = {
    "epsilon": predictions.Noise(),
    "sample": predictions.Data(),
    "v_prediction": predictions.V(),
    "flow_prediction": predictions.Velocity(),
    "edm": predictions.Preconditioned(0.5),
}

SHAPE = (3, 2, 2, 2)
STEPS = 10


def denoised(x, level, lib):
    """An estimate of the data that is not linear in x; some numbers of it leave [-1, 1]."""
    scaled = x / lib.sqrt(level.alpha**2 + level.sigma**2)
    return (
        0.9 * lib.tanh(2.0 * scaled)
        + 0.4 * scaled * level.alpha / (level.alpha + level.sigma)
        + 0.3 * lib.sin(3.0 * scaled)
    )


def output_of(kind, x, level):
    """What a network of this kind predicts, in NumPy."""
    data = denoised(x, level, np)
    noise = (x - level.alpha * data) / level.sigma
    match kind:
        case "epsilon":
            return noise
        case "sample":
            return data
        case "v_prediction":
            return level.alpha * noise - level.sigma * data
        case "flow_prediction":
            return noise - data
        case "edm":
            s = level.sigma / level.alpha
            return (data - 0.25 / (s**2 + 0.25) * x / level.alpha) * np.sqrt(s**2 + 0.25) / (0.5 * s)


def ours(sampler, schedule, kind, limit=None, variance=None):
    """All states from a start at the schedule's first time, and the noises of the steps: float64."""
    limit, kind = NoLimit() if limit is None else limit, KINDS[kind]
    first = schedule.level(np.float64(sampler.grid.times(schedule, sampler.steps + (not sampler.to_data))[0]))
    start = np.random.default_rng(0).normal(size=SHAPE) * np.sqrt(0.2 * first.alpha**2 + first.sigma**2)
    keys = jax.random.split(jax.random.key(1), SHAPE[0])

    def denoise(noisy, point):
        data = denoised(noisy, point.level, jnp)
        noise = (noisy - point.level.alpha * data) / point.level.sigma
        learned = None if variance is None else jnp.full_like(noisy, variance)
        found = estimate(Prediction(target(kind, point.level, data, noise), kind, learned), point.level, noisy)
        return limit.apply(found, point.level, noisy, (-1.0, 1.0))

    with jax.enable_x64(True):
        drawn = [
            jax.vmap(lambda key, i=i: jax.random.normal(jax.random.fold_in(key, i), SHAPE[1:]))(keys)
            for i in range(sampler.steps)
        ]
        states = run(sampler, schedule, denoise, jnp.asarray(start), keys, keep=True)
    return np.asarray(states), np.asarray(drawn)


def theirs(scheduler, start, kind, level_of, **settings):
    """All states; `level_of` gives the level of call i at a time, `settings` may have arrays, a row a call."""
    x = torch.from_numpy(np.array(start))
    states = [x.numpy()]
    for i, t in enumerate(scheduler.timesteps):
        now = {name: value(i) if callable(value) else value for name, value in settings.items()}
        level, scale = level_of(i, t)
        output = torch.from_numpy(output_of(kind, scale * x.numpy(), level))
        scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else None
        x = scheduler.step(output, t, x, **now).prev_sample.to(torch.float64)
        states.append(x.numpy())
    return np.stack(states)


def require_same(found, wanted):
    """1e-4 of each number, or of the state's size where that is above 1."""
    assert found.shape == wanted.shape
    for i, (one, other) in enumerate(zip(found, wanted, strict=True)):
        np.testing.assert_allclose(
            one, other, rtol=1e-4, atol=1e-4 * max(1.0, np.abs(other).max()), err_msg=f"state {i}"
        )
    assert np.abs(found[1:] - found[:-1]).max() > 0.05


def at_times(schedule):
    """Levels of a discrete schedule, for schedulers that hold x itself."""
    return lambda i, t: (schedule.level(np.float64(t)), 1.0)


def at_sigmas(scheduler, *, scaled):
    """Levels by the scheduler's own sigmas; with `scaled` it holds x / alpha."""

    def level_of(i, t):
        sigma = float(scheduler.sigmas[i])
        alpha = 1.0 / np.sqrt(sigma**2 + 1.0)
        return Level(alpha, sigma * alpha), alpha if scaled else 1.0

    return level_of


def make(name, settings, schedule=None, **more):
    """A scheduler, for a discrete schedule with its table of alpha bars in float64.

    In its own float32 the last ones of the cosine schedule are good to 1e-4 alone, and its first sigma is 20,000.
    """
    scheduler = getattr(diffusers, name)(**settings, **more)
    if schedule is not None:
        scheduler.alphas_cumprod = torch.from_numpy(
            schedule.level(np.arange(schedule.steps, dtype=np.float64)).alpha ** 2
        )
    return scheduler


def module_of(scheduler):
    """Where a name is to be replaced."""
    return importlib.import_module(type(scheduler).__module__)


GRIDS = {"leading": Leading(), "trailing": Even(), "linspace": Linspace()}


def listed(schedule, sigmas):
    """The times at which a schedule has these sigma / alpha."""
    return Listed(tuple(np.minimum(schedule.time(-2.0 * np.log(np.asarray(sigmas, np.float64))), schedule.start)))


def scaled(states, schedule, grid, num):
    """x / alpha at each state of a path to the data."""
    alphas = np.append(schedule.level(grid.times(schedule, num)).alpha, 1.0)
    return states / alphas.reshape(-1, 1, 1, 1, 1)


def at_flow(scheduler):
    """Levels of the straight path."""
    return lambda i, t: (Level(1.0 - float(scheduler.sigmas[i]), float(scheduler.sigmas[i])), 1.0)


def at_edm(scheduler):
    """Levels of EDM: alpha is 1."""
    return lambda i, t: (Level(1.0, float(scheduler.sigmas[i])), 1.0)
