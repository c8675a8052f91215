import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.data.order import DRAWS, Position, batch_indices, choose

SEEDS = st.integers(0, 2**32 - 1)


def place(step, size):
    """Of batch `step` where all have one size."""
    return Position(step, step * size, size)


@given(num=st.integers(1, 50), size=st.integers(1, 120), seed=st.integers(0, 2**32 - 1), step=st.integers(0, 10_000))
def test_a_batch_is_a_function_of_seed_and_step(num, size, seed, step):
    indices = batch_indices(seed, step * size, num, size)
    assert indices.shape == (size,)
    assert ((indices >= 0) & (indices < num)).all()
    np.testing.assert_array_equal(indices, batch_indices(seed, step * size, num, size))


@given(num=st.integers(1, 40), size=st.integers(1, 60))
def test_every_example_comes_once_an_epoch_whatever_the_batch_size(num, size):
    stream = np.concatenate([batch_indices(0, step * size, num, size) for step in range(-(-3 * num // size))])
    for epoch in range(3):
        assert sorted(stream[epoch * num : (epoch + 1) * num]) == list(range(num))


def test_epochs_and_seeds_differ_in_order():
    orders = [tuple(batch_indices(seed, 50 * step, 50, 50)) for seed in (0, 1) for step in (0, 1)]
    assert len(set(orders)) == 4


@given(sizes=st.lists(st.integers(1, 30), min_size=2, max_size=5), num=st.integers(1, 40))
def test_batches_of_growing_or_shrinking_sizes_cut_one_stream(sizes, num):
    starts = np.cumsum([0, *sizes])
    pieces = [batch_indices(0, first, num, size) for first, size in zip(starts, sizes, strict=False)]
    np.testing.assert_array_equal(np.concatenate(pieces), batch_indices(0, 0, num, sum(sizes)))


def test_any_step_can_be_asked_for_at_once():
    assert batch_indices(0, 10**9, 60_000, 64).shape == (64,)


@given(
    per_process=st.integers(1, 9),
    processes=st.integers(1, 6),
    num=st.integers(1, 60),
    seed=SEEDS,
    step=st.integers(0, 999),
)
def test_what_the_processes_hold_in_order_is_the_batch_of_one_process(per_process, processes, num, seed, step):
    size = per_process * processes
    whole = choose(seed, place(step, size), num, num_others=7)
    shares = [choose(seed, place(step, size), num, 7, share=(process, processes)) for process in range(processes)]
    for leaf, pieces in zip(whole, zip(*shares, strict=True), strict=True):
        np.testing.assert_array_equal(leaf, np.concatenate(pieces))
        assert all(len(piece) == per_process for piece in pieces)


def test_a_batch_that_the_processes_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="batch of 6 does not divide over 4 processes"):
        batch_indices(0, 0, 10, 6, share=(0, 4))


@given(seed=SEEDS, step=st.integers(0, 10**6))
def test_draws_are_a_function_of_seed_step_and_place(seed, step):
    one, again = (choose(seed, place(step, 5), 10) for _ in range(2))
    np.testing.assert_array_equal(one.draws, again.draws)
    assert one.draws.shape == (5, DRAWS) and one.draws.dtype == np.uint32
    for other in (choose(seed, place(step + 1, 5), 10), choose((seed + 1) % 2**32, place(step, 5), 10)):
        assert not np.array_equal(one.draws, other.draws)


def test_the_second_domain_comes_once_an_epoch_in_an_order_of_its_own():
    choices = [choose(0, place(step, 4), 12, num_others=12) for step in range(3)]
    a, b = (np.concatenate([choice[which] for choice in choices]) for which in (0, 1))
    assert sorted(a) == sorted(b) == list(range(12))
    assert not np.array_equal(a, b)


def test_draws_cover_their_range_evenly():
    draws = np.concatenate([choose(0, place(step, 1000), 10).draws for step in range(10)])
    for column in draws.T:
        counts = np.bincount(column % 8, minlength=8)
        assert abs(counts - len(draws) / 8).max() < 5 * np.sqrt(len(draws) / 8)  # five standard deviations
