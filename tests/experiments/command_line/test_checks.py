import pytest

from experiments.command_line.checks import require_seed, require_step, require_width
from jaxgen.moving_averages import WIDEST


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_seeds_of_32_bits_are_taken(seed):
    require_seed(seed)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_other_seeds_are_refused(seed):
    with pytest.raises(ValueError, match=rf"--seed is {seed}, but must be in \[0, 2\^32\)"):
        require_seed(seed)


def test_a_step_is_a_word_or_at_least_1():
    for step in ("newest", "best", 1):
        require_step(step)
    with pytest.raises(ValueError, match="--step is 0, but must be at least 1"):
        require_step(0)


def test_a_width_is_at_most_that_of_the_plain_mean():
    for width in (None, 1e-3, 0.075, WIDEST):
        require_width(width)
    for width in (0.0, 0.2887):
        with pytest.raises(ValueError, match=rf"--average-width is {width}, but must be in \(0, 0.2886\]"):
            require_width(width)
