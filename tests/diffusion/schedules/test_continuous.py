import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.schedules import VE, VP, Cosine, Sigmas, Straight, SubVP, log_snr_rate, ratio
from tests.diffusion.schedules.laws import require_inverse, require_monotone, require_single_precision

SCHEDULES = [
    VP(),
    VP(0.0, 5.0, 1e-2),
    SubVP(),
    SubVP(0.0, 5.0, 1e-2),
    Cosine(),
    VE(),
    VE(0.02, 100.0),
    Sigmas(),
    Straight(),
    Straight(1e-5),
]


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
        (SubVP(), 1e-3, 0.9999450265, 0.0104854163**2),
        (SubVP(), 0.5, 0.2811828808, 0.9209361875),
        (SubVP(), 1.0, 0.0065715865, 0.9999568143),
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


def test_sub_vp_has_less_noise_than_vp_but_at_time_0():
    """And its sigma is the square of that of VP."""
    times = np.linspace(0, 1, 11)
    (alpha, sigma), (same, larger) = SubVP().level(times), VP().level(times)
    np.testing.assert_array_equal(alpha, same)
    np.testing.assert_allclose(sigma, larger**2, rtol=1e-12)
    assert sigma[0] == larger[0] == 0 and (sigma[1:] < larger[1:]).all()


def squared_diffusions(times):
    """g^2 of the three processes, as the paper has them in table 1."""
    beta = 0.1 + 19.9 * times
    ve = 2 * (0.01 * 5000**times) ** 2 * np.log(5000)
    return {VP(): beta, SubVP(): beta * (1 - np.exp(-2 * 0.1 * times - 19.9 * times**2)), VE(): ve}


@pytest.mark.parametrize("schedule", squared_diffusions(1.0), ids=str)
def test_log_snr_falls_at_the_rate_of_the_papers_diffusion_over_the_variance(schedule):
    times = np.linspace(0.05, 1, 20)
    wanted = squared_diffusions(times)[schedule] / schedule.level(times).sigma ** 2
    np.testing.assert_allclose(log_snr_rate(schedule, jnp.asarray(times, jnp.float32)), wanted, rtol=1e-4)


@pytest.mark.parametrize("time", [0.0, 0.5, 1.0])
def test_the_diffusion_of_ve_has_the_golden_values(time):
    golden = {0.0: 0.0412727, 0.5: 2.9184231, 1.0: 206.3636740}[time]
    found = log_snr_rate(VE(), jnp.float32(time)) * VE().level(time).sigma ** 2
    np.testing.assert_allclose(jnp.sqrt(found), golden, rtol=1e-5)


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


@pytest.mark.parametrize("schedule", [VP(), SubVP(), Cosine(), Straight()], ids=str)
def test_clean_data_stand_at_time_0(schedule):
    np.testing.assert_array_equal(schedule.level(np.float64(0)), (1.0, 0.0))
    np.testing.assert_array_equal(schedule.level(jnp.float32(0)), (1.0, 0.0))
    np.testing.assert_allclose(schedule.time(np.float64(1e3)), 0.0, atol=1e-8)


@pytest.mark.parametrize(
    ("schedule", "time", "label"),
    [
        (VP(), 0.5, 499.5),
        (SubVP(), 0.5, 499.5),
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
        (SubVP, {"first": 20.0}, "first is 20.0, but must be below last=20.0"),
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
