"""Labels that come in forms of their own: one-hot rows, and `dataset.json` of the StyleGAN tools."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import files

DATASET_JSON = "dataset.json"

HOW = 'write {"labels": [["00000/img.png", 3], ...]}, or null for no labels'


def from_one_hot(name: str, labels: np.ndarray) -> np.ndarray:
    """The place of the one 1 of each row, (num,) int64. UserError for rows that are not one-hot."""
    ones = labels == 1
    if labels.dtype.kind not in "buif" or not ((ones | (labels == 0)).all() and (ones.sum(axis=1) == 1).all()):
        raise UserError(
            f"{name} has labels of shape {labels.shape} that are not one-hot (a single 1 in each row, else 0); give a "
            "whole number for each image"
        )
    return ones.argmax(axis=1)


def without_one_hot(name: str, labels: Sequence[np.ndarray | None]) -> tuple[list[np.ndarray | None], int]:
    """Labels of all parts with one-hot rows as numbers, and the width of the rows, 1 where labels are no rows.

    UserError for rows of several widths, or in some parts only: column i would mean another class in each part.
    """
    there = [some for some in labels if some is not None]
    widths = {some.shape[1] if some.ndim == 2 else 1 for some in there}
    if widths <= {1}:
        return list(labels), 1
    if len(widths) > 1:
        shapes = " and ".join(str(some.shape) for some in there)
        raise UserError(
            f"{name} has labels of shapes {shapes} in its parts; give one-hot rows of one width in all parts, or a "
            "whole number for each image"
        )
    return [None if some is None else from_one_hot(name, some) for some in labels], widths.pop()


def from_dataset_json(root: pathlib.Path, paths: Sequence[pathlib.Path]) -> np.ndarray | None:
    """Labels of the pictures in a folder as its dataset.json has them, (num,) int64; None if it has none.

    UserError for pictures without a label, or a file of another form.
    """
    source = root / DATASET_JSON
    entries = _entries(source)
    if entries is None:
        return None
    by_name = {str(name).replace("\\", "/"): label for name, label in entries}
    names = [path.relative_to(root).as_posix() for path in paths]
    without = [name for name in names if name not in by_name]
    if without:
        raise UserError(
            f"{source} has no label for {len(without):,} of {len(paths):,} pictures, the first is {without[0]}; {HOW}"
        )
    try:
        labels = np.array([by_name[name] for name in names])
    except ValueError as error:
        raise UserError(f"{source} has labels of several forms; {HOW}") from error
    if labels.ndim == 2:
        return from_one_hot(str(source), labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise UserError(f"{source} has labels that are not whole numbers, such as {labels[0]}; {HOW}")
    return labels


def _entries(source: pathlib.Path) -> list[Any] | None:
    try:
        entries = json.loads(files.text_of(source))["labels"]
        return None if entries is None else [(name, label) for name, label in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{source} cannot be understood ({type(error).__name__}: {error}); {HOW}") from error
