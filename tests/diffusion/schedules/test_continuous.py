import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.schedules import VE, VP, Cosine, Sigmas, Straight, ratio
from tests.diffusion.schedules.laws import require_inverse, require_monotone, require_single_precision

SCHEDULES = [VP(), VP(0.0, 5.0, 1e-2), Cosine(), VE(), VE(0.02, 100.0), Sigmas(), Straight(), Straight(1e-5)]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_log_snr_falls_and_time_is_its_inverse(schedule):
    require_monotone(schedule)
    require_inverse(schedule, 1e-5)
    require_single_precision(schedule)
    assert not schedule.discrete and schedule.data == 0.0


@pytest.mark.parametrize(
    ("schedule", "time", "alpha", "sigma"),
    [  # of the reference
        (VP(), 1e-3, 0.9999450265, 0.0104854163),
        (VP(), 0.5, 0.2811828808, 0.9596542021),
        (VP(), 1.0, 0.0065715865, 0.9999784069),
        (VE(), 0.0, 1.0, 0.01),
        (VE(), 0.5, 1.0, 0.7071067812),
        (VE(), 1.0, 1.0, 50.0),
        (Sigmas(), 0.7, 1.0, 0.7),
        (Cosine(), 0.5, 0.5**0.5, 0.5**0.5),
        (Cosine(), 1 / 3, 0.75**0.5, 0.5),
        (Cosine(), 1.0, 0.0, 1.0),
        (Straight(), 0.25, 0.75, 0.25),
        (Straight(), 1.0, 0.0, 1.0),
    ],
    ids=str,
)
def test_levels_have_the_golden_values(schedule, time, alpha, sigma):
    np.testing.assert_allclose(schedule.level(np.float64(time)), (alpha, sigma), rtol=1e-8, atol=1e-16)
    np.testing.assert_allclose(schedule.level(jnp.float32(time)), (alpha, sigma), rtol=1e-5)


@pytest.mark.parametrize(("time", "sigma"), [(1e-5, 0.0010004976), (1e-3, 0.0104859928), (1.0, 152.16697)])
def test_vp_has_the_sigmas_of_the_edm_paper(time, sigma):
    """sqrt(exp(19.9 t^2 / 2 + 0.1 t) - 1)."""
    assert ratio(VP().level(np.float64(time))) == pytest.approx(sigma, rel=1e-6)
    assert np.exp(-0.5 * VP().log_snr(np.float64(time))) == pytest.approx(sigma, rel=1e-6)


@pytest.mark.parametrize("schedule", [VP(), Cosine()], ids=str)
def test_squares_sum_to_one(schedule):
    level = schedule.level(np.linspace(0, 1, 11))
    np.testing.assert_allclose(level.alpha**2 + level.sigma**2, 1.0, atol=1e-15)


def test_alpha_and_sigma_of_the_straight_path_sum_to_one():
    level = Straight().level(np.linspace(0, 1, 11))
    np.testing.assert_array_equal(level.alpha + level.sigma, 1.0)


@pytest.mark.parametrize("schedule", [Cosine(), Straight()], ids=str)
def test_where_only_noise_is_left_log_snr_is_minus_infinity_and_no_nan(schedule):
    for one in (np.float64(1.0), jnp.float32(1.0)):
        with np.errstate(divide="ignore"):
            found = schedule.log_snr(one)
        assert found == -np.inf
        assert schedule.time(found) == 1.0
        assert schedule.level(one).alpha == 0.0


@pytest.mark.parametrize("schedule", [VP(), Cosine(), Straight()], ids=str)
def test_clean_data_stand_at_time_0(schedule):
    np.testing.assert_array_equal(schedule.level(np.float64(0)), (1.0, 0.0))
    np.testing.assert_array_equal(schedule.level(jnp.float32(0)), (1.0, 0.0))
    np.testing.assert_allclose(schedule.time(np.float64(1e3)), 0.0, atol=1e-8)


@pytest.mark.parametrize(
    ("schedule", "time", "label"),
    [
        (VP(), 0.5, 499.5),
        (Cosine(), 0.5, 500.0),
        (Straight(), 0.25, 250.0),
        (VE(), 1.0, np.log(25.0)),
        (VE(), 0.0, np.log(0.005)),
        (Sigmas(), 0.002, -1.553652),
        (Sigmas(), 0.5, -0.173287),
        (Sigmas(), 1.0, 0.0),
        (Sigmas(), 80.0, 1.095507),
    ],
    ids=str,
)
def test_a_network_is_told_the_time_as_in_the_source(schedule, time, label):
    np.testing.assert_allclose(schedule.label(np.float64(time)), label, atol=1e-6)


def test_times_reach_from_the_largest_sigma_to_the_least():
    assert [(each.start, each.end) for each in (Sigmas(), Sigmas(0.1, 3.0), VE(), VP(), Cosine(), Straight(0.1))] == [
        (80.0, 0.002),
        (3.0, 0.1),
        (1.0, 0.0),
        (1.0, 1e-3),
        (1.0, 1e-3),
        (1.0, 0.1),
    ]


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        (VP, {"first": -0.1}, "first is -0.1, but must be at least 0"),
        (VP, {"first": 20.0}, "first is 20.0, but must be below last=20.0"),
        (VP, {"last": 0.0}, "last is 0.0, but must be above 0"),
        (VP, {"end": 0.0}, "end is 0.0, but must be above 0"),
        (VP, {"end": 1.0}, "end is 1.0, but must be below 1"),
        (Cosine, {"end": 1.0}, "end is 1.0, but must be below 1"),
        (Cosine, {"end": 0.0}, "end is 0.0, but must be above 0"),
        (Straight, {"end": 1.0}, "end is 1.0, but must be below 1"),
        (Straight, {"end": 0.0}, "end is 0.0, but must be above 0"),
        (VE, {"least": 0.0}, "least is 0.0, but must be above 0"),
        (VE, {"least": 50.0}, "least is 50.0, but must be below most=50.0"),
        (Sigmas, {"least": 0.0}, "least is 0.0, but must be above 0"),
        (Sigmas, {"most": 0.002}, "least is 0.002, but must be below most=0.002"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        kind(**settings)
