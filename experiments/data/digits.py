"""Handwritten digits that come with scikit-learn: 1,797 real scans of 8x8 pixels, no download.

Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI repository. The set has no official
split; here a fixed one holds 297 scans out, so that there are real digits that no model has seen.
"""

from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.arrays import rows_of_array
from experiments.data.images import ImageSet
from experiments.data.request import Request, class_number

NUM_TEST = 297


def load(request: Request, class_name: str | None = None) -> ImageSet:
    """`train` (1,500), `test` (297) or `all` (1,797) scans, or those of one class; grey levels 0..16 become 0..255."""
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    order = np.random.Generator(np.random.Philox(key=[0, 0])).permutation(len(digits.images))
    parts = {"train": order[NUM_TEST:], "test": order[:NUM_TEST], "all": order}
    if request.split not in parts:
        raise UserError(f"digits has no split {request.split!r}; there are: {', '.join(parts)}")
    chosen = parts[request.split]
    classes = tuple(str(name) for name in digits.target_names)
    if class_name is not None:
        chosen = chosen[digits.target[chosen] == class_number("digits", class_name, classes)]
        classes = (class_name,)
    images = np.round(digits.images[chosen] * (255 / 16)).astype(np.uint8)[..., None]
    labels = digits.target[chosen] if class_name is None else np.zeros(len(chosen))
    name = "digits" if class_name is None else f"digits:{class_name}"
    return ImageSet(name, rows_of_array(name, images, request), labels.astype(np.int32), classes)
