"""DPM-Solver++ beside diffusers (0.35 and later), whole trajectories.

What differs: the "linspace" and "leading" times of DPMSolverMultistep are those of N + 1 steps without the last, and
are listed; where it ends at sigma_min they are `Linspace` with `to_data=False`. It rounds the time that a network is
told after Karras' or Lu's sigmas (down, for the cosine schedule).

What is left out: EDMDPMSolverMultistep with a final sigma_min takes a last step of length 0. The SDE variants,
"dpmsolver" without ++ and euler_at_final have no counterpart here.
"""

import itertools

import numpy as np
import pytest

from jaxgen.diffusion.grids import Even, Karras, Linspace, Listed, LogSNR
from jaxgen.diffusion.limits import DynamicThreshold
from jaxgen.diffusion.samplers import DPMSolver
from jaxgen.diffusion.schedules import Sigmas, Straight
from tests.diffusion.beside_diffusers import (
    MARKS,
    SCHEDULES,
    STEPS,
    at_edm,
    at_flow,
    at_sigmas,
    make,
    ours,
    require_same,
    theirs,
    torch,
)

pytestmark = MARKS

SOLVER = [
    *itertools.product(SCHEDULES, [1, 2, 3], ["midpoint"], ["trailing"], [10, 16], ["epsilon"]),
    *itertools.product(["linear"], [2, 3], ["heun"], ["trailing"], [10], ["sample", "v_prediction"]),
    *itertools.product(SCHEDULES, [2, 3], ["midpoint"], ["karras", "lu"], [10], ["epsilon"]),
    *itertools.product(["linear"], [2], ["midpoint"], ["linspace", "leading"], [10, 16], ["epsilon"]),
]


def of_solver(num, spacing):
    """Times of DPMSolverMultistep: those of num + 1 steps without the last."""
    if spacing == "linspace":
        return tuple(np.linspace(0, 999, num + 1).round()[:0:-1])
    return tuple(np.arange(num, 0, -1) * float(1000 // (num + 1)))


@pytest.mark.parametrize(("name", "order", "variant", "spacing", "num", "kind"), SOLVER, ids=str)
def test_dpm_solver_is_dpm_solver_multistep_scheduler(name, order, variant, spacing, num, kind):
    schedule, settings = SCHEDULES[name]
    extra = {"karras": {"use_karras_sigmas": True}, "lu": {"use_lu_lambdas": True}}.get(spacing)
    extra = {"timestep_spacing": spacing} if extra is None else extra
    scheduler = make(
        "DPMSolverMultistepScheduler",
        settings,
        schedule,
        solver_order=order,
        solver_type=variant,
        prediction_type=kind,
        **extra,
    )
    scheduler.set_timesteps(num)
    grid = {"trailing": Even(), "karras": Karras(least_log_snr=None), "lu": LogSNR()}.get(spacing) or Listed(
        of_solver(num, spacing)
    )
    states, _ = ours(DPMSolver(num, order, variant, grid), schedule, kind)
    np.testing.assert_allclose(
        grid.times(schedule, num), scheduler.timesteps.numpy(), atol=1.0 if name == "cosine" else 0.51
    )
    require_same(states, theirs(scheduler, states[0], kind, at_sigmas(scheduler, scaled=False)))


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("num", [10, 16])
@pytest.mark.parametrize("lower", [True, False])
def test_dpm_solver_may_end_at_the_least_sigma(order, num, lower):
    schedule, settings = SCHEDULES["linear"]
    scheduler = make(
        "DPMSolverMultistepScheduler",
        settings,
        schedule,
        solver_order=order,
        final_sigmas_type="sigma_min",
        lower_order_final=lower,
    )
    scheduler.set_timesteps(num)
    sampler = DPMSolver(num, order, grid=Linspace(), to_data=False, lower_below=15 if lower else 0)
    states, _ = ours(sampler, schedule, "epsilon")
    require_same(states, theirs(scheduler, states[0], "epsilon", at_sigmas(scheduler, scaled=False)))


def test_dpm_solver_thresholds_alike():
    schedule, settings = SCHEDULES["linear"]
    threshold = {"thresholding": True, "dynamic_thresholding_ratio": 0.7, "sample_max_value": 1.5}
    scheduler = make(
        "DPMSolverMultistepScheduler",
        settings,
        schedule,
        timestep_spacing="trailing",
        lower_order_final=False,
        **threshold,
    )
    scheduler.set_timesteps(STEPS)
    sampler = DPMSolver(STEPS, 2, lower_below=0)
    states, _ = ours(sampler, schedule, "epsilon", DynamicThreshold(0.7, 1.5))
    assert np.abs(states - ours(sampler, schedule, "epsilon")[0]).max() > 1e-2
    require_same(states, theirs(scheduler, states[0], "epsilon", at_sigmas(scheduler, scaled=False)))


EDM = [(1, "midpoint"), (2, "midpoint"), (2, "heun"), (3, "midpoint")]


@pytest.mark.parametrize("spacing", ["karras", "exponential"])
@pytest.mark.parametrize(("order", "variant"), EDM)
@pytest.mark.parametrize("num", [10, 16])
def test_dpm_solver_is_edm_dpm_solver_multistep_scheduler(order, variant, spacing, num):
    """With the network's F."""
    schedule, grid = Sigmas(0.002, 80.0), {"karras": Karras(), "exponential": LogSNR()}[spacing]
    settings = {"solver_order": order, "solver_type": variant, "sigma_schedule": spacing}
    scheduler = make("EDMDPMSolverMultistepScheduler", settings)
    scheduler.set_timesteps(num)
    states, _ = ours(DPMSolver(num, order, variant, grid), schedule, "edm")
    np.testing.assert_allclose(schedule.label(grid.times(schedule, num)), scheduler.timesteps.numpy(), atol=1e-5)
    require_same(states, theirs(scheduler, states[0], "edm", at_edm(scheduler)))


@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_dpm_solver_takes_flows_alike(order, shift):
    settings = {"use_flow_sigmas": True, "flow_shift": shift, "prediction_type": "flow_prediction"}
    scheduler = make("DPMSolverMultistepScheduler", settings, solver_order=order)
    scheduler.set_timesteps(STEPS)
    schedule, grid = Straight(), Listed(tuple(scheduler.sigmas[:-1].to(torch.float64).tolist()))
    states, _ = ours(DPMSolver(STEPS, order, grid=grid), schedule, "flow_prediction")
    require_same(states, theirs(scheduler, states[0], "flow_prediction", at_flow(scheduler)))
