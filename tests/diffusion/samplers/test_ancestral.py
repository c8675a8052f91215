import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.grids import Karras, Leading, Linspace, LogSNR
from jaxgen.diffusion.limits import Clip, NoLimit
from jaxgen.diffusion.predictions import Estimate, Noise
from jaxgen.diffusion.samplers import DDIM, Ancestral, Renoise, run
from jaxgen.diffusion.samplers.ancestral import step_variances
from jaxgen.diffusion.samplers.path import path
from jaxgen.diffusion.schedules import VP, CosineBetas, LinearBetas, Sigmas
from tests.diffusion.oracles import gaussian, posterior_mean
from tests.diffusion.recursions import affine, responses

BETAS = LinearBetas()
ALL = path(BETAS, Linspace(), 1000, to_data=True)
"""Each step after the other."""


def denoise(noisy, point):
    """Linear in x: of N(0, .5^2)."""
    data = posterior_mean(point.level, noisy, 0.0, 0.5)
    return Estimate(data, (noisy - point.level.alpha * data) / point.level.sigma)


def test_variances_of_steps_are_those_of_the_posterior_and_of_the_forward_process():
    """beta~ at t = 0, 1, 2 and 999 as in the reference; beta_t itself."""
    small, large = (each[::-1] for each in step_variances(ALL.points.level, ALL.next.level))
    wanted = [0, 5.45318766e-5, 8.54891152e-5, 0.0199999835]
    np.testing.assert_allclose(small[[0, 1, 2, 999]], wanted, rtol=1e-7, atol=1e-12)
    assert np.log(small[1]) == pytest.approx(-9.816725135, abs=1e-6)
    np.testing.assert_allclose(large, BETAS.betas(), rtol=1e-9)
    assert (large >= small).all()


@pytest.mark.parametrize("schedule", [BETAS, CosineBetas()], ids=lambda each: type(each).__name__)
def test_a_step_to_the_next_time_has_the_mean_of_the_posterior(schedule):
    """Equation 11 of DDPM: (x_t - beta / sigma_t epsilon) / sqrt(1 - beta), and the posterior of x_0 and x_t."""
    rows, betas = Ancestral(1000, limit=NoLimit()).rows(schedule), schedule.betas()[::-1]
    level, following = rows.point.level, path(schedule, Linspace(), 1000, to_data=True).next.level
    x, noise = 0.7, -1.3
    data = (x - level.sigma * noise) / level.alpha
    mean = rows.alpha * data + rows.direction * noise
    np.testing.assert_allclose(mean, (x - betas / level.sigma * noise) / np.sqrt(1 - betas), rtol=1e-7)
    of_data = following.alpha * betas / level.sigma**2
    of_noisy = np.sqrt(1 - betas) * following.sigma**2 / level.sigma**2
    np.testing.assert_allclose(mean, of_data * data + of_noisy * x, rtol=1e-7)


GAUSSIAN = {  # of the reference: deviation of what DDIM makes of data from N(0, .5^2), by eta and steps
    0.0: {10: 0.3620, 50: 0.4725, 100: 0.4864, 1000: 0.4991},
    1.0: {10: 0.3223, 50: 0.4427, 100: 0.4684, 1000: 0.4950},
}


@pytest.mark.parametrize(
    ("eta", "steps"),
    [
        pytest.param(eta, steps, marks=() if steps == 10 else pytest.mark.exhaustive)
        for eta, row in GAUSSIAN.items()
        for steps in row
    ],
)
def test_ddim_gives_the_table_of_the_reference_for_gaussian_data(eta, steps):
    """Times are equal steps from 999 to 0, the start is from N(0, 1). The table is of 200,000 samples."""
    sampler = DDIM(steps, eta, Linspace(), NoLimit())
    found = responses(sampler, BETAS, denoise).deviation(1.0)
    assert found == pytest.approx(GAUSSIAN[eta][steps], rel=2 / 400_000**0.5)
    assert found == pytest.approx(affine(sampler, BETAS, (0.0, 0.5)).deviation(1.0), rel=1e-9)


@pytest.mark.parametrize(
    "schedule",
    [BETAS, *(pytest.param(each, marks=pytest.mark.exhaustive) for each in (VP(), Sigmas(0.1, 20.0)))],
    ids=lambda each: type(each).__name__,
)
def test_ddim_with_eta_1_is_the_ancestral_sampler_with_the_small_variance(schedule):
    one, other = DDIM(6, 1.0, Linspace(), NoLimit()), Ancestral(6, "small", Linspace(), NoLimit())
    keys = jax.random.split(jax.random.key(0), 3)
    denoise = gaussian(0.3, 0.2, Noise())
    found = jax.jit(lambda start: [run(each, schedule, denoise, start, keys) for each in (one, other)])(
        jnp.ones((3, 2))
    )
    np.testing.assert_allclose(*found, atol=1e-6)


def test_the_last_step_adds_no_noise_only_if_it_leads_to_the_data():
    for sampler in (DDIM(4, 1.0, limit=NoLimit()), Ancestral(4, limit=NoLimit())):
        assert responses(sampler, BETAS, denoise).weights[-1] == 0.0
        onward = dataclasses.replace(sampler, to_data=False, grid=Linspace())
        assert responses(onward, BETAS, denoise).weights[-1] > 1e-3


def test_more_eta_is_more_noise_and_eta_0_is_none():
    weights = [responses(DDIM(5, eta, limit=NoLimit()), BETAS, denoise).weights for eta in (0.0, 0.5, 1.0)]
    assert (weights[0] == 0.0).all() and not DDIM().stochastic and DDIM(eta=0.1).stochastic
    assert (weights[1][:-1] > 0).all() and (weights[2][-2] > 1.9 * weights[1][-2])


def test_steps_of_unequal_length_have_the_variances_of_ddims_equation_16():
    """sqrt((1 - a_n) / (1 - a_t)) sqrt(1 - a_t / a_n), a the squares of alpha."""
    rows = DDIM(10, 1.0, Leading(), NoLimit()).rows(BETAS)
    times = np.arange(10)[::-1] * 100.0
    here, there = (BETAS.level(times).alpha ** 2, np.append(BETAS.level(times[1:]).alpha ** 2, 1.0))
    wanted = (1 - there) / (1 - here) * (1 - here / there)
    np.testing.assert_allclose(np.exp(rows.log_small)[:-1], wanted[:-1], rtol=1e-9)
    np.testing.assert_array_equal(rows.noisy, [*[1.0] * 9, 0.0])


@pytest.mark.parametrize(("v", "like"), [(1.0, "large"), (0.0, "small")])
def test_a_learned_variance_lies_between_the_fixed_ones(v, like):
    def with_variance(noisy, point):
        return denoise(noisy, point)._replace(variance=jnp.full_like(noisy, v))

    learned, fixed = (
        responses(Ancestral(4, variance, limit=NoLimit()), BETAS, by)
        for variance, by in (("learned", with_variance), (like, denoise))
    )
    np.testing.assert_allclose(learned.weights, fixed.weights, rtol=1e-12)


def test_a_learned_variance_is_interpolated_in_the_logarithm_for_each_number():
    sampler, v = Ancestral(2, "learned", limit=NoLimit()), jnp.array([[0.0, 0.25, 1.0]])
    row = jax.tree.map(lambda values: np.float32(values[0]), sampler.rows(BETAS))
    nothing = Estimate(jnp.zeros((1, 3)), jnp.zeros((1, 3)), v)
    found, _ = sampler.step(lambda noisy, point: nothing, (jnp.zeros((1, 3)), ()), row, jnp.ones((1, 3)))
    small, large = (np.exp(each[0]) for each in (sampler.rows(BETAS).log_small, sampler.rows(BETAS).log_large))
    np.testing.assert_allclose(found, np.sqrt(small ** (1 - v) * large**v), rtol=1e-5)


def test_a_network_without_a_variance_is_refused_where_it_is_learned():
    with pytest.raises(ValueError, match="variance is 'learned', but must be 'small' or 'large'"):
        run(Ancestral(2, "learned"), BETAS, denoise, jnp.zeros((1, 1)), jax.random.split(jax.random.key(0), 1))


def test_the_defaults_are_those_of_the_papers():
    assert DDIM() == DDIM(50, 0.0, limit=Clip()) and Ancestral() == Ancestral(1000, "large", limit=Clip())


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        (DDIM, {"steps": 0}, "steps is 0, but must be at least 1"),
        (DDIM, {"eta": -0.1}, "eta is -0.1, but must be at least 0"),
        (DDIM, {"eta": 1.1}, "eta is 1.1, but must be at most 1"),
        (Ancestral, {"steps": 0}, "steps is 0, but must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        kind(**settings)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_renoise_asks_above_the_last_time_and_adds_what_the_data_lack(steps):
    """For EDM's levels: the states have the deviation of the grid, and the last one adds nothing."""
    schedule = Sigmas(0.02, 20.0)
    rows = Renoise(steps).rows(schedule)
    grid = Karras().times(schedule, steps + 1)
    np.testing.assert_allclose(rows.point.time, grid[:-1])
    np.testing.assert_allclose(rows.deviation**2 + 0.02**2, grid[1:] ** 2, rtol=1e-9)
    assert rows.deviation[-1] == 0 and Renoise(steps).stochastic == (steps > 1) and Renoise(steps).evaluations == steps


def test_renoise_of_a_preserving_schedule_keeps_the_variance():
    rows = Renoise(3, grid=LogSNR()).rows(VP())
    last = VP().level(np.float64(VP().end))
    least = float(last.sigma / last.alpha)
    np.testing.assert_allclose(rows.deviation**2 + rows.alpha**2 * (1 + least**2), 1.0, rtol=1e-6)
