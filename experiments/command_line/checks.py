"""What settings that many commands have must be."""

import math

from jaxgen.checks import require


def require_seed(seed: int) -> None:
    """ValueError for a --seed that not every generator of random numbers takes."""
    require(0 <= seed < 2**32, "--seed", seed, "in [0, 2^32)")


def require_step(step: int | str) -> None:
    """ValueError for a --step before the first; its words are checked where the command line is read."""
    require(not isinstance(step, int) or step >= 1, "--step", step, "at least 1")


def require_width(width: float | None) -> None:
    """ValueError for an --average-width that no power function has."""
    fits = width is None or 0 < width <= 1.0 / math.sqrt(12.0)
    require(fits, "--average-width", width, "in (0, 0.2886], the plain mean")
