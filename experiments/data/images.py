"""A set of images in memory, and the order in which training sees it."""

import functools
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ImageSet:
    """Real images and, where the set has them, their labels."""

    name: str
    images: np.ndarray  # (num, height, width, channels) uint8
    labels: np.ndarray | None = None  # (num,) int32
    classes: tuple[str, ...] = ()  # name of each label

    def __len__(self) -> int:
        return len(self.images)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Height, width, channels."""
        return self.images.shape[1:]

    def describe(self) -> str:
        """One line for a person: count, shape, classes with their counts."""
        line = f"{self.name}: {len(self):,} images of {'x'.join(map(str, self.image_shape))}"
        if self.labels is None:
            return line
        counts = np.bincount(self.labels, minlength=len(self.classes))
        return f"{line}, {len(self.classes)} classes of {counts.min():,} to {counts.max():,}"


def batch_indices(seed: int, step: int, num: int, size: int) -> np.ndarray:
    """Which of `num` examples are in batch `step` of `size`: (size,) int64, a pure function of its arguments.

    The batches cut an endless stream in which every epoch is a new permutation of all examples: each example comes
    once an epoch, and none is left out where the size does not divide the set.
    """
    positions = np.arange(step * size, (step + 1) * size)
    epochs = positions // num
    return np.concatenate(
        [_permutation(seed, int(epoch), num)[positions[epochs == epoch] % num] for epoch in np.unique(epochs)]
    )


@functools.lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, num: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(num)
