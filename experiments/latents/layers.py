"""Layers that are painted on images, from files, and moves of patches, from words."""

import pathlib
import re
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import files
from experiments.data.rows import PictureError
from experiments.translations import reading
from jaxgen.latents import editing


class Painted(NamedTuple):
    """A layer of one image."""

    pixels: np.ndarray  # (height, width, channels) uint8
    mask: np.ndarray  # (height, width, 1) float32: opacity in [0, 1]


class Wishes(NamedTuple):
    """What is wanted of an image, one of them at least."""

    colors: Painted | None = None
    edges: Painted | None = None  # pixels that have the wanted edges


def read(path: pathlib.Path, shape: tuple[int, ...]) -> Painted:
    """The layer in a file, opaque where it is painted. UserError for none, or one that does not fit the images."""
    height, width, channels = shape
    path = path.expanduser()
    if not files.is_file(path):
        raise UserError(f"--layer is {path}, but must be a picture with transparency: opaque where it is painted")
    try:
        picture = reading.read(path, channels)
    except PictureError as error:
        raise UserError(f"{path} {error}; give a layer as png") from error
    if picture.pixels.shape[:2] != (height, width):
        there = "x".join(map(str, picture.pixels.shape[1::-1]))
        raise UserError(
            f"{path} has {there} pixels, but the images of this run {width}x{height}; give a layer of theirs"
        )
    if picture.alpha is None or not picture.alpha.any():
        what = "is opaque everywhere" if picture.alpha is None else "is transparent everywhere"
        raise UserError(f"{path} {what}; give a layer that is opaque where it is painted, and transparent elsewhere")
    return Painted(picture.pixels, (picture.alpha[..., None] / 255.0).astype(np.float32))


def moves(words: Sequence[str], shape: tuple[int, ...]) -> np.ndarray:
    """Words such as 2,3>5,3, the patch around row 2, column 3, to row 5, column 3: (moves, 2 ends, 2) int32.

    UserError for others.
    """
    found = [re.fullmatch(r"(\d{1,9}),(\d{1,9})>(\d{1,9}),(\d{1,9})", word) for word in words]
    places = np.zeros((len(words), 2, 2), np.int32)
    for place, (word, match) in enumerate(zip(words, found, strict=True)):
        if match is None:
            raise UserError(f"--moves has {word!r}; say row,column>row,column in pixels from 0, such as '2,3>5,3'")
        places[place] = np.array([int(number) for number in match.groups()]).reshape(2, 2)
        if (places[place] >= shape[:2]).any():
            raise UserError(f"--moves has {word!r}, but images of {shape[0]} rows and {shape[1]} columns end before it")
    return places


def moved(pixels: np.ndarray, places: np.ndarray, side: int) -> Painted:
    """Patches of an image, uint8, at other places."""
    layer = jax.jit(editing.moved, static_argnums=3)(pixels[None].astype(np.float32), places[:, 0], places[:, 1], side)
    return Painted(np.asarray(layer.images[0]).astype(np.uint8), np.asarray(layer.mask[0]))


def stroke(pixels: np.ndarray, points: Sequence[tuple[float, float]], width: float) -> np.ndarray:
    """The mask of a brush of some width that goes through points, rows and columns of a picture in its pixels.

    (height, width, 1) float32: 1 for pixels whose middle lies under it, and for those in which a point lies.
    """
    middles = np.moveaxis(np.indices(pixels.shape[:2]), 0, 2) + 0.5
    ends = np.asarray(points, np.float64)
    mask = np.zeros(pixels.shape[:2], bool)
    for start, end in zip(ends, np.concatenate([ends[1:], ends[-1:]]), strict=True):
        along = end - start
        share = ((middles - start) @ along / max(along @ along, 1e-12)).clip(0, 1)
        nearest = start + share[..., None] * along
        mask |= ((middles - nearest) ** 2).sum(axis=2) <= (width / 2) ** 2
        row, column = np.floor(start).astype(int).clip(0, np.array(mask.shape) - 1)
        mask[row, column] = True
    return mask[..., None].astype(np.float32)


def lines(layer: Painted) -> Painted:
    """White lines on black where the layer is painted, whatever its colours."""
    white = np.broadcast_to(np.round(255 * layer.mask), layer.pixels.shape)
    return Painted(white.astype(np.uint8), np.ceil(layer.mask))


def over(below: Painted | None, above: Painted | None) -> Painted | None:
    """Both layers in one; the upper one where it is painted."""
    if below is None or above is None:
        return below or above
    seen = above.mask > 0
    return Painted(np.where(seen, above.pixels, below.pixels), np.where(seen, above.mask, below.mask))


def laid_on(pixels: np.ndarray, wishes: Wishes) -> np.ndarray:
    """An image, uint8, under what is wanted of it, colours above edges."""
    seen = pixels
    for layer in (wishes.edges, wishes.colors):
        if layer is not None:
            seen = seen + layer.mask * (layer.pixels - seen.astype(np.float32))
    return np.round(seen).astype(np.uint8)
