"""Points in the plane with known densities, on which a model can be judged exactly. float32, (num, 2).

ring8, grid25 and swiss_roll are those of Gulrajani et al. 2017 (arXiv 1704.00028) and its code: eight Gaussians of
standard deviation 0.02 on a circle of radius 2, divided by 1.414; 25 of 0.05 on a grid of step 2, divided by 2.828;
scikit-learn's Swiss roll with noise 0.25, seen from above, divided by 7.5. two_moons is scikit-learn's with noise 0.05;
rings are four circles of radius 0.25 to 1 with noise 0.02.
"""

import math
from collections.abc import Callable

import numpy as np

from experiments.data.arrays import Arrays, of_array
from experiments.data.collection import Collection, ranges

RING8_SCALE, GRID25_SCALE = 1.414, 2.828
RING8_DEVIATION, GRID25_DEVIATION = 0.02 / RING8_SCALE, 0.05 / GRID25_SCALE

NUM_TRAIN, NUM_TEST = 50_000, 10_000


def collection(name: str) -> Collection:
    """50,000 points to train on, 10,000 others to test; the mode of each as its label, where there are modes."""
    points, labels = TOYS[name](np.random.Generator(np.random.Philox(key=[0, 0])), NUM_TRAIN + NUM_TEST)
    classes = tuple(str(mode) for mode in range(int(labels.max()) + 1))
    images = Arrays(name, [of_array(name, points.astype(np.float32))])
    splits = ranges({"train": NUM_TRAIN, "test": NUM_TEST})
    if len(classes) == 1:
        return Collection(name, images, splits)
    return Collection(name, images, splits, labels.astype(np.int32), classes)


def ring8_centres() -> np.ndarray:
    """(8, 2): the modes of ring8."""
    angles = np.arange(8) * (2 * math.pi / 8)
    return 2.0 / RING8_SCALE * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def grid25_centres() -> np.ndarray:
    """(25, 2): the modes of grid25."""
    steps = np.arange(-4.0, 5.0, 2.0)
    return np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2) / GRID25_SCALE


def _ring8(generator: np.random.Generator, num: int) -> tuple[np.ndarray, np.ndarray]:
    return _around(generator, num, ring8_centres(), RING8_DEVIATION)


def _grid25(generator: np.random.Generator, num: int) -> tuple[np.ndarray, np.ndarray]:
    return _around(generator, num, grid25_centres(), GRID25_DEVIATION)


def _around(
    generator: np.random.Generator, num: int, centres: np.ndarray, deviation: float
) -> tuple[np.ndarray, np.ndarray]:
    modes = generator.integers(0, len(centres), num)
    return centres[modes] + deviation * generator.standard_normal((num, 2)), modes


def _swiss_roll(generator: np.random.Generator, num: int) -> tuple[np.ndarray, np.ndarray]:
    turn = 1.5 * math.pi * (1 + 2 * generator.random(num))
    points = np.stack([turn * np.cos(turn), turn * np.sin(turn)], axis=1)
    return (points + 0.25 * generator.standard_normal((num, 2))) / 7.5, np.zeros(num, np.int64)


def _two_moons(generator: np.random.Generator, num: int) -> tuple[np.ndarray, np.ndarray]:
    moons, angles = generator.integers(0, 2, num), math.pi * generator.random(num)
    upper = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lower = np.stack([1 - np.cos(angles), 0.5 - np.sin(angles)], axis=1)
    points = np.where(moons[:, None] == 0, upper, lower)
    return points + 0.05 * generator.standard_normal((num, 2)), moons


def _rings(generator: np.random.Generator, num: int) -> tuple[np.ndarray, np.ndarray]:
    rings, angles = generator.integers(0, 4, num), 2 * math.pi * generator.random(num)
    radii = (rings + 1) / 4 + 0.02 * generator.standard_normal(num)
    return radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1), rings


TOYS: dict[str, Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]] = {
    "ring8": _ring8,
    "grid25": _grid25,
    "swiss_roll": _swiss_roll,
    "two_moons": _two_moons,
    "rings": _rings,
}
