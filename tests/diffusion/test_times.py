import jax
import numpy as np
import pytest

from jaxgen.diffusion.schedules import VP, LinearBetas, Sigmas, Straight, ratio
from jaxgen.diffusion.times import EvenTimes, LogitNormal, LogNormal, UniformTimes

NUM = 20_000


def drawn(times, schedule, num=NUM):
    found = np.asarray(times.draw(schedule, jax.random.key(0), num))
    assert found.shape == (num,) and found.dtype == np.float32
    return found.astype(np.float64)


def require_moments(values, mean, deviation):
    """Within four standard errors."""
    assert values.mean() == pytest.approx(mean, abs=4 * deviation / len(values) ** 0.5)
    assert values.std() == pytest.approx(deviation, rel=4 / len(values) ** 0.5)


def test_each_step_is_as_likely_as_the_others():
    times, counts = np.unique(drawn(UniformTimes(), LinearBetas(5, 0.1, 0.2)), return_counts=True)
    np.testing.assert_array_equal(times, np.arange(5))
    np.testing.assert_allclose(counts / NUM, 0.2, atol=4 * (0.2 * 0.8 / NUM) ** 0.5)


@pytest.mark.parametrize("schedule", [VP(), Straight(0.2), Sigmas(1.0, 3.0)], ids=str)
def test_continuous_times_are_uniform_between_the_ends(schedule):
    low, high = schedule.end, schedule.start
    times = drawn(UniformTimes(), schedule)
    assert times.min() >= low - 1e-6 and times.max() <= high
    require_moments(times, (low + high) / 2, (high - low) / 12**0.5)


@pytest.mark.parametrize("times", [LogNormal(), LogNormal(0.5, 0.3)], ids=str)
@pytest.mark.parametrize("schedule", [Sigmas(), VP(), Straight()], ids=str)
def test_log_sigma_over_alpha_is_normal_on_any_schedule(times, schedule):
    level = schedule.level(drawn(times, schedule))
    require_moments(np.log(ratio(level)), times.mean, times.deviation)


def test_the_default_is_edms_distribution():
    assert LogNormal() == LogNormal(-1.2, 1.2) and LogitNormal() == LogitNormal(0.0, 1.0)
    sigmas = drawn(LogNormal(), Sigmas())
    np.testing.assert_allclose(np.quantile(sigmas, [0.5, 0.8413]), np.exp([-1.2, 0.0]), rtol=0.04)


@pytest.mark.parametrize("times", [LogitNormal(), LogitNormal(0.7, 0.4), LogitNormal(-1.0, 2.0)], ids=str)
def test_the_logit_of_the_time_is_normal_and_its_median_the_sigmoid_of_the_mean(times):
    found = drawn(times, Straight())
    require_moments(np.log(found / (1 - found)), times.mean, times.deviation)
    assert np.median(found) == pytest.approx(1 / (1 + np.exp(-times.mean)), abs=0.02)


def test_the_density_of_the_logit_normal_at_one_half_is_that_of_the_reference():
    """1.5957691216 = 4 / sqrt(2 pi) for the mean 0 and the deviation 1; share of the times within .05 of it."""
    share = np.mean(np.abs(drawn(LogitNormal(), Straight()) - 0.5) < 0.05)
    assert share == pytest.approx(0.1 * 1.5957691216, abs=4 * (0.16 * 0.84 / NUM) ** 0.5 + 0.001)


def test_the_logit_normal_is_a_share_of_the_noisiest_time():
    found = drawn(LogitNormal(), Sigmas(0.1, 3.0), 100)
    np.testing.assert_allclose(found, 3.0 * drawn(LogitNormal(), Straight(), 100), rtol=1e-6)


@pytest.mark.parametrize("schedule", [VP(), Sigmas(1.0, 3.0), LinearBetas(8)], ids=lambda each: type(each).__name__)
def test_even_times_of_a_batch_are_evenly_spaced_from_a_uniform_place(schedule):
    """In eight parts of equal length one each, which is the same share of all parts."""
    shares = []
    for seed in range(20):
        times = np.asarray(EvenTimes().draw(schedule, jax.random.key(seed), 8), np.float64)
        low, high = (0.0, 8.0) if schedule.discrete else (schedule.end, schedule.start)
        places = 8 * (times - low) / (high - low)
        np.testing.assert_array_equal(np.sort(np.floor(places)), np.arange(8))
        shares.append(np.ptp(places % 1.0 if not schedule.discrete else np.zeros(1)))
    assert max(shares) < 1e-4


def test_an_even_time_of_each_example_is_uniform():
    found = np.array([EvenTimes().draw(Straight(1e-6), jax.random.key(seed), 3) for seed in range(400)])
    for place in range(3):
        require_moments(found[:, place], 0.5, 12**-0.5)


@pytest.mark.parametrize("times", [UniformTimes(), EvenTimes(), LogNormal(), LogitNormal()], ids=str)
@pytest.mark.parametrize("schedule", [LinearBetas(1000), Straight()], ids=lambda each: type(each).__name__)
def test_times_are_the_same_however_many_devices_share_the_batch(times, schedule):
    whole, shares = jax.jit(
        lambda key: (
            times.draw(schedule, key, 8),
            jax.vmap(lambda _: times.draw(schedule, key, 2, "i"), axis_name="i")(np.zeros(4)),
        )
    )(jax.random.key(3))
    np.testing.assert_allclose(shares.reshape(8), whole, rtol=1e-6)
    assert len(np.unique(whole)) == 8


@pytest.mark.parametrize("kind", [LogNormal, LogitNormal])
def test_a_deviation_must_be_positive(kind):
    with pytest.raises(ValueError, match=r"deviation is 0\.0, but must be above 0"):
        kind(deviation=0.0)
