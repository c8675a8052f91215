"""`sprites`: a white square, ellipse or heart on black, a function of five factors, with those of dSprites.

A set on which it is known what a code should say. Each picture is drawn from its number alone, at the size that is
asked for, 64x64 by default, and nothing is stored. The factors, the number of their values, their order and the names
of the arrays are those of dSprites, so that code for one set works with the other:

    color 1, shape 3, scale 6, orientation 40, posX 32, posY 32       737,280 pictures, posY counts the fastest

As there, the first and the last orientation are one picture, a square has four such, an ellipse two, and no part is
held out: a tenth is, as of any set. In dSprites pixels are black or white; here those on an edge are grey, as much as
the sprite covers them, so that in a small picture, too, neighbouring places differ.

Matthey, Higgins, Hassabis, Lerchner: dSprites, 2017, github.com/google-deepmind/dsprites-dataset.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from experiments.data.collection import Collection, Parts, Shape
from experiments.data.fingerprints import Identity, checksum
from experiments.data.options import ImageOptions
from experiments.data.request import Request
from experiments.data.rows import Damaged, Rows, Source, rows_of

NAME = "sprites"

SIDE = 64
"""Rows and columns of a picture, where no size is asked for."""

NAMES = ("color", "shape", "scale", "orientation", "posX", "posY")
"""Of the factors."""

SIZES = (1, 3, 6, 40, 32, 32)
"""Values of each factor."""

SHAPES = ("square", "ellipse", "heart")
"""The classes of the set."""

NUM = math.prod(SIZES)
"""Pictures."""

VALUES = (
    np.ones(1),
    np.arange(1.0, 4.0),
    np.linspace(0.5, 1, 6),
    np.linspace(0, 2 * np.pi, 40),
    np.linspace(0, 1, 32),
    np.linspace(0, 1, 32),
)
"""Of each factor, as dSprites has them."""

RADIUS, MARGIN = 0.18, 0.2
"""Of the circle around a sprite of scale 1; of the places of its centre to the edge. In units of the side."""

IN_MEMORY = 2**26
"""Bytes of a part that is drawn once; of a larger one pictures are drawn as they are asked for."""

CHUNK = 128
"""Pictures that are drawn at a time."""


def collection() -> Collection:
    """All pictures; the label is the shape."""
    return Collection(NAME, _Drawn(), labels=factors(np.arange(NUM))[:, 1].astype(np.int32), classes=SHAPES)


def factors(indices: np.ndarray) -> np.ndarray:
    """The number of the value of each factor, from 0 on: (num, 6) int64, dSprites' `latents_classes`."""
    return np.stack(np.unravel_index(indices, SIZES), axis=1)


def arrays(indices: np.ndarray, side: int = SIDE) -> dict[str, np.ndarray]:
    """What dSprites' file holds of the pictures at `indices`, but for the grey of their edges.

    `imgs` (num, side, side) uint8 of 0 and 1, `latents_values` (num, 6) and `latents_classes` (num, 6).
    """
    classes = factors(indices)
    values = np.stack([known[column] for known, column in zip(VALUES, classes.T, strict=True)], axis=1)
    pixels = drawn(indices, (side, side))[..., 0]
    return {"imgs": (pixels >= 128).astype(np.uint8), "latents_values": values, "latents_classes": classes}


def drawn(indices: np.ndarray, shape: tuple[int, int], *, squeezed: bool = False) -> np.ndarray:
    """The pictures of these numbers, (num, *shape, 1) uint8; of no squares the middle part, unless `squeezed`."""
    pictures = np.zeros((len(indices), *shape, 1), np.uint8)
    units = shape if squeezed else (max(shape), max(shape))
    for start in range(0, len(indices), CHUNK):
        _draw(pictures[start : start + CHUNK, ..., 0], factors(indices[start : start + CHUNK]), units)
    return pictures


def _draw(pictures: np.ndarray, classes: np.ndarray, units: tuple[int, int]) -> None:
    """Fill in the sprites: a window around each, in a picture of `units` pixels to the side of the square."""
    _, shapes, scales, angles, across, down = classes.T
    windows = [
        _window(MARGIN + (1 - 2 * MARGIN) * known[place], num, unit)
        for known, place, num, unit in zip(VALUES[5:3:-1], (down, across), pictures.shape[1:], units, strict=True)
    ]
    (rows, upright), (columns, level) = windows
    upright, level = upright[:, :, None], level[:, None, :]
    cosine, sine = (function(VALUES[3][angles])[:, None, None].astype(np.float32) for function in (np.cos, np.sin))
    u, v = cosine * level + sine * upright, cosine * upright - sine * level
    radii = (RADIUS * VALUES[2][scales])[:, None, None].astype(np.float32)
    distances = np.empty(u.shape, np.float32)
    for number, distance in enumerate((_square, _ellipse, _heart)):
        of = shapes == number
        distances[of] = distance(u[of], v[of], radii[of])
    covered = np.clip(0.5 - min(units) * distances, 0, 1)
    places = np.arange(len(pictures))[:, None, None], rows[:, :, None], columns[:, None, :]
    pictures[places] = np.round(255 * covered)


def _window(centres: np.ndarray, num: int, unit: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of the `num` pixels along an axis may show a sprite, and how far each lies from its centre."""
    width = min(num, math.ceil(2 * RADIUS * unit) + 3)
    middles = (centres - 0.5) * unit + num / 2  # in pixels
    first = np.clip(np.floor(middles - width / 2).astype(np.int64), 0, num - width)
    pixels = first[:, None] + np.arange(width)
    return pixels, ((pixels + 0.5 - middles[:, None]) / unit).astype(np.float32)


def _square(u: np.ndarray, v: np.ndarray, radius: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(u), np.abs(v)) - radius / math.sqrt(2)


def _ellipse(u: np.ndarray, v: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Half as high as wide: (f - 1) / |gradient of f| of f = |(u, 2 v)| / radius, exact to the first order."""
    length = np.hypot(u, 2 * v)
    slope = np.hypot(u, 4 * v) / np.maximum(length, 1e-6)
    return (length - radius) / np.maximum(slope, 1.0)


def _heart(u: np.ndarray, v: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """A square on its corner and a disc around the middle of each of its upper sides."""
    half = radius / 2
    one, other = (u - v) / math.sqrt(2), (-u - v) / math.sqrt(2)
    square = np.maximum(np.abs(one), np.abs(other)) - half
    discs = np.minimum(np.hypot(one - half, other), np.hypot(one, other - half)) - half
    return np.minimum(square, discs)


class _Drawn:
    """The pictures, drawn as they are asked for."""

    def __len__(self) -> int:
        return NUM

    def shape(self, name: str, parts: Parts, options: ImageOptions) -> Shape | None:
        """64x64 in grey, or what the options say."""
        return (*(options.stored_shape or (SIDE, SIDE)), options.channels or 1)

    def rows(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> Rows:
        """The pictures at `indices`."""
        height, width, channels = shape or (SIDE, SIDE, 1)
        squeezed = request.images.crop == "none"

        def read(places: Sequence[int]) -> list[np.ndarray]:
            pictures = drawn(indices[np.asarray(places)], (height, width), squeezed=squeezed)
            return list(np.repeat(pictures, channels, axis=3))

        source = Source(name, len(indices), read, lambda picture: picture, lambda place: f"picture {indices[place]}")
        most = min(request.storage.host_bytes, IN_MEMORY)
        return rows_of(source, dataclasses.replace(request.storage, host_bytes=most), shape)

    def identity(self) -> Identity:
        """Of pictures spread over the set, which the rules above have drawn."""
        return Identity(contents=checksum(drawn(np.linspace(0, NUM - 1, 128).astype(np.int64), (SIDE, SIDE)).tolist()))

    def damaged(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> list[Damaged]:
        """None of them."""
        return []
