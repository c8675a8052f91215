"""Which of several labels each example has: the feature `attributes` of a prepared set, or an array of an .npz file."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import numpy_files

NAME = "attributes"
"""Of the feature, and of the array: `attributes`, or `train_attributes` and so on for parts."""


def names_of(features: Any) -> tuple[str, ...]:
    """Of the attributes that the features of a prepared set have, sorted; none where they have no such feature."""
    import tensorflow_datasets as tfds

    if NAME not in features or not isinstance(features[NAME], tfds.features.FeaturesDict):
        return ()
    found = features[NAME]
    return tuple(sorted(name for name in found if str(np.dtype(found[name].np_dtype)) == "bool"))  # pyright: ignore


def of_records(names: Sequence[str], get: Callable[[list[int]], list[Any]], indices: np.ndarray, step: int) -> Any:
    """(num, names) uint8 by a pass over the records, `step` at a time."""
    keys = [f"{NAME}/{name}" for name in names]
    return np.array(
        [
            [features[key].int64_list.value[0] for key in keys]
            for start in range(0, len(indices), step)
            for features in get(indices[start : start + step].tolist())
        ],
        np.uint8,
    ).reshape(-1, len(keys))


def of_file(name: str, file: Any, splits: Sequence[str], nums: Sequence[int]) -> tuple[np.ndarray, list[str]] | None:
    """Those of all examples of an .npz file, (num, names) uint8, and the arrays that they are from; None without.

    UserError for another shape, other values than 0 and 1, or a part without.
    """
    wanted = [f"{split}_{NAME}" for split in splits] or [NAME]
    if not any(key in file.files for key in wanted):
        return None
    found = []
    for key, num in zip(wanted, nums, strict=True):
        if key not in file.files:
            raise UserError(f"{name} has attributes in some parts, but no array {key}; give them for all")
        array = numpy_files.member(name, file, key)
        if array.ndim != 2 or len(array) != num or not array.shape[1] or not np.isin(array, (0, 1)).all():
            raise UserError(
                f"{name} has {key} of shape {array.shape}; give ({num}, attributes), 1 where an image has one, else 0"
            )
        found.append(array.astype(np.uint8))
    if len({array.shape[1] for array in found}) > 1:
        raise UserError(f"{name} has {' and '.join(str(array.shape[1]) for array in found)} attributes in its parts")
    return np.concatenate(found), wanted
