"""Rows and columns of decoded images with labels: a PNG of them all, or a GIF that goes from column to column."""

import pathlib
from typing import NamedTuple

import numpy as np

from experiments.pictures import figures

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
    frames = [_frame(sheet.pixels[:, index], sheet.row_labels) for index in range(sheet.pixels.shape[1])]
    if loops:
        return frames
    return [frames[0]] * HOLD + frames[1:-1] + [frames[-1]] * HOLD + frames[-2:0:-1]


def _frame(images: np.ndarray, labels: tuple[str, ...]) -> np.ndarray:
    """One image of each row of the sheet, side by side under its label, five across at most."""
    across = min(len(images), 5)
    side = MOVING_SIDE if len(images) <= 3 else MOVING_SIDE // 2
    lines = []
    for start in range(0, len(images), across):
        part = images[start : start + across]
        blank = np.full((across - len(part), *part.shape[1:]), 255, np.uint8)
        grid = figures.grid(np.concatenate([part, blank]), across, shortest_side=side)
        names = labels[start : start + across]
        lines.append(figures.labelled(grid, (), (*names, *[""] * (across - len(names)))))
    return np.concatenate(lines)
