import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.schedules import CosineBetas, LinearBetas, ScaledLinearBetas
from jaxgen.diffusion.schedules.betas import _Betas
from tests.diffusion.schedules.laws import require_inverse, require_monotone, require_single_precision

SCHEDULES = [LinearBetas(), CosineBetas(), ScaledLinearBetas(), LinearBetas(4, 0.1, 0.5)]

ALPHA_BARS = [  # of the reference, computed in float64
    (LinearBetas(), {0: 0.9999, 249: 0.524085374, 499: 0.0785872429, 749: 0.00335055044, 999: 4.03582977e-5}),
    (CosineBetas(), {0: 0.999958716, 249: 0.847012161, 499: 0.493843590, 749: 0.144272102, 999: 2.42876691e-9}),
    (CosineBetas(4000), {3999: 1.51798047e-10}),
    (ScaledLinearBetas(), {0: 0.99915, 499: 0.27766965, 999: 0.0046601}),
    (ScaledLinearBetas(1000, 0.0015, 0.0195), {999: 1.42303975e-4}),
]


@pytest.mark.parametrize(("schedule", "wanted"), ALPHA_BARS, ids=str)
def test_alpha_bars_are_those_of_the_published_code(schedule, wanted):
    times = np.array(list(wanted), np.float64)
    np.testing.assert_allclose(schedule.level(times).alpha ** 2, list(wanted.values()), rtol=3e-6)


@pytest.mark.parametrize(
    ("schedule", "wanted"),
    [
        (LinearBetas(), {0: 1e-4, 999: 0.02}),
        (CosineBetas(), {0: 4.12842248e-5, 499: 3.14588623e-3, 998: 0.749999393, 999: 0.999}),
        (CosineBetas(4000), {0: 9.8658e-6}),
        (CosineBetas(least=1e-4, most=0.9999), {0: 1e-4, 1: 1e-4, 999: 0.9999}),
        (ScaledLinearBetas(), {0: 0.00085, 999: 0.012}),
    ],
    ids=str,
)
def test_betas_are_those_of_the_published_code(schedule, wanted):
    betas = schedule.betas()
    assert betas.shape == (schedule.steps,) and betas.dtype == np.float64
    np.testing.assert_allclose(betas[list(wanted)], list(wanted.values()), rtol=2e-6)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_steps_one_by_one_give_the_closed_form(schedule):
    """x_t = sqrt(1 - beta) x_(t-1) + sqrt(beta) z multiplies the mean, and adds to the variance, at each step."""
    scale, variance, scales, variances = 1.0, 0.0, [], []
    for beta in schedule.betas():
        scale, variance = scale * np.sqrt(1 - beta), (1 - beta) * variance + beta
        scales.append(scale)
        variances.append(variance)
    level = schedule.level(np.arange(schedule.steps, dtype=np.float64))
    np.testing.assert_allclose(level.alpha, scales, rtol=1e-12)
    np.testing.assert_allclose(level.sigma**2, variances, rtol=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_log_snr_falls_and_time_is_its_inverse(schedule):
    require_monotone(schedule)
    require_inverse(schedule, 1e-3 if schedule.steps > 4 else 1e-5)
    require_single_precision(schedule)
    halves = np.arange(schedule.steps - 1) + 0.5
    np.testing.assert_allclose(schedule.time(schedule.log_snr(halves)), halves, atol=1e-9)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_times_are_counted_from_the_first_step_of_noise(schedule):
    assert (schedule.start, schedule.end, schedule.data) == (schedule.steps - 1.0, 0.0, -1.0)
    assert schedule.discrete
    assert schedule.label(3.0) == 3.0


def test_beyond_the_steps_the_level_stays():
    schedule = LinearBetas(4)
    for asarray in (np.float64, jnp.float32):
        beyond, ends = schedule.log_snr(asarray([-2.0, 9.0])), schedule.log_snr(asarray([0.0, 3.0]))
        np.testing.assert_array_equal(beyond, ends)
        beyond = schedule.time(asarray([100.0, -100.0]))
        np.testing.assert_array_equal(beyond, [0.0, 3.0])


def test_a_schedule_may_have_one_step():
    level = LinearBetas(1, 0.3, 0.5).level(np.float64(0))
    np.testing.assert_allclose(level, np.sqrt([0.7, 0.3]))


def test_a_schedule_must_give_its_betas():
    with pytest.raises(NotImplementedError):
        _Betas().betas()


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        (LinearBetas, {"steps": 0}, "steps is 0, but must be at least 1"),
        (LinearBetas, {"first": 0.0}, "first is 0.0, but must be above 0"),
        (LinearBetas, {"last": 1.0}, "last is 1.0, but must be below 1"),
        (ScaledLinearBetas, {"steps": 0}, "steps is 0, but must be at least 1"),
        (ScaledLinearBetas, {"last": 1.5}, "last is 1.5, but must be below 1"),
        (CosineBetas, {"steps": 0}, "steps is 0, but must be at least 1"),
        (CosineBetas, {"offset": -0.1}, "offset is -0.1, but must be at least 0"),
        (CosineBetas, {"most": 1.0}, "most is 1.0, but must be above least=0.0 and below 1"),
        (CosineBetas, {"least": 0.5, "most": 0.5}, "most is 0.5, but must be above least=0.5 and below 1"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        kind(**settings)
