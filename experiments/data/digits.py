"""Handwritten digits that come with scikit-learn: 1,797 real scans of 8x8 pixels, no download.

Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI repository. The set has no official
split; here a fixed one holds 297 scans out, so that there are real digits that no model has seen.
"""

from typing import Any

import numpy as np

from experiments.data.arrays import Arrays, of_array
from experiments.data.collection import Collection
from experiments.data.request import class_number

NUM_TEST = 297


def collection(class_name: str | None = None) -> Collection:
    """`train` (1,500) and `test` (297) scans, or those of one class; grey levels 0..16 become 0..255."""
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    order = np.random.Generator(np.random.Philox(key=[0, 0])).permutation(len(digits.images))
    held_out = np.arange(len(order)) < NUM_TEST
    classes = tuple(str(name) for name in digits.target_names)
    name, labels = "digits", digits.target[order].astype(np.int32)
    if class_name is not None:
        chosen = labels == class_number("digits", class_name, classes)
        order, held_out = order[chosen], held_out[chosen]
        name, classes, labels = f"digits:{class_name}", (class_name,), np.zeros(len(order), np.int32)
    images = np.round(digits.images[order] * (255 / 16)).astype(np.uint8)
    splits = {"train": np.flatnonzero(~held_out), "test": np.flatnonzero(held_out)}
    return Collection(name, Arrays(name, [of_array(name, images)]), splits, labels, classes)
