"""`shapes_captions`: one coloured shape a picture, 32x32, and sentences that say which.

A set on which it can be proven that samples are what a text asks for. Each picture is a function of its number alone,
and nothing is stored. It shows a combination of five shapes, six colours, four places and two sizes, 240 in all; what
no sentence speaks of (the exact place, size and shade, the grey of the ground) is drawn. A fifth of the combinations is
never trained on, spread so that each two values stand together in some picture of the others:

    train     20,000 pictures of the 192 others
    test       2,000 more of these
    unseen     2,000 of the 48 that are left out
    judge     24,000 of all 240, for a classifier that tells whether samples are what was asked for

The label is the number of the combination. A picture has four sentences of the ten that are true of it.
"""

import itertools
from typing import NamedTuple

import numpy as np

from experiments.data.arrays import Arrays, of_array
from experiments.data.collection import Collection, Parts, Shape, ranges
from experiments.data.fingerprints import Identity, checksum
from experiments.data.options import ImageOptions
from experiments.data.request import Request
from experiments.data.rows import Damaged, Rows

NAME = "shapes_captions"

SIDE = 32
"""Rows and columns of a picture."""

NUM = {"train": 20_000, "test": 2_000, "unseen": 2_000, "judge": 24_000}
"""Pictures of each part."""

CHUNK = 1_000
"""Pictures that are drawn at a time."""

SENTENCES = 4
"""Of each picture."""

COLOURS = {
    "red": (225, 40, 40),
    "green": (40, 190, 60),
    "blue": (55, 85, 240),
    "yellow": (240, 220, 40),
    "purple": (165, 50, 215),
    "white": (245, 245, 245),
}


class Attribute(NamedTuple):
    """What pictures differ in, and sentences say."""

    name: str
    values: tuple[str, ...]


ATTRIBUTES = (
    Attribute("shape", ("circle", "square", "triangle", "cross", "ring")),
    Attribute("colour", tuple(COLOURS)),
    Attribute("place", ("top left", "top right", "bottom left", "bottom right")),
    Attribute("size", ("small", "large")),
)
"""The number of a combination counts their values, those of the last the fastest."""

COMBINATIONS = np.array(list(itertools.product(*(range(len(one.values)) for one in ATTRIBUTES))))
"""(240, 4): the value of each attribute."""

UNSEEN = COMBINATIONS @ (1, 1, 2, 1) % 5 == 0
"""(240,): which are never trained on; of each colour, place and size it is one shape."""

SIZES = {"small": ("small", "little"), "large": ("large", "big")}
"""The words of each size."""

PATTERNS = (
    "a {size} {colour} {shape} at the {place}",
    "{place}: a {size} {colour} {shape}",
    "the {colour} {shape} in the {place} corner is {size}",
    "a {colour} {shape}, {size}, {place}",
    "there is a {size} {shape} at the {place}, it is {colour}",
)
"""Of the sentences."""


def collection() -> Collection:
    """All parts; the pictures of a part are drawn when it is read."""
    labels = _labels()
    classes = tuple(" ".join(value for value in values.values()) for values in map(_values, range(len(COMBINATIONS))))
    return Collection(NAME, _Drawn(labels), ranges(NUM), labels, classes, texts=lambda indices: _texts(labels, indices))


def drawn(indices: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The pictures of these numbers, each of its combination: (num, 32, 32, 3) uint8."""
    pictures = np.empty((len(indices), SIDE, SIDE, 3), np.uint8)
    for start in range(0, len(indices), CHUNK):
        some = slice(start, start + CHUNK)
        draws = np.stack([_generator(int(index), 1).random(7, np.float32) for index in indices[some]])
        pictures[some] = _painted(draws, COMBINATIONS[labels[some]])
    return pictures


def _painted(draws: np.ndarray, combinations: np.ndarray) -> np.ndarray:
    """Pictures of combinations, with seven uniform numbers for what is not said of each."""
    shapes, colours, places, sizes = combinations.T
    corners = np.stack([8 + 16 * (places // 2), 8 + 16 * (places % 2)], axis=1)
    centres = (corners + 3 * (draws[:, :2] - 0.5)).astype(np.float32)
    radii = np.where(sizes, 6 + draws[:, 2], 3.2 + draws[:, 2]).astype(np.float32)[:, None, None]
    shades = np.array(tuple(COLOURS.values()), np.float32)[colours] + 30 * (draws[:, 3:6] - 0.5)
    grounds = (15 + 60 * draws[:, 6])[:, None, None, None]
    pixels = np.arange(SIDE, dtype=np.float32) + 0.5
    y, x = (pixels - centres[:, axis, None] for axis in (0, 1))
    inside = np.empty((len(draws), SIDE, SIDE), np.float32)
    for number in range(len(ATTRIBUTES[0].values)):
        of = np.flatnonzero(shapes == number)
        distance = _distance(number, y[of, :, None], x[of, None, :], radii[of])
        inside[of] = np.clip(0.5 - distance, 0, 1)
    mixed = inside[..., None] * (shades[:, None, None] - grounds) + grounds
    return np.round(np.clip(mixed, 0, 255)).astype(np.uint8)


def sentences(label: int) -> list[str]:
    """All that are said of a combination."""
    values = _values(label)
    return [pattern.format(**values | {"size": word}) for pattern in PATTERNS for word in SIZES[values["size"]]]


def _distance(shape: int, y: np.ndarray, x: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Pixels from the edge of a shape around the origin, negative inside."""
    upright, level = np.abs(y), np.abs(x)
    match ATTRIBUTES[0].values[shape]:
        case "circle":
            return np.hypot(y, x) - radius
        case "square":
            return np.maximum(upright, level) - 0.9 * radius
        case "triangle":
            return np.maximum(y - 0.8 * radius, (2 * level - y) / 5**0.5 - 0.45 * radius)
        case "cross":
            return np.minimum(
                np.maximum(upright - 0.3 * radius, level - radius), np.maximum(level - 0.3 * radius, upright - radius)
            )
    return np.abs(np.hypot(y, x) - 0.75 * radius) - 0.25 * radius


def _labels() -> np.ndarray:
    """The combination of each picture, those of all parts one after another."""
    generator = _generator(0, 0)
    seen, unseen, every = np.flatnonzero(~UNSEEN), np.flatnonzero(UNSEEN), np.arange(len(UNSEEN))
    there = {"train": seen, "test": seen, "unseen": unseen, "judge": every}
    return np.concatenate([generator.choice(there[part], num) for part, num in NUM.items()]).astype(np.int32)


def _texts(labels: np.ndarray, indices: np.ndarray) -> list[list[str]]:
    every = [sentences(label) for label in range(len(COMBINATIONS))]
    chosen = (_generator(int(index), 2).choice(len(PATTERNS) * 2, SENTENCES, replace=False) for index in indices)
    return [[every[labels[index]][which] for which in some] for index, some in zip(indices, chosen, strict=True)]


def _values(label: int) -> dict[str, str]:
    """The value of each attribute, by its name."""
    return {one.name: one.values[value] for one, value in zip(ATTRIBUTES, COMBINATIONS[label], strict=True)}


def _generator(index: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[stream, index]))


class _Drawn:
    """The pictures, drawn as they are asked for."""

    def __init__(self, labels: np.ndarray):
        self._labels = labels

    def __len__(self) -> int:
        return len(self._labels)

    def shape(self, name: str, parts: Parts, options: ImageOptions) -> Shape | None:
        """32x32 in colour, or what the options say."""
        return self._arrays(np.zeros(1, np.int64)).shape(name, parts, options)

    def rows(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> Rows:
        """The pictures at `indices`."""
        return self._arrays(indices).rows(name, np.arange(len(indices)), shape, request)

    def identity(self) -> Identity:
        """Of a picture of each combination, which the rules above have drawn."""
        every = np.arange(len(COMBINATIONS))
        return Identity(contents=checksum(drawn(every, every).tolist()))

    def damaged(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> list[Damaged]:
        """None of them."""
        return []

    def _arrays(self, indices: np.ndarray) -> Arrays:
        return Arrays(NAME, [of_array(NAME, drawn(indices, self._labels[indices]))])
