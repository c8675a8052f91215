"""Schedules, DDPM and DDIM beside diffusers (0.35 and later), whole trajectories.

What differs and is left out: DDIM's "linspace", and its "trailing" where N does not divide T, step to t - T // N and
not to the next time. DDPM's last step adds noise where its time is above 0 ("trailing" with fixed_large). "linspace"
with one step takes time 0. Betas rescaled to zero SNR have no counterpart here.
"""

import itertools

import numpy as np
import pytest

from jaxgen.diffusion.grids import Leading
from jaxgen.diffusion.limits import Clip, DynamicThreshold, NoLimit
from jaxgen.diffusion.samplers import DDIM, Ancestral
from jaxgen.diffusion.schedules import LinearBetas
from tests.diffusion.beside_diffusers import (
    GRIDS,
    MARKS,
    SCHEDULES,
    STEPS,
    at_times,
    make,
    module_of,
    ours,
    require_same,
    theirs,
    torch,
)

pytestmark = MARKS


@pytest.mark.parametrize("name", SCHEDULES)
def test_betas_and_alpha_bars_are_the_same(name):
    """In float32, of which 1 - .999 is good to 1e-4."""
    schedule, settings = SCHEDULES[name]
    scheduler = make("DDPMScheduler", settings)
    np.testing.assert_allclose(schedule.betas(), scheduler.betas.numpy(), rtol=2e-6)
    found = schedule.level(np.arange(1000.0)).alpha ** 2
    np.testing.assert_allclose(found, scheduler.alphas_cumprod.numpy(), rtol=1e-4)


@pytest.mark.parametrize("num", [1, 2, 5, 7, 10, 30, 50, 100, 250, 1000])
def test_times_of_ddpm_and_ddim_are_the_same(num):
    for (spacing, grid), name in itertools.product(GRIDS.items(), ("DDPMScheduler", "DDIMScheduler")):
        if spacing == "linspace" and num == 1:
            continue  # they count from the data, and NumPy's linspace of one number is its first
        scheduler = make(name, {}, timestep_spacing=spacing)
        scheduler.set_timesteps(num)
        np.testing.assert_array_equal(grid.times(LinearBetas(), num), scheduler.timesteps.numpy())
    scheduler = make("DDIMScheduler", {}, timestep_spacing="leading", steps_offset=1)
    if num < 1000:
        scheduler.set_timesteps(num)
        np.testing.assert_array_equal(Leading(1).times(LinearBetas(), num), scheduler.timesteps.numpy())


DDPM = [
    *itertools.product(SCHEDULES, ["small", "large"], ["epsilon"], [True], ["leading"]),
    *itertools.product(["linear"], ["small", "large"], ["sample", "v_prediction"], [True, False], ["linspace"]),
    *itertools.product(["cosine"], ["small"], ["sample", "v_prediction"], [False], ["trailing"]),
    ("scaled", "learned", "epsilon", True, "leading"),
]


@pytest.mark.parametrize(("name", "variance", "kind", "clip", "spacing"), DDPM, ids=str)
def test_the_ancestral_sampler_is_ddpm_scheduler(name, variance, kind, clip, spacing, monkeypatch):
    schedule, settings = SCHEDULES[name]
    v = 0.3 if variance == "learned" else None
    limit = Clip() if clip else NoLimit()
    states, noises = ours(Ancestral(STEPS, variance, GRIDS[spacing]), schedule, kind, limit, v)
    like = "learned_range" if variance == "learned" else f"fixed_{variance}"
    scheduler = make(
        "DDPMScheduler",
        settings,
        schedule,
        variance_type=like,
        clip_sample=clip,
        prediction_type=kind,
        timestep_spacing=spacing,
    )
    scheduler.set_timesteps(STEPS)
    rows = iter(noises)
    monkeypatch.setattr(
        module_of(scheduler), "randn_tensor", lambda *args, **kwargs: torch.from_numpy(next(rows).copy())
    )
    if v is not None:
        step = scheduler.step
        scheduler.step = lambda output, *rest: step(
            torch.cat([output, torch.full_like(output, 2.0 * v - 1.0)], 1), *rest
        )
    require_same(states, theirs(scheduler, states[0], kind, at_times(schedule)))


DDIMS = [
    *itertools.product(SCHEDULES, ["leading", "trailing"], [0.0, 0.5], ["epsilon"], ["clip"]),
    *itertools.product(
        ["linear"], ["trailing"], [0.5], ["epsilon", "sample", "v_prediction"], ["none", "keep", "threshold"]
    ),
]


@pytest.mark.parametrize(("name", "spacing", "eta", "kind", "limit"), DDIMS, ids=str)
def test_ddim_is_ddim_scheduler(name, spacing, eta, kind, limit):
    """`use_clipped_model_output` is `keep_noise=False`."""
    schedule, settings = SCHEDULES[name]
    limits = {
        "none": NoLimit(),
        "clip": Clip(),
        "keep": Clip(keep_noise=True),
        "threshold": DynamicThreshold(0.7, 1.5),
    }
    sampler = DDIM(STEPS, eta, GRIDS[spacing])
    states, noises = ours(sampler, schedule, kind, limits[limit])
    assert limit == "none" or np.abs(states - ours(sampler, schedule, kind)[0]).max() > 1e-2
    scheduler = make(
        "DDIMScheduler",
        settings,
        schedule,
        clip_sample=limit in ("clip", "keep"),
        thresholding=limit == "threshold",
        dynamic_thresholding_ratio=0.7,
        sample_max_value=1.5,
        prediction_type=kind,
        timestep_spacing=spacing,
    )
    scheduler.set_timesteps(STEPS)
    found = theirs(
        scheduler,
        states[0],
        kind,
        at_times(schedule),
        eta=eta,
        use_clipped_model_output=limit in ("clip", "threshold"),
        variance_noise=lambda i: torch.from_numpy(noises[i].copy()),
    )
    require_same(states, found)
