import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.grids import Even, Karras, Linspace, Listed, Usual
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.predictions import Estimate
from jaxgen.diffusion.samplers import DDIM, Churn, DPMSolver, Euler, Heun, run
from jaxgen.diffusion.schedules import VE, VP, Cosine, CosineBetas, LinearBetas, Sigmas, Straight
from tests.diffusion.oracles import posterior_mean

SCHEDULES = [LinearBetas(), CosineBetas(), VP(), Cosine(), VE(0.02, 20.0), Sigmas(0.01, 20.0), Straight()]


def exact(mean, deviation):
    """The denoiser of N(mean, deviation^2)."""

    def denoise(noisy, point):
        data = posterior_mean(point.level, noisy, mean, deviation)
        return Estimate(data, (noisy - point.level.alpha * data) / point.level.sigma)

    return denoise


def results(samplers, schedule, denoise, start=1.0):
    """What each sampler makes of the start, in float64; one program for all."""
    with jax.enable_x64(True):
        found = jax.jit(
            lambda start: jnp.stack([run(each, schedule, denoise, start, None)[0, 0] for each in samplers])
        )(jnp.full((1, 1), start, jnp.float64))
        return np.asarray(found)


STEPS = (1, 2, 5, 10, 20, 50, 100)
FLOW = {  # of the reference: from x = 1 for data from N(0, s^2)
    0.5: (
        [0, 0.2, 0.3692307692, 0.4307826049, 0.4642475007, 0.4853967383, 0.4926454763],
        [0.5, 0.48, 0.5043727811, 0.5017199122, 0.5005083802],
    ),
    2.0: (
        [0, 0.8, 1.476923077, 1.723130419, 1.856990003, 1.941586953, 1.970581905],
        [0.5, 1.53, 1.945218195, 1.988280666, 1.997354786],
    ),
}


@pytest.mark.parametrize("deviation", FLOW)
def test_euler_gives_the_table_of_flow_matching(deviation):
    samplers = [Euler(steps) for steps in STEPS]
    np.testing.assert_allclose(results(samplers, Straight(), exact(0.0, deviation)), FLOW[deviation][0], atol=1e-9)


@pytest.mark.parametrize("deviation", FLOW)
def test_heun_gives_the_table_of_flow_matching(deviation):
    """It corrects the last step too, which ours does where it does not lead to the data: here to t = 1e-6."""
    samplers = [Heun(steps, grid=Linspace(), to_data=False) for steps in STEPS[:5]]
    found = results(samplers, Straight(1e-6), exact(0.0, deviation))
    np.testing.assert_allclose(found, FLOW[deviation][1], atol=4e-6)


EDM = {  # of the reference: relative error of the deviation, data from N(0, .5^2), sigma from 80 to 0.002
    9: (0.278, -0.301),
    18: (0.0553, -0.154),
    40: (0.00977, -0.070),
    100: (0.00146, -0.028),
}


def test_heun_and_euler_make_the_errors_of_edms_table():
    samplers = [kind(steps, grid=Karras()) for kind in (Heun, Euler) for steps in EDM]
    found = results(samplers, Sigmas(), exact(0.0, 0.5), 80.0) / (80 * 0.5 / np.sqrt(80**2 + 0.5**2)) - 1.0
    np.testing.assert_allclose(found[:4], [row[0] for row in EDM.values()], rtol=5e-3)
    np.testing.assert_allclose(found[4:], [row[1] for row in EDM.values()], atol=6e-4)
    assert found[2] / found[3] > 4


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda each: type(each).__name__)
def test_euler_is_ddim_without_noise(schedule):
    samplers = [Euler(6, Linspace()), DDIM(6, 0.0, Linspace(), NoLimit())]
    one, other = results(samplers, schedule, exact(0.3, 0.2), 0.7)
    assert one == pytest.approx(other, abs=1e-10)


CONSTANT = [Euler(3), Heun(3), Heun(3, churn=Churn()), DDIM(3, limit=NoLimit()), DPMSolver(3, 2), DPMSolver(4, 3)]


@pytest.mark.parametrize(
    "schedule", [LinearBetas(), Sigmas(0.01, 20.0), Straight()], ids=lambda each: type(each).__name__
)
def test_for_a_constant_estimate_of_the_data_every_sampler_is_exact(schedule):
    """x_n = alpha_n c + sigma_n / sigma_t (x_t - alpha_t c), in steps of any length and number; then c itself."""
    c, x = -0.4, 1.5

    def constant(noisy, point):
        data = jnp.full_like(noisy, c)
        return Estimate(data, (noisy - point.level.alpha * data) / point.level.sigma)

    samplers = [dataclasses.replace(each, grid=Linspace()) for each in CONSTANT]
    np.testing.assert_allclose(results(samplers, schedule, constant, x), c, atol=1e-12)
    samplers = [dataclasses.replace(each, to_data=False) for each in samplers]
    level, last = (schedule.level(np.float64(t)) for t in (schedule.start, schedule.end))
    wanted = last.alpha * c + last.sigma / level.sigma * (x - level.alpha * c)
    np.testing.assert_allclose(results(samplers, schedule, constant, x), wanted, atol=1e-8)


def algorithm_2(denoiser, sigmas, churn, x, noises):
    """EDM's sampler, from its pseudocode: t_i = sigma_i, t_N = 0."""
    times, num = np.append(sigmas, 0.0), len(sigmas)
    most = np.inf if churn.most is None else churn.most
    for i, noise in enumerate(noises):
        gamma = min(churn.amount / num, 2**0.5 - 1) if churn.least <= times[i] <= most else 0.0
        raised = times[i] + gamma * times[i]
        x = x + np.sqrt(raised**2 - times[i] ** 2) * churn.deviation * noise
        d = (x - denoiser(x, raised)) / raised
        after = x + (times[i + 1] - raised) * d
        if times[i + 1] != 0:
            d_after = (after - denoiser(after, times[i + 1])) / times[i + 1]
            after = x + (times[i + 1] - raised) * (d + d_after) / 2
        x = after
    return x


@pytest.mark.parametrize(
    "churn",
    [Churn(), Churn(4.0), Churn(30.0, 0.05, 10.0, 1.003), pytest.param(Churn(80.0), marks=pytest.mark.exhaustive)],
    ids=str,
)
def test_heun_is_edms_algorithm_2(churn):
    """For a nonlinear denoiser, with the same noises; the amount is bounded by sqrt(2) - 1."""

    def denoiser(x, sigma, lib=np):
        return lib.tanh(x / lib.sqrt(1.0 + sigma**2)) + 0.1 * sigma / (1.0 + sigma)

    def denoise(noisy, point):
        sigma = point.level.sigma
        data = denoiser(noisy, sigma, jnp)
        return Estimate(data, (noisy - data) / sigma)

    schedule, steps, keys = Sigmas(0.01, 20.0), 7, jax.random.split(jax.random.key(0), 4)
    with jax.enable_x64(True):
        start = 20.0 * jnp.linspace(-1.0, 1.0, 4)[:, None]
        found = run(Heun(steps, churn=churn), schedule, denoise, start, keys)
        fold = jax.vmap(lambda key, step: jax.random.normal(jax.random.fold_in(key, step), (1,)), (0, None))
        noises = np.stack([fold(keys, step) for step in range(steps)])
    wanted = algorithm_2(denoiser, Karras().times(schedule, steps), churn, np.asarray(start), noises)
    np.testing.assert_allclose(found, wanted, atol=1e-10)


def test_no_churn_draws_no_noise():
    assert not Euler().stochastic and not Heun(churn=Churn(0.0, 1.0)).stochastic
    assert Euler(churn=Churn(1.0)).stochastic and Heun(churn=Churn(1.0)).stochastic


def test_churn_outside_of_its_interval_adds_nothing():
    rows = Euler(3, Listed((10.0, 1.0, 0.1)), churn=Churn(0.9, 0.5, 5.0, 2.0)).rows(Sigmas(0.05, 20.0))
    np.testing.assert_allclose(rows.point.level.sigma, [10.0, 1.3, 0.1])
    np.testing.assert_allclose(rows.added, [0.0, 2 * np.sqrt(1.3**2 - 1), 0.0])
    np.testing.assert_allclose(rows.rescaled, 1.0)
    np.testing.assert_allclose(rows.point.time, [10.0, 1.3, 0.1])


@pytest.mark.parametrize("schedule", [Straight(), Cosine()], ids=str)
def test_churn_is_refused_where_a_schedule_begins_at_pure_noise(schedule):
    for sampler in (Euler(4, Even(), churn=Churn(1.0)), Heun(4, Even(), churn=Churn(1.0))):
        with pytest.raises(ValueError, match=r"churn is 1\.0, but must be 0 for a schedule that begins at pure noise"):
            sampler.rows(schedule)


def test_one_euler_step_is_exact_on_straight_paths():
    """If each noise is paired with one image, as after reflow: x_0 = 2 epsilon - 1 here, whatever x_t is."""

    def straight(noisy, point):
        t = point.level.sigma
        noise = (noisy + (1.0 - t)) / (2.0 * (1.0 - t) + t)
        return Estimate(2.0 * noise - 1.0, noise)

    np.testing.assert_allclose(
        results([Euler(1), Euler(5), Heun(3, Even())], Straight(), straight, 0.3), -0.4, atol=1e-12
    )


def test_the_defaults_are_edms():
    assert Heun() == Heun(18, Karras(7.0, -10.2)) and Euler() == Euler(50, Usual())
    assert Churn() == Churn(0.0, 0.0, None, 1.0)


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        (Euler, {"steps": 0}, "steps is 0, but must be at least 1"),
        (Heun, {"steps": 0}, "steps is 0, but must be at least 1"),
        (Churn, {"amount": -1.0}, "amount is -1.0, but must be at least 0"),
        (Churn, {"least": -1.0}, "least is -1.0, but must be at least 0"),
        (Churn, {"least": 2.0, "most": 1.0}, "least is 2.0, but must be below most=1.0"),
        (Churn, {"deviation": 0.0}, "deviation is 0.0, but must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        kind(**settings)
