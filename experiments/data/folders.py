"""A person's own pictures: `folder:PATH`. Sub-folders are labels; `train` and `test` (or `val`) are splits."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from experiments.data import files, left_out
from experiments.data.collection import Collection, numbered, ranges
from experiments.data.labels import Table, table_of, without_one_hot
from experiments.data.request import TEST_NAMES

NAMED = 3
"""Folders that a note names."""

LIKE_SPLITS = frozenset((*TEST_NAMES, "train", "training", "testing", "evaluation", "eval"))
"""Names of folders that a person may have meant as splits, in any case."""


def collection(path: str) -> Collection:
    """All pictures of the folder and below, in order of their paths."""
    folder = files.folder_of(path, "folder")
    every = files.every_file(folder)
    paths = files.pictures_among(every)
    files.require_pictures(paths, folder)
    splits, notes = files.split_folders(folder, paths)
    within = [path for root in splits.values() for path in files.within(root, paths)] if splits else paths
    roots = (folder, *splits.values())
    table = table_of(roots)
    tables = [] if table is None else [root / table.name for root in roots]
    notes += left_out.notes(folder, every, paths, [*within, *tables])
    return of_roots(f"folder:{path}", folder, splits or {"": folder}, paths, notes)


def of_roots(
    name: str,
    folder: pathlib.Path,
    roots: Mapping[str, pathlib.Path],
    paths: Sequence[pathlib.Path],
    notes: tuple[str, ...] = (),
) -> Collection:
    """The pictures of the folders of a set's splits, by name; of one folder of a set without any, under ""."""
    table = table_of((folder, *roots.values()))
    if table is not None:
        parts = {split: files.within(root, paths) for split, root in roots.items()}
        return _of_table(name, folder, roots, table, parts, notes)
    parts = {split: _Part(root, files.within(root, paths)) for split, root in roots.items()}
    classes = sorted({label for part in parts.values() for label in part.classes})
    labelled = sum(len(part.inner) for part in parts.values())
    strays = [path for part in parts.values() if part.classes for path in part.strays]
    if len(classes) < 2 or len(strays) >= labelled:
        if len(classes) > 1:
            notes += (f"no labels: {len(strays):,} pictures lie beside the folders {_said(classes)}",)
        return _collection(name, folder, {split: part.paths for split, part in parts.items()}, None, notes)
    if {name.lower() for name in classes} <= LIKE_SPLITS:
        notes += (
            f"each of {_said(classes)} is a class, not a split; name the folders train and test to make splits of them",
        )
    if strays:
        notes += (
            f"left out: {left_out.counted(len(strays))} beside the class folders {_said(classes)}, such as "
            f"{strays[0].name}",
        )
    kept = {split: part.inner if part.classes else part.paths for split, part in parts.items()}
    labels = [
        np.array([part.class_of(path) for path in part.inner]) if part.classes else None for part in parts.values()
    ]
    notes += tuple(
        f"part {split} has no labels: its pictures lie in no class folder"
        for split, part in parts.items()
        if part.paths and not part.classes
    )
    return _collection(name, folder, kept, labels, notes)


def _of_table(
    name: str,
    folder: pathlib.Path,
    roots: Mapping[str, pathlib.Path],
    table: Table,
    parts: Mapping[str, list[pathlib.Path]],
    notes: tuple[str, ...],
) -> Collection:
    """Labels as a table has them, its split's or that of all; sub-folders are no classes, only places of pictures."""
    places = {split: root if table.is_in(root) else folder for split, root in roots.items()}
    found = [table.read(place, parts[split]) if table.is_in(place) else None for split, place in places.items()]
    there = any(some is not None for some in found)
    notes += (f"labels are those of {table.name}" if there else f"no labels: {table.name} has none",)
    labels, hot = without_one_hot(name, found)
    made = _collection(name, folder, dict(parts), labels if there else None, notes)
    return dataclasses.replace(made, classes=tuple(map(str, range(hot)))) if hot > 1 else made


class _Part:
    """The pictures of a split's folder: those in its sub-folders, and strays beside them."""

    def __init__(self, root: pathlib.Path, paths: list[pathlib.Path]):
        self.paths, self._depth = paths, len(root.parts)
        self.strays = [path for path in paths if path.parent == root]
        self.inner = [path for path in paths if path.parent != root]
        self.classes = {self.class_of(path) for path in self.inner}

    def class_of(self, path: pathlib.Path) -> str:
        return path.parts[self._depth]


def _collection(
    name: str,
    folder: pathlib.Path,
    kept: dict[str, list[pathlib.Path]],
    labels: list[np.ndarray | None] | None,
    notes: tuple[str, ...],
) -> Collection:
    nums = {split: len(paths) for split, paths in kept.items()}
    numbers, classes = (None, ()) if labels is None else numbered(name, labels, list(nums.values()))
    pictures = files.pictures(folder, [path for paths in kept.values() for path in paths])
    return Collection(name, pictures, {} if "" in nums else ranges(nums), numbers, classes, notes=notes)


def _said(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
