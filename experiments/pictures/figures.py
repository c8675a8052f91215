"""Pictures of images: grids with labels, and animations."""

import functools
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.runs import files

GAP = 2
SHORTEST_SIDE = 32
LABEL_SIZE, INK = 12, (60, 60, 60)

LONGEST = 160
"""Pixels of a label, at most."""


def grid(
    pixels: np.ndarray, columns: int | None = None, *, gap: int = GAP, shortest_side: int = SHORTEST_SIDE
) -> np.ndarray:
    """Images side by side, row by row: (num, height, width, 1 or 3) uint8 to (rows, columns, 3) uint8.

    Small images are enlarged by a whole factor, each pixel a square, until no side is shorter than `shortest_side`.
    """
    if pixels.ndim != 4 or pixels.shape[-1] not in (1, 3):
        raise ValueError(f"images of shape {pixels.shape} cannot be drawn; give (num, h, w, 1 or 3)")
    num = len(pixels)
    columns = columns or math.ceil(math.sqrt(num))
    rows = math.ceil(num / columns)
    factor = max(1, math.ceil(shortest_side / min(pixels.shape[1:3])))
    tiles = pixels.repeat(factor, axis=1).repeat(factor, axis=2)
    _, height, width, _ = tiles.shape
    canvas = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8)
    for index, tile in enumerate(tiles):
        top = gap + (index // columns) * (height + gap)
        left = gap + (index % columns) * (width + gap)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def side_by_side(columns: Mapping[str, np.ndarray], rows: Sequence[str] = (), *, longest: int = LONGEST) -> np.ndarray:
    """Columns of images under their names, row i the i-th of each: (num, height, width, 1 or 3) uint8, equally many.

    Smaller images are enlarged by whole factors and stand in the middle of white. `rows` are named at the left, in at
    most `longest` pixels.
    """
    height, width = (max(column.shape[axis] for column in columns.values()) for axis in (1, 2))
    tiles = np.stack([_enlarged(column, height, width) for column in columns.values()], axis=1)
    return labelled(grid(tiles.reshape(-1, height, width, 3), len(columns)), rows, tuple(columns), longest=longest)


def _enlarged(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    factor = min(height // pixels.shape[1], width // pixels.shape[2])
    tiles = pixels.repeat(factor, axis=1).repeat(factor, axis=2)
    top, left = (height - tiles.shape[1]) // 2, (width - tiles.shape[2]) // 2
    canvas = np.full((len(pixels), height, width, 3), 255, np.uint8)
    canvas[:, top : top + tiles.shape[1], left : left + tiles.shape[2]] = tiles
    return canvas


def labelled(
    picture: np.ndarray,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    *,
    longest: int = LONGEST,
) -> np.ndarray:
    """A grid with a label left of each row and above each column; upright where a column is too narrow for one of them.

    The pixels of the grid are in the lower right, as they were. Labels are cut at `longest` pixels.
    """
    from PIL import Image, ImageDraw

    row_labels, column_labels = ([_fitted(label, longest) for label in some] for some in (row_labels, column_labels))
    height, width, _ = picture.shape
    highest = max(map(_length, column_labels), default=0)
    upright = highest > width / max(1, len(column_labels))
    left = max(map(_length, row_labels), default=0)
    left, top = (left + 3 * GAP if left else 0), (highest if upright else LABEL_SIZE * bool(highest))
    top += 3 * GAP * bool(top)
    canvas = Image.new("RGB", (left + width, top + height), "white")
    canvas.paste(Image.fromarray(picture), (left, top))
    pen = ImageDraw.Draw(canvas)
    for index, label in enumerate(row_labels):
        middle = top + (index + 0.5) * height / len(row_labels)
        pen.text((left - GAP, middle), label, INK, _font(), "rm")
    for index, label in enumerate(column_labels):
        middle = left + (index + 0.5) * width / len(column_labels)
        if upright:
            canvas.paste(_upright(label), (round(middle - LABEL_SIZE / 2), top - 2 * GAP - _length(label)))
        else:
            pen.text((middle, top - 2 * GAP), label, INK, _font(), "ms")
    return np.asarray(canvas)


def _upright(label: str) -> Any:
    """The label as a picture that is read from below."""
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (max(1, _length(label)), LABEL_SIZE + 2), "white")
    ImageDraw.Draw(canvas).text((0, canvas.height / 2), label, INK, _font(), "lm")
    return canvas.transpose(Image.Transpose.ROTATE_90)


def _length(label: str) -> int:
    return math.ceil(_font().getlength(label))


@functools.cache
def _font() -> Any:
    """The one that comes with matplotlib: the same on every machine, with the letters of most alphabets."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", LABEL_SIZE)


def _fitted(label: str, room: float) -> str:
    """The label, cut with an ellipsis where it is wider than `room` pixels."""
    if _font().getlength(label) <= room:
        return label
    cuts = (f"{label[:length].rstrip()}…" for length in range(len(label) - 1, 0, -1))
    return next((cut for cut in cuts if _font().getlength(cut) <= room), "")


def save_png(path: pathlib.Path, picture: np.ndarray) -> None:
    """Write (height, width, 3) uint8 whole or not at all: a file beside it is renamed into place.

    A picture of greys alone is stored with one channel, in about half the bytes.
    """
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as unfinished:
        Image.fromarray(picture[..., 0] if _is_grey(picture) else picture).save(unfinished, format="PNG")


def save_gif(path: pathlib.Path, frames: Sequence[np.ndarray], milliseconds: int = 80) -> None:
    """Write frames of (height, width, 3) uint8 as an animation that loops for ever, whole or not at all.

    Greys are kept exactly; of colours, each frame has the 256 that fit it best.
    """
    from PIL import Image

    grey = all(_is_grey(frame) for frame in frames)
    pictures = [Image.fromarray(frame[..., 0] if grey else frame) for frame in frames]
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"save_all": True, "append_images": pictures[1:], "duration": milliseconds, "loop": 0}
    with files.replacing(path) as unfinished:
        pictures[0].save(unfinished, format="GIF", **options)


def _is_grey(picture: np.ndarray) -> bool:
    return bool((picture == picture[..., :1]).all())
