import re

import numpy as np
import pytest

from jaxgen.diffusion.grids import KNOWN, Even, Karras, Leading, Linspace, Listed, LogSNR, Quadratic, Shifted, Usual
from jaxgen.diffusion.schedules import VE, VP, Cosine, CosineBetas, LinearBetas, Sigmas, Straight

BETAS = LinearBetas()

EDM_GRID = [  # of the reference: N = 18, sigma from 80 to 0.002, rho = 7
    *(80, 57.586, 40.7856, 28.3746, 19.3525, 12.9101, 8.4009, 5.3152, 3.2568),
    *(1.9233, 1.0882, 0.5853, 0.2964, 0.1395, 0.0599, 0.0229, 0.0075, 0.002),
]
INTERVALS = {13: 4.99911, 16: 2.17386, 17: 1.60857, 19: 0.84462, 22: 0.28304, 23: 0.18860}
"""sigma_i of the same grid with N = 32, of the paper on guidance in an interval."""


def test_karras_grid_is_that_of_edm():
    np.testing.assert_allclose(Karras().times(Sigmas(), 18), EDM_GRID, atol=5.1e-5)
    np.testing.assert_allclose(Karras().times(Sigmas(), 32)[list(INTERVALS)], list(INTERVALS.values()), atol=5.1e-6)


@pytest.mark.parametrize("schedule", [Sigmas(0.01, 20.0), VP(), VE(), LinearBetas(100)], ids=str)
@pytest.mark.parametrize("rho", [1.0, 7.0])
def test_karras_steps_are_equal_in_the_root_of_sigma_over_alpha(schedule, rho):
    times = Karras(rho).times(schedule, 6)
    roots = np.exp(-0.5 * schedule.log_snr(times)) ** (1 / rho)
    np.testing.assert_allclose(np.diff(roots, 2), 0.0, atol=1e-9 * roots[0])
    np.testing.assert_allclose([times[0], times[-1]], [schedule.start, schedule.end], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("schedule", [Sigmas(0.01, 20.0), VP(), VE(), CosineBetas(100)], ids=str)
def test_log_snr_steps_are_equal_in_log_snr(schedule):
    times = LogSNR().times(schedule, 6)
    np.testing.assert_allclose(np.diff(schedule.log_snr(times), 2), 0.0, atol=1e-9)
    np.testing.assert_allclose([times[0], times[-1]], [schedule.start, schedule.end], rtol=1e-9, atol=1e-9)


def test_log_snr_reaches_from_the_ends_of_vp_as_in_the_reference():
    """log(alpha / sigma) from -5.0249784 at t = 1 to 4.557715 at t = 0.001."""
    found = 0.5 * VP().log_snr(LogSNR().times(VP(), 3))
    np.testing.assert_allclose(found[[0, 2]], [-5.0249784, 4.557715], rtol=2e-8)


def test_the_quadratic_grid_is_that_of_ddim():
    np.testing.assert_array_equal(Quadratic().times(BETAS, 10)[::-1], [0, 9, 39, 88, 158, 246, 355, 483, 632, 800])
    np.testing.assert_array_equal(Quadratic(0.5).times(BETAS, 3)[::-1], [0, 125, 500])
    np.testing.assert_array_equal(Quadratic(0.999).times(BETAS, 2)[::-1], [0, 999])


# Of 48, 400 and others rounding errors of NumPy's arange decide how a half is rounded in diffusers.
NUMS = (1, 2, 3, 5, 7, 10, 16, 30, 50, 100, 999, 1000)


def test_trailing_linspace_and_leading_times_are_those_of_diffusers():
    """By its formulas; `test_diffusers.py` compares with the package itself."""
    for num in NUMS:
        trailing = np.round(np.arange(1000, 0, -1000 / num)) - 1
        np.testing.assert_array_equal(Even().times(BETAS, num), trailing, err_msg=str(num))
        leading = (np.arange(num) * (1000 // num))[::-1]
        np.testing.assert_array_equal(Leading().times(BETAS, num), leading, err_msg=str(num))
        if num > 1:
            linspace = np.linspace(0, 999, num).round()[::-1]
            np.testing.assert_array_equal(Linspace().times(BETAS, num), linspace, err_msg=str(num))
    np.testing.assert_array_equal(Leading(1).times(BETAS, 4), [751, 501, 251, 1])
    np.testing.assert_array_equal(Linspace().times(BETAS, 1), [999])


@pytest.mark.parametrize("num", [1, 5, 10, 16, 50])
def test_a_grid_may_begin_where_something_is_known_of_the_data(num):
    """Trailing times of diffusers with lambda_min_clipped = -5.1: log SNR is -10.16 at time 995, -10.66 at 996."""
    betas = CosineBetas(1000)
    np.testing.assert_array_equal(Even(KNOWN).times(betas, num), np.round(np.arange(996, 0, -996 / num)) - 1)
    first = 0.5 * betas.log_snr(np.arange(1000.0))
    assert first[996] < -5.1 <= first[995]


@pytest.mark.parametrize("grid", [Karras, LogSNR])
def test_steps_from_a_log_snr_begin_there_and_end_where_the_schedule_ends(grid):
    found = VP(last=40.0).log_snr(grid(least_log_snr=KNOWN).times(VP(last=40.0), 5))
    np.testing.assert_allclose([found[0], found[-1]], [KNOWN, VP(last=40.0).log_snr(0.001)], rtol=1e-9)


@pytest.mark.parametrize(
    "schedule", [BETAS, VP(), Sigmas(), VE(), Straight(), Cosine()], ids=lambda s: type(s).__name__
)
def test_a_schedule_above_the_least_log_snr_or_from_pure_noise_begins_at_its_start(schedule):
    np.testing.assert_array_equal(Even(KNOWN).times(schedule, 6), Even().times(schedule, 6))


def test_the_usual_grid_is_karras_for_sigmas_and_even_elsewhere():
    np.testing.assert_array_equal(Usual().times(Sigmas(), 7), Karras().times(Sigmas(), 7))
    for schedule in (BETAS, CosineBetas(1000), VP(), VE(), Straight()):
        np.testing.assert_array_equal(Usual().times(schedule, 7), Even(KNOWN).times(schedule, 7))
    assert Usual(None).times(CosineBetas(1000), 7)[0] == 999


def test_even_steps_of_continuous_times_leave_the_data_out():
    np.testing.assert_allclose(Even().times(Straight(), 4), [1.0, 0.75, 0.5, 0.25])
    np.testing.assert_allclose(Even().times(Sigmas(1.0, 3.0), 3), [3.0, 2.0, 1.0])
    np.testing.assert_allclose(Linspace().times(Sigmas(1.0, 3.0), 3), [3.0, 2.0, 1.0])
    np.testing.assert_allclose(Linspace().times(Straight(0.2), 5), [1.0, 0.8, 0.6, 0.4, 0.2])


def test_shifted_times_are_those_of_stable_diffusion_3():
    np.testing.assert_allclose(Shifted(3.0).times(Straight(), 4), [1.0, 0.9, 0.75, 0.5])
    np.testing.assert_allclose(Shifted(1.0).times(Straight(), 4), Even().times(Straight(), 4))
    assert Shifted() == Shifted(3.0)


def test_a_shift_moves_log_snr_and_two_shifts_are_one_by_their_product():
    even, shifted = (grid.times(Straight(), 8)[1:] for grid in (Even(), Shifted(3.0)))
    moved = Straight().log_snr(shifted) - Straight().log_snr(even)
    np.testing.assert_allclose(moved, -2 * np.log(3.0))
    twice = 2.0 * shifted / (1.0 + shifted)
    np.testing.assert_allclose(twice, Shifted(6.0).times(Straight(), 8)[1:])


def test_listed_times_are_taken_as_they_are():
    np.testing.assert_array_equal(Listed((999.0, 400.5, 0.0)).times(BETAS, 3), [999.0, 400.5, 0.0])
    np.testing.assert_array_equal(Listed((0.9, 0.1)).times(Straight(), 2), [0.9, 0.1])
    np.testing.assert_array_equal(Listed((0.5,)).times(Straight(), 1), [0.5])


GRIDS = [Even(), Linspace(), Leading(), Quadratic(), Karras(), LogSNR(), Shifted(), Usual(), Listed((1.0, 0.5, 0.25))]


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("schedule", [BETAS, VP(), Straight()], ids=lambda each: type(each).__name__)
def test_times_fall_within_the_schedule_in_float64(grid, schedule):
    try:
        times = grid.times(schedule, 3)
    except ValueError:
        return  # a pair of the table of refusals
    assert times.shape == (3,) and times.dtype == np.float64
    assert (np.diff(times) < 0).all() and times[0] <= schedule.start + 1e-9 and times[-1] > schedule.data


PURE_NOISE = "must be another one: this schedule begins at pure noise"
REFUSALS = [
    (Karras(), Straight(), 4, f"grid is Karras, but {PURE_NOISE}"),
    (Karras(), Cosine(), 4, f"grid is Karras, but {PURE_NOISE}"),
    (LogSNR(), Straight(), 4, f"grid is LogSNR, but {PURE_NOISE}"),
    (LogSNR(), Cosine(), 4, f"grid is LogSNR, but {PURE_NOISE}"),
    (Leading(), VP(), 4, "grid is Leading, but must be another one, for a schedule without discrete steps"),
    (Quadratic(), Straight(), 4, "grid is Quadratic, but must be another one, for a schedule without discrete steps"),
    (Shifted(), BETAS, 4, "grid is Shifted, but must be another one, for times in [0, 1]"),
    (Shifted(), Sigmas(), 4, "grid is Shifted, but must be another one, for times in [0, 1]"),
    (Shifted(), LinearBetas(2), 1, "grid is Shifted, but must be another one, for times in [0, 1]"),
    (Even(), LinearBetas(9), 10, "steps is 10, but must be at most 9, the schedule's"),
    (Linspace(), LinearBetas(9), 10, "steps is 10, but must be at most 9, the schedule's"),
    (Leading(), LinearBetas(9), 10, "steps is 10, but must be at most 9, the schedule's"),
    (Leading(1), LinearBetas(9), 9, "offset is 1, but must be at most 0, with 9 of 9 steps"),
    (Leading(5), LinearBetas(9), 2, "offset is 5, but must be at most 4, with 2 of 9 steps"),
    (Quadratic(1.0), BETAS, 4, "share is 1.0, but must be at most 0.999, so that the times are among the 1000 steps"),
    (Listed((3.0, 1.0)), BETAS, 3, "steps is 3, but must be 2, the number of times listed"),
    (Listed(()), BETAS, 0, "listed is (), but must be falling, in (-1.0, 999.0]"),
    (Listed((3.0, 3.0)), BETAS, 2, "listed is (3.0, 3.0), but must be falling, in (-1.0, 999.0]"),
    (Listed((1000.0, 3.0)), BETAS, 2, "listed is (1000.0, 3.0), but must be falling, in (-1.0, 999.0]"),
    (Listed((1.0, 0.0)), Straight(), 2, "listed is (1.0, 0.0), but must be falling, in (0.0, 1.0]"),
]


@pytest.mark.parametrize(("grid", "schedule", "num", "sentence"), REFUSALS, ids=str)
def test_pairs_without_meaning_are_refused(grid, schedule, num, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        grid.times(schedule, num)


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        (Leading, {"offset": -1}, "offset is -1, but must be at least 0"),
        (Quadratic, {"share": 0.0}, "share is 0.0, but must be above 0"),
        (Karras, {"rho": 0.0}, "rho is 0.0, but must be above 0"),
        (Shifted, {"shift": 0.0}, "shift is 0.0, but must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        kind(**settings)
