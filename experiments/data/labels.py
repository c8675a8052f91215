"""Labels in forms of their own: one-hot rows, `dataset.json` of the StyleGAN tools, `metadata.csv` of Hugging Face."""

import csv
import io
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import files
from experiments.data.captions import FILE_KEYS

DATASET_JSON, METADATA_CSV = "dataset.json", "metadata.csv"

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
    """Labels of the pictures in a folder as its dataset.json has them, (num,) or one-hot rows; None if it has none.

    UserError for pictures without a label, or a file of another form.
    """
    source = root / DATASET_JSON
    entries = _entries(source)
    if entries is None:
        return None
    try:
        labels = np.array(_in_order(source, paths, dict(entries), HOW))
    except ValueError as error:
        raise UserError(f"{source} has labels of several forms; {HOW}") from error
    if labels.ndim == 1 and labels.dtype.kind not in "iu":
        raise UserError(f"{source} has labels that are not whole numbers, such as {labels[0]}; {HOW}")
    return labels


def _entries(source: pathlib.Path) -> list[Any] | None:
    try:
        entries = json.loads(files.text_of(source))["labels"]
        return None if entries is None else [(str(name).replace("\\", "/"), label) for name, label in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{source} cannot be understood ({type(error).__name__}: {error}); {HOW}") from error


def _in_order(source: pathlib.Path, paths: Sequence[pathlib.Path], labels: Mapping[str, Any], how: str) -> list[Any]:
    """The label of each picture, whose names are relative to the folder of the source. UserError where one has none."""
    names = [path.relative_to(source.parent).as_posix() for path in paths]
    without = [name for name in names if name not in labels]
    if without:
        raise UserError(
            f"{source} has no label for {len(without):,} of {len(paths):,} pictures, the first is {without[0]}; {how}"
        )
    return [labels[name] for name in names]


def from_metadata_csv(root: pathlib.Path, paths: Sequence[pathlib.Path]) -> np.ndarray:
    """Labels of the pictures in a folder as the columns of its metadata.csv have them, (num,) numbers or words.

    They are numbers where all of the table are whole ones. UserError for pictures without a label.
    """
    source, how = root / METADATA_CSV, "write file_name and label of each"
    file, label = _columns(source)
    rows = [row for row in csv.DictReader(io.StringIO(files.text_of(source))) if (row[label] or "").strip()]
    found = {(row[file] or "").strip().replace("\\", "/"): row[label].strip() for row in rows}
    whole = all(word.isdecimal() for word in found.values())
    return np.array(_in_order(source, paths, {name: int(word) if whole else word for name, word in found.items()}, how))


def _columns(source: pathlib.Path) -> tuple[str, ...]:
    """The columns of file names and of labels that its first line names, both or none of them."""
    names = next(csv.reader(io.StringIO(files.text_of(source))), [])
    file = next((name for name in names if name in FILE_KEYS), None)
    return (file, "label") if file is not None and "label" in names else ()


class Table(NamedTuple):
    """A file that holds the labels of the pictures in its folder."""

    name: str
    is_in: Callable[[pathlib.Path], bool]
    read: Callable[[pathlib.Path, Sequence[pathlib.Path]], np.ndarray | None]


TABLES = (
    Table(DATASET_JSON, lambda root: files.is_file(root / DATASET_JSON), from_dataset_json),
    Table(
        METADATA_CSV,
        lambda root: files.is_file(root / METADATA_CSV) and bool(_columns(root / METADATA_CSV)),
        from_metadata_csv,
    ),
)
"""In order: the first that is there counts."""


def table_of(roots: Sequence[pathlib.Path]) -> Table | None:
    """The kind of table that lies in any of the folders."""
    return next((table for table in TABLES if any(map(table.is_in, roots))), None)
