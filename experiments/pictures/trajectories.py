"""How samples come from noise: the states of a sampler as curves over real points, or as images in a row.

States that spread further than the samples, and further than 1, are drawn with less deviation, since noise of another
scale than the data's, that of EDM for one, would hide the rest.
"""

import numpy as np

from experiments.pictures import diagrams, figures
from experiments.pictures.diagrams import COLOURS, GREY, Group
from jaxgen.images import ValueRange

STATES, FRAMES, HOLD = 9, 60, 12
"""Of a row of images, of an animation at most, and how long an animation stays at its end."""


def scaled(states: np.ndarray, value_range: ValueRange) -> np.ndarray:
    """States (states, num, ...) whose deviation from the centre of the range, over all examples, is at most the last's.

    Or half of the range, where that is more; of points, 1 around 0.
    """
    low, high = value_range or (-1.0, 1.0)
    centre, half = (low + high) / 2, (high - low) / 2
    away = (states - centre) / half
    deviation = np.sqrt(np.mean(away.reshape(len(states), -1) ** 2, axis=1))
    too_wide = np.maximum(deviation / max(1.0, deviation[-1]), 1.0)
    return centre + half * away / too_wide.reshape(-1, *[1] * (states.ndim - 1))


def spread(states: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the states, at even distances, the first and the last among them."""
    num = min(most, len(states))
    return states[np.round(np.linspace(0, len(states) - 1, num)).astype(np.int64)]


def curves(states: np.ndarray, real: np.ndarray) -> np.ndarray:
    """A curve for each point, (states, num, dimensions), with its ends, over real points: a picture."""
    states = scaled(states, None)[..., :2]
    return diagrams.scatter(_groups(states, states[-1], real, noise=True), curves=states.swapaxes(0, 1))


def moving_points(states: np.ndarray, real: np.ndarray) -> list[np.ndarray]:
    """Frames in which the points move, over real points."""
    states = scaled(spread(states, FRAMES), None)[..., :2]
    window = diagrams.window_of([*states, real[:, :2]])
    return _held([diagrams.scatter(_groups(states, at, real), window=window) for at in states])


def rows(pixels: np.ndarray) -> np.ndarray:
    """Each image's states in a row, from the noise to the image: (states, num, height, width, channels) uint8."""
    shown = spread(pixels, STATES)
    return figures.grid(shown.swapaxes(0, 1).reshape(-1, *shown.shape[2:]), len(shown))


def moving_images(pixels: np.ndarray, columns: int | None = None) -> list[np.ndarray]:
    """Frames in which a grid of images comes from noise; (states, num, height, width, channels) uint8."""
    return _held([figures.grid(at, columns) for at in spread(pixels, FRAMES)])


def _groups(states: np.ndarray, at: np.ndarray, real: np.ndarray, *, noise: bool = False) -> list[Group]:
    begin = [Group("noise", states[0], COLOURS[1])] if noise else []
    return [Group("real", real[:, :2], GREY), *begin, Group("samples", at, COLOURS[0])]


def _held(frames: list[np.ndarray]) -> list[np.ndarray]:
    return [*frames, *[frames[-1]] * HOLD]
