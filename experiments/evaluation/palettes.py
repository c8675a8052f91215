"""Label maps as pictures: the colours that stand for classes, found in the maps, and the share of pixels right.

A map that was compressed or made by a network has other colours too; each pixel is of the class of the nearest one.
"""

import numpy as np

SHIFT = 4
"""Colours are counted by their upper bits: sixteen values of each channel."""

LEAST_SHARE, LEAST_DISTANCE, MOST_COLOURS = 0.002, 48.0, 64
"""A colour stands for a class from this share of the pixels on, and so far from every more frequent one."""

CHUNK = 16
"""Maps that are classified at a time."""


def palette(maps: np.ndarray) -> np.ndarray:
    """The colours of the classes in label maps, the most frequent first.

    Args:
        maps: (num, height, width, channels) uint8.

    Returns:
        (colours, channels) float32, each the mean of its pixels.
    """
    pixels = maps.reshape(-1, maps.shape[3])
    coarse = (pixels >> SHIFT).astype(np.int64)
    bins = np.ravel_multi_index(tuple(coarse.T), (2 ** (8 - SHIFT),) * maps.shape[3])
    counts = np.bincount(bins)
    found: list[np.ndarray] = []
    for place in np.argsort(-counts, kind="stable"):
        if counts[place] < LEAST_SHARE * len(pixels) or len(found) == MOST_COLOURS:
            break
        colour = pixels[bins == place].mean(axis=0)
        if all(np.linalg.norm(colour - other) >= LEAST_DISTANCE for other in found):
            found.append(colour)
    return np.asarray(found, np.float32).reshape(-1, maps.shape[3])


def classes(maps: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """The number of the nearest colour at each pixel, (num, height, width) int64."""
    return np.concatenate([_nearest(maps[start : start + CHUNK], colours) for start in range(0, len(maps), CHUNK)])


def _nearest(maps: np.ndarray, colours: np.ndarray) -> np.ndarray:
    pixels = maps.astype(np.float32)
    distances = [((pixels - colour[None, None, None]) ** 2).sum(axis=3) for colour in colours]
    return np.argmin(distances, axis=0)


def accuracy(maps: np.ndarray, others: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """The share of pixels of each map that are of the same class in the other, (num,)."""
    return (classes(maps, colours) == classes(others, colours)).mean(axis=(1, 2))


def most_frequent(maps: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """A map with, at each pixel, the colour of the class that most maps have there, (height, width, channels) uint8."""
    found = classes(maps, colours)
    votes = np.stack([(found == number).sum(axis=0) for number in range(len(colours))])
    return np.round(colours[votes.argmax(axis=0)]).astype(np.uint8)
