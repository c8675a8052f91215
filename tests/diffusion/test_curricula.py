import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.curricula import Doubling, Fixed, LogNormalIntervals, SquareRoot, UniformIntervals, levels
from jaxgen.diffusion.schedules import Sigmas

STEPS = (0, 1, 1000, 10_000, 100_000, 400_000, 800_000)


def numbers(curriculum, steps):
    return [int(curriculum.number(jnp.asarray(step, jnp.int32))) for step in steps]


def test_the_square_root_of_the_paper():
    """Numbers of the authors' code for 800,000 steps from 2 levels to 151."""
    assert numbers(SquareRoot(), STEPS) == [2, 3, 6, 17, 54, 107, 151]
    assert numbers(SquareRoot(end=1000), (1000, 5000)) == [151, 151]


def test_levels_double_at_equal_distances():
    """For 400,000 steps the number of intervals doubles every 50,000, from 10 to 1280."""
    steps = range(0, 400_000, 50_000)
    assert numbers(Doubling(), steps) == [10 * 2**i + 1 for i in range(8)]
    assert numbers(Doubling(), (49_999, 399_999, 10**6)) == [11, 1281, 1281]
    assert numbers(Doubling(10, 160, 500), (0, 99, 100, 400, 499, 500)) == [11, 11, 21, 161, 161, 161]
    assert numbers(Doubling(10, 100, 40), (0, 9, 10, 20, 30, 39, 40)) == [11, 11, 21, 41, 81, 81, 101]
    assert numbers(Fixed(18), (0, 10**6)) == [18, 18]


def test_the_grid_is_that_of_the_paper():
    number = jnp.asarray(11, jnp.int32)
    wanted = [0.002, 0.01672075, 0.0850872, 0.31828329, 0.96541693, 2.51521898]
    wanted += [5.83894763, 12.38157614, 24.40834179, 45.31373408, 80.0]
    np.testing.assert_allclose(levels(Sigmas(), jnp.arange(11), number), wanted, rtol=2e-5)


def shares(intervals, number, num=40_000):
    draw = jax.jit(lambda number: intervals.draw(Sigmas(), number, jax.random.key(0), num, None))
    drawn = np.asarray(draw(jnp.asarray(number, jnp.int32)))
    assert drawn.shape == (num,) and drawn.min() >= 0 and drawn.max() <= number - 2
    return np.bincount(drawn, minlength=number - 1) / num


def test_intervals_are_drawn_as_often_as_a_log_normal_sigma_falls_into_them():
    """Goldens of p(i) for 11 levels; four standard errors."""
    wanted = np.array([0.0626330, 0.1817370, 0.2455014, 0.2134944, 0.1424461])
    wanted = np.append(wanted, [0.0806046, 0.0410799, 0.0195801, 0.0089439, 0.0039796])
    found = shares(LogNormalIntervals(), 11)
    assert (np.abs(found - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / 40_000)).all()
    shifted = shares(LogNormalIntervals(1.0, 0.5), 11)
    assert shifted.argmax() in (4, 5) and shifted[:3].sum() < 0.02


def test_uniform_intervals_are_equally_likely():
    found = shares(UniformIntervals(), 5)
    assert np.abs(found - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 40_000)
    np.testing.assert_array_equal(shares(UniformIntervals(), 2), [1.0])
    np.testing.assert_array_equal(shares(LogNormalIntervals(), 2), [1.0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fixed(1), "levels is 1, but must be at least 2"),
        (lambda: SquareRoot(1), "least is 1, but must be at least 2"),
        (lambda: SquareRoot(20, 10), "least is 20, but must be at least 2, and at most most=10"),
        (lambda: Doubling(20, 10), "least is 20, but must be at most most=10"),
        (lambda: Doubling(10, 160, 4), "end is 4, but must be at least 5, a step for each number of levels"),
        (lambda: LogNormalIntervals(deviation=0.0), "deviation is 0.0, but must be above 0"),
    ],
)
def test_settings_without_a_meaning_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
