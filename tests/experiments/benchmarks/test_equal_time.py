import numpy as np
import pytest

from experiments.benchmarks import equal_time
from experiments.benchmarks.equal_time import EqualTime
from experiments.command_line.errors import UserError
from experiments.data.images import ImageSet


def test_the_one_that_has_used_less_time_goes_on_until_all_have_used_theirs(monkeypatch):
    now, seen = [0.0], ([], [])

    def training(place, seconds):
        def block(batches):
            now[0] += seconds
            seen[place].append(batches)

        return block

    def batches(block):
        now[0] += 100.0  # which does not count
        return 10 * block

    monkeypatch.setitem(equal_time.CLOCKS, "wall", lambda: now[0])
    done = equal_time.train([training(0, 3.0), training(1, 1.0)], batches, EqualTime(minutes=0.2, clock="wall"))
    assert done == [4, 12]
    assert seen == ([0, 10, 20, 30], [10 * n for n in range(12)])


def test_an_interval_is_that_of_a_mean():
    values = np.random.default_rng(2).standard_normal(50)
    error = 1.96 * values.std(ddof=1) / np.sqrt(50)
    assert equal_time.interval(values) == pytest.approx((values.mean() - error, values.mean() + error))


def test_an_interval_of_a_difference_is_that_of_two_samples():
    first, second = np.random.default_rng(3).standard_normal((2, 40))
    error = 1.96 * np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 40)
    middle = second.mean() - first.mean()
    assert equal_time.interval(first, second) == pytest.approx((middle - error, middle + error))


def test_images_of_a_block_are_a_function_of_seed_and_number():
    found = equal_time.places(3, 5, (2, 4), 10)
    np.testing.assert_array_equal(found, equal_time.places(3, 5, (2, 4), 10))
    assert found.shape == (2, 4) and found.min() >= 0 and found.max() < 10
    assert (found != equal_time.places(3, 6, (2, 4), 10)).any() and (found != equal_time.places(4, 5, (2, 4), 10)).any()


def test_sets_of_another_size_are_refused_with_the_cure():
    with pytest.raises(UserError, match="--data some has images of 8x8x3; choose a set of 28x28x1"):
        equal_time.require_digits(ImageSet("some", np.zeros((2, 8, 8, 3), np.uint8)))
    equal_time.require_digits(ImageSet("some", np.zeros((2, 28, 28, 1), np.uint8)))
