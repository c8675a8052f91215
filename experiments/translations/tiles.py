"""A large picture tile by tile: tiles overlap, and where they do they are blended smoothly."""

from collections.abc import Callable, Iterator

import numpy as np

Apply = Callable[[np.ndarray], np.ndarray]
"""(height, width, channels) to floats (factor height, factor width, other channels)."""


def starts(length: int, side: int, overlap: int, stride: int) -> list[int]:
    """Where tiles of a side begin that cover a length, at multiples of the stride, each over the one before it.

    >>> starts(96, 32, 8, 4)
    [0, 20, 40, 64]
    """
    if side >= length:
        return [0]
    num = -(-(length - overlap) // (side - overlap))
    return [place * (length - side) // (num - 1) // stride * stride for place in range(num)]


def ramp(side: int, overlap: int) -> np.ndarray:
    """Weights along a tile: sin^2 up over the overlap, 1 inside, down again; above 0 everywhere."""
    distance = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
    return np.sin(np.pi / 2 * np.minimum(distance / max(overlap, 1), 1)).astype(np.float32) ** 2


def blended(apply: Apply, picture: np.ndarray, side: int, overlap: int, stride: int) -> np.ndarray:
    """`apply` to each tile of a picture, and the mean of the tiles, weighted by their ramps.

    Args:
        apply: the same of tiles of one size.
        picture: (height, width, channels), sides multiples of the stride.
        side: of a tile, a multiple of the stride.
        overlap: of neighbours, below `side`.
        stride: multiple at which tiles begin, so that a network sees the picture on its own grid.
    """
    total = weight = None
    for top, left, tile in _tiles(picture, side, overlap, stride):
        made = apply(tile)
        factor = made.shape[0] // tile.shape[0]
        if total is None or weight is None:
            total = np.zeros((factor * picture.shape[0], factor * picture.shape[1], made.shape[2]), np.float32)
            weight = np.zeros((*total.shape[:2], 1), np.float32)
        rows, columns = (ramp(length, factor * overlap) for length in made.shape[:2])
        here = (slice(factor * top, factor * top + len(rows)), slice(factor * left, factor * left + len(columns)))
        counts = rows[:, None, None] * columns[None, :, None]
        total[here] += counts * made
        weight[here] += counts
    if total is None or weight is None:
        raise ValueError(f"a picture of shape {picture.shape} has no tile")
    return total / weight


def _tiles(picture: np.ndarray, side: int, overlap: int, stride: int) -> Iterator[tuple[int, int, np.ndarray]]:
    height, width = picture.shape[:2]
    for top in starts(height, side, overlap, stride):
        for left in starts(width, side, overlap, stride):
            yield top, left, picture[top : top + side, left : left + side]
