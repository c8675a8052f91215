"""A person's own pictures: `folder:PATH`. Sub-folders are labels; `train` and `test` (or `val`) are splits."""

import pathlib

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import files
from experiments.data.images import ImageSet
from experiments.data.request import Request, part


def load(path: str, request: Request) -> ImageSet:
    """All pictures of the folder and below, in order of their paths."""
    folder = files.folder_of(path, "folder")
    name = f"folder:{path}"
    splits = files.split_folders(folder)
    classes = _classes([*splits.values()] or [folder])
    if splits and request.split == "all":
        paths = [path for root in splits.values() for path in files.walk(root)]
        files.require_pictures(paths, folder)
        roots = list(splits.values())
    else:
        chosen = files.split_of(name, splits, request.split) if splits else None
        root = chosen or splits.get("train", folder)
        paths = files.walk(root)
        files.require_pictures(paths, root)
        roots = [root]
        indices = np.arange(len(paths)) if chosen else part(name, len(paths), request.split)
        paths = [paths[index] for index in indices]
        if not paths:
            raise UserError(f"{folder} has too few pictures for a split {request.split!r}; add some")
    labels = _labels(paths, roots, classes) if classes else None
    return ImageSet(name, files.rows_of_files(name, paths, request), labels, classes)


def _classes(roots: list[pathlib.Path]) -> tuple[str, ...]:
    """Names of the sub-folders that hold pictures; none if there are fewer than two, or pictures lie beside them."""
    names: set[str] = set()
    for root in roots:
        if any(path.parent == root for path in files.walk(root)):
            return ()
        names |= {sub.name for sub in files.sub_folders(root) if files.walk(sub)}
    return tuple(sorted(names)) if len(names) > 1 else ()


def _labels(paths: list[pathlib.Path], roots: list[pathlib.Path], classes: tuple[str, ...]) -> np.ndarray:
    numbers = {name: number for number, name in enumerate(classes)}
    depths = {root: len(root.parts) for root in roots}
    found = []
    for path in paths:
        root = next(root for root in roots if path.is_relative_to(root))
        found.append(numbers[path.parts[depths[root]]])
    return np.array(found, np.int32)
