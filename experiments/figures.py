"""Pictures of images."""

import math
import pathlib

import numpy as np

from experiments import files

GAP = 2
SHORTEST_SIDE = 32


def grid(pixels: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Images side by side, row by row: (num, height, width, 1 or 3) uint8 to (rows, columns, 3) uint8.

    Small images are enlarged by a whole factor, each pixel a square, until a side has 32 pixels.
    """
    if pixels.ndim != 4 or pixels.shape[-1] not in (1, 3):
        raise ValueError(f"images of shape {pixels.shape} cannot be drawn; give (num, h, w, 1 or 3)")
    num = len(pixels)
    columns = columns or math.ceil(math.sqrt(num))
    rows = math.ceil(num / columns)
    factor = max(1, math.ceil(SHORTEST_SIDE / min(pixels.shape[1:3])))
    tiles = pixels.repeat(factor, axis=1).repeat(factor, axis=2)
    _, height, width, _ = tiles.shape
    canvas = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), 255, np.uint8)
    for index, tile in enumerate(tiles):
        top = GAP + (index // columns) * (height + GAP)
        left = GAP + (index % columns) * (width + GAP)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def save_png(path: pathlib.Path, picture: np.ndarray) -> None:
    """Write (height, width, 3) uint8 whole or not at all: a file beside it is renamed into place."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as unfinished:
        Image.fromarray(picture).save(unfinished, format="PNG")
