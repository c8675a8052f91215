"""Adaptive steps on the exact denoiser of Gaussian data: the closed form, stretches, inversion, evaluations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.predictions import Noise, Preconditioned, Velocity
from jaxgen.diffusion.samplers import Adaptive, Heun, run
from jaxgen.diffusion.schedules import VE, VP, Cosine, LinearBetas, Sigmas, Straight, SubVP
from tests.diffusion.oracles import gaussian, marginal, posterior_mean

DATA = 0.3, 0.2
SCHEDULES = [
    (VP(end=1e-5), Noise()),
    (SubVP(), Noise()),
    (VE(), Noise()),
    (Sigmas(), Preconditioned(0.5)),
    (Straight(), Velocity()),
    (Cosine(), Velocity()),
]
of_each = pytest.mark.parametrize(
    ("schedule", "kind"),
    [
        pytest.param(*each, marks=() if isinstance(each[0], VE | Straight) else pytest.mark.exhaustive)
        for each in SCHEDULES
    ],
    ids=str,
)
DISTANCES = np.array([[-1.5], [0.2], [1.0]])
"""From the mean, in deviations: the path keeps them."""


def ends(schedule):
    """x at the noisiest time and at the least noisy one, and the data estimated there."""
    first, last = (schedule.level(np.float64(time)) for time in (schedule.start, schedule.end))
    start, end = (mean + deviation * DISTANCES for mean, deviation in (marginal(each, *DATA) for each in (first, last)))
    return jnp.asarray(start, jnp.float32), end, posterior_mean(last, end, *DATA)


@of_each
def test_samples_of_gaussian_data_are_the_closed_form(schedule, kind):
    start, end, data = ends(schedule)
    denoise = gaussian(*DATA, kind)
    found = run(Adaptive(tolerance=1e-6), schedule, denoise, start, None)
    np.testing.assert_allclose(found, data, atol=2e-4)
    found = run(Adaptive(tolerance=1e-6, to_data=False), schedule, denoise, start, None)
    np.testing.assert_allclose(found, end, atol=2e-4)


@of_each
def test_stretches_give_the_states_between_and_the_same_end(schedule, kind):
    start, _, data = ends(schedule)
    states = jax.jit(lambda start: run(Adaptive(3), schedule, gaussian(*DATA, kind), start, None, keep=True))(start)
    assert states.shape == (4, *start.shape)
    np.testing.assert_array_equal(states[0], start)
    np.testing.assert_allclose(states[-1], data, atol=1e-3)
    for number, time in enumerate(np.linspace(schedule.start, schedule.end, 4)[1:-1], 1):
        mean, deviation = marginal(schedule.level(np.float64(time)), *DATA)
        np.testing.assert_allclose(states[number], mean + deviation * DISTANCES, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("to_data", [True, False])
@of_each
def test_inversion_is_undone_by_the_sampler(schedule, kind, to_data):
    sampler, denoise = Adaptive(tolerance=1e-6, to_data=to_data), gaussian(*DATA, kind)
    images = jnp.array([[0.0], [0.35], [0.6]])
    latents = sampler.invert(schedule, denoise, images)
    again = run(sampler, schedule, denoise, latents, None)
    np.testing.assert_allclose(again, images, atol=0.01 if to_data else 1e-3)


def test_fewer_evaluations_than_equal_steps_of_the_same_error():
    schedule, kind = VP(end=1e-5), Noise()
    start, _, data = ends(schedule)

    def cost(sampler):
        calls = []

        def counted(x, point):
            jax.debug.callback(lambda: calls.append(1))
            return gaussian(*DATA, kind)(x, point)

        found = jax.block_until_ready(run(sampler, schedule, counted, start, None))
        jax.effects_barrier()
        return float(jnp.abs(found - data).max()), len(calls)

    error, num = cost(Adaptive(tolerance=1e-4))
    equal, more = cost(Heun(100))
    assert error < equal and num < more


def test_derivatives_go_through_the_steps():
    schedule, kind = VP(), Noise()
    start, _, data = ends(schedule)
    found = jax.grad(lambda x: run(Adaptive(tolerance=1e-4), schedule, gaussian(*DATA, kind), x, None).sum())(start)
    slope = (data[1] - data[0]) / np.asarray(start[1] - start[0], np.float64)
    np.testing.assert_allclose(found, np.broadcast_to(slope, found.shape), rtol=1e-2)


def test_discrete_schedules_and_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="must be in continuous time, such as VP"):
        Adaptive().rows(LinearBetas())
    with pytest.raises(ValueError, match="tolerance is 0"):
        Adaptive(tolerance=0.0)
    with pytest.raises(ValueError, match="steps is 0"):
        Adaptive(0)
