"""Rows and columns of decoded images with labels: a PNG of them all, or a GIF that goes from column to column."""

import pathlib
from typing import NamedTuple

import numpy as np

from experiments import figures

SIDE, MOVING_SIDE = 40, 112
"""Shortest side of an image in a PNG and in a GIF, in pixels, at least."""

HOLD = 6
"""Frames for which a GIF rests at its ends."""


class Sheet(NamedTuple):
    """Images in rows and columns."""

    pixels: np.ndarray  # (rows, columns, height, width, channels) uint8
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]


def is_gif(out: pathlib.Path) -> bool:
    """Whether the file is to move."""
    return out.suffix.lower() == ".gif"


def save(sheet: Sheet, out: pathlib.Path, *, loops: bool = False) -> None:
    """Write the sheet as its file's suffix says.

    A GIF shows its rows side by side and plays the columns there and back; once round if the last column leads to
    the first (`loops`).
    """
    if is_gif(out):
        figures.save_gif(out, _frames(sheet, loops))
        return
    rows, columns = sheet.pixels.shape[:2]
    tiles = sheet.pixels.reshape(rows * columns, *sheet.pixels.shape[2:])
    grid = figures.grid(tiles, columns, shortest_side=SIDE)
    figures.save_png(out, figures.labelled(grid, sheet.row_labels, sheet.column_labels))


def _frames(sheet: Sheet, loops: bool) -> list[np.ndarray]:
    rows, num = sheet.pixels.shape[:2]
    columns = rows if rows <= 5 else -(-rows // 2) if rows <= 10 else 8
    frames = []
    for index in range(num):
        grid = figures.grid(sheet.pixels[:, index], columns, shortest_side=MOVING_SIDE if rows <= 2 else 64)
        labels = sheet.row_labels if rows == columns else ()
        frames.append(figures.labelled(grid, (), labels))
    if loops:
        return frames
    return [frames[0]] * HOLD + frames[1:-1] + [frames[-1]] * HOLD + frames[-2:0:-1]
