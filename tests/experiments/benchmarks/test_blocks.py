import numpy as np
import pytest

from experiments.benchmarks import blocks


def test_the_one_that_has_used_less_time_goes_on_until_all_have_used_theirs():
    now, seen = [0.0], ([], [])

    def training(place, seconds):
        def block(batches):
            now[0] += seconds
            seen[place].append(batches)

        return block

    done = blocks.for_equal_time([training(0, 3.0), training(1, 1.0)], lambda n: 10 * n, 12.0, lambda: now[0])
    assert done == [4, 12]
    assert seen == ([0, 10, 20, 30], [10 * n for n in range(12)])


def test_an_interval_is_that_of_a_mean():
    values = np.random.default_rng(2).standard_normal(50)
    error = 1.96 * values.std(ddof=1) / np.sqrt(50)
    assert blocks.interval(values) == pytest.approx((values.mean() - error, values.mean() + error))
