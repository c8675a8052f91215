"""Euler and Heun beside diffusers (0.35 and later), whole trajectories.

What differs: EulerDiscrete and HeunDiscrete interpolate sigma / alpha between the steps of a schedule, ours log SNR, so
that their times are listed. FlowMatchEuler's own times shift the least sigma twice and include it, and are listed too;
`Shifted` is what the pipelines of Stable Diffusion 3 ask for, linspace(1, 1 / N, N) before the shift.

What is left out: churn in EulerDiscrete and EDMEuler raises sigma after the network was asked, where algorithm 2 of EDM
asks it at the raised sigma (`samplers/test_ode.py` compares with algorithm 2). EDMEuler with a final sigma_min takes a
last step of length 0.
"""

import itertools

import numpy as np
import pytest

from jaxgen.diffusion.grids import Even, Karras, Linspace, Listed, LogSNR, Shifted
from jaxgen.diffusion.samplers import Euler, Heun
from jaxgen.diffusion.schedules import Sigmas, Straight
from tests.diffusion.beside_diffusers import (
    GRIDS,
    MARKS,
    SCHEDULES,
    STEPS,
    at_edm,
    at_flow,
    at_sigmas,
    listed,
    make,
    ours,
    require_same,
    scaled,
    theirs,
)

pytestmark = MARKS

ODE = [
    *itertools.product(SCHEDULES, ["linspace"], ["epsilon"], ["fractional"]),
    *itertools.product(["linear"], ["leading", "trailing", "linspace"], ["epsilon", "v_prediction"], ["steps"]),
    *itertools.product(SCHEDULES, ["linspace"], ["epsilon"], ["karras", "exponential"]),
]


# On the cosine schedule seven steps begin at a sigma of 20,000 and go on at 4: Heun's correction multiplies what
# rounding of their float32 sigmas leaves in the data by 2,600.
ILL = ("cosine", "linspace", "epsilon", "fractional", "Heun")
BOTH = [(*row, solver) for row, solver in itertools.product(ODE, ["Euler", "Heun"]) if (*row, solver) != ILL]


@pytest.mark.parametrize(("name", "spacing", "kind", "sigmas", "solver"), BOTH, ids=str)
def test_euler_and_heun_are_euler_and_heun_discrete_scheduler(name, spacing, kind, sigmas, solver):
    """They hold x / alpha. With ten steps "linspace" has whole times (111 apart), with seven it has not."""
    schedule, settings = SCHEDULES[name]
    num = 7 if sigmas == "fractional" else STEPS
    extra = {f"use_{sigmas}_sigmas": True} if sigmas in ("karras", "exponential") else {}
    scheduler = make(
        f"{solver}DiscreteScheduler", settings, schedule, prediction_type=kind, timestep_spacing=spacing, **extra
    )
    scheduler.set_timesteps(num)
    times = scheduler.timesteps.numpy()
    grid = {"karras": Karras(least_log_snr=None), "exponential": LogSNR(), "steps": GRIDS[spacing]}.get(sigmas)
    if grid is None:
        assert (times != np.round(times)).any()
        grid = listed(schedule, np.unique(scheduler.sigmas.numpy()[:-1])[::-1])
    sampler = {"Euler": Euler, "Heun": Heun}[solver](num, grid)
    states, _ = ours(sampler, schedule, kind)
    asked = np.unique(times)[::-1]
    np.testing.assert_allclose(grid.times(schedule, num), asked, atol=0.3 if sigmas == "fractional" else 1e-3)
    states = scaled(states, schedule, grid, num)
    found = theirs(scheduler, states[0], kind, at_sigmas(scheduler, scaled=True))
    if solver == "Heun":  # each second call completes a step, and the last alone
        found = np.concatenate([found[:-1:2], found[-1:]])
    require_same(states, found)


def test_euler_may_end_at_the_least_sigma():
    schedule, settings = SCHEDULES["linear"]
    scheduler = make(
        "EulerDiscreteScheduler", settings, schedule, timestep_spacing="trailing", final_sigmas_type="sigma_min"
    )
    scheduler.set_timesteps(STEPS)
    grid = Listed((*Even().times(schedule, STEPS), 0.0))
    states, _ = ours(Euler(STEPS, grid, to_data=False), schedule, "epsilon")
    states = states / schedule.level(np.array(grid.listed)).alpha.reshape(-1, 1, 1, 1, 1)
    require_same(states, theirs(scheduler, states[0], "epsilon", at_sigmas(scheduler, scaled=True)))


@pytest.mark.parametrize("spacing", ["karras", "exponential"])
@pytest.mark.parametrize("num", [10, 16])
def test_euler_is_edm_euler_scheduler(spacing, num):
    """With the network's F."""
    schedule, grid = Sigmas(0.002, 80.0), {"karras": Karras(), "exponential": LogSNR()}[spacing]
    scheduler = make("EDMEulerScheduler", {}, sigma_schedule=spacing)
    scheduler.set_timesteps(num)
    states, _ = ours(Euler(num, grid), schedule, "edm")
    np.testing.assert_allclose(schedule.label(grid.times(schedule, num)), scheduler.timesteps.numpy(), atol=1e-5)
    require_same(states, theirs(scheduler, states[0], "edm", at_edm(scheduler)))


@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("by", ["itself", "pipeline"])
def test_euler_is_flow_match_euler_discrete_scheduler(shift, by):
    scheduler = make("FlowMatchEulerDiscreteScheduler", {}, shift=shift)
    if by == "pipeline":
        scheduler.set_timesteps(sigmas=np.linspace(1.0, 1.0 / STEPS, STEPS))
        grid = Shifted(shift)
    else:
        scheduler.set_timesteps(STEPS)
        least = shift * 0.001 / (1.0 + (shift - 1.0) * 0.001)
        even = np.linspace(1.0, least, STEPS)
        grid = Linspace() if shift == 1.0 else Listed(tuple(shift * even / (1.0 + (shift - 1.0) * even)))
    schedule = Straight(1e-3)
    states, _ = ours(Euler(STEPS, grid), schedule, "flow_prediction")
    np.testing.assert_allclose(schedule.label(grid.times(schedule, STEPS)), scheduler.timesteps.numpy(), rtol=1e-5)
    require_same(states, theirs(scheduler, states[0], "flow_prediction", at_flow(scheduler)))
