"""Pictures of samples whose classes come in turn: a column a class under its name, or a row a class beside it."""

import math
from collections.abc import Sequence

import numpy as np

from experiments.data.card import printable
from experiments.pictures import figures


def picture(
    pixels: np.ndarray,
    names: Sequence[str],
    columns: int | None = None,
    *,
    rows: bool = False,
    longest: int = figures.LONGEST,
) -> np.ndarray:
    """Image i is of class i mod len(names): one column a class; one row a class for another number of `columns`.

    Images are (num, height, width, 1 or 3) uint8. A class with more images than there are columns has several rows.
    With `rows` there is a row a class however many columns there are. Names are cut at `longest` pixels.
    """
    names = [printable(name) for name in names[: len(pixels)]]
    if columns in (None, len(names)) and not rows:
        return figures.labelled(figures.grid(pixels, len(names)), (), names)
    most = math.ceil(len(pixels) / len(names))
    columns = min(columns or most, most)
    lines = math.ceil(most / columns)
    tiles = np.full((len(names), lines * columns, *pixels.shape[1:]), 255, np.uint8)
    for place, image in enumerate(pixels):
        tiles[place % len(names), place // len(names)] = image
    labels = [name if line == 0 else "" for name in names for line in range(lines)]
    return figures.labelled(figures.grid(tiles.reshape(-1, *pixels.shape[1:]), columns), labels, longest=longest)
