"""Sizes that a network takes: a picture with a reflected border around it, and its part cut out again."""

from typing import NamedTuple

import numpy as np


class Border(NamedTuple):
    """Rows and columns around a picture."""

    top: int
    bottom: int
    left: int
    right: int


def around(height: int, width: int, wanted_height: int, wanted_width: int) -> Border:
    """What brings a picture in the middle to the size that is wanted, at least its own."""
    rows, columns = wanted_height - height, wanted_width - width
    return Border(rows // 2, rows - rows // 2, columns // 2, columns - columns // 2)


def to_multiple(height: int, width: int, multiple: int) -> Border:
    """What brings both sides to the next multiples of a number."""
    return around(height, width, *(-(-side // multiple) * multiple for side in (height, width)))


def reflected(array: np.ndarray, border: Border) -> np.ndarray:
    """(height, width, channels) with the border, mirrored at its outermost pixels again and again where it is wide."""
    top, bottom, left, right = border
    return np.pad(array, ((top, bottom), (left, right), (0, 0)), mode="reflect")


def cut(array: np.ndarray, border: Border, factor: int = 1) -> np.ndarray:
    """What is inside of the border, which is `factor` times as wide as it was."""
    height, width = array.shape[:2]
    top, bottom, left, right = (factor * side for side in border)
    return array[top : height - bottom, left : width - right]
