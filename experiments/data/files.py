"""Files of pictures in folders."""

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from experiments.command_line.errors import UserError
from experiments.data.decoding import Half, decode
from experiments.data.request import TEST_NAMES, Request, official
from experiments.data.rows import PictureError, Rows, Source, rows_of

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".avif")
)


def folder_of(path: str, option: str) -> pathlib.Path:
    """The folder of that path. UserError if it is none or cannot be read."""
    if not path:
        raise UserError(f"--data {option}: names no folder; give --data {option}:PATH")
    folder = pathlib.Path(path).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_file():
        raise UserError(f"{folder} is a file, but --data {option}: wants a folder of pictures; give its folder")
    if folder.is_symlink():
        raise UserError(f"{folder} is a link that leads nowhere; give a folder that is there")
    raise UserError(f"there is no folder {folder}; give --data {option}:PATH with the path of your pictures")


def walk(folder: pathlib.Path, suffixes: frozenset[str] = SUFFIXES) -> list[pathlib.Path]:
    """Files of those suffixes in the folder and below, in order of name; hidden ones are left out.

    Links to folders are followed, a folder that has been seen is not entered again.
    """
    found: list[pathlib.Path] = []
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            status = here.stat()
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            raise UserError(f"{here} cannot be read ({error.strerror}); change its permissions") from error
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                waiting.append(pathlib.Path(entry.path))
            elif pathlib.PurePath(entry.name).suffix.lower() in suffixes:
                found.append(pathlib.Path(entry.path))
    return sorted(found)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def sub_folders(folder: pathlib.Path) -> list[pathlib.Path]:
    """Folders directly in a folder, in order of name, without hidden ones."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def require_pictures(paths: Sequence[pathlib.Path], folder: pathlib.Path) -> None:
    """UserError if there are none, saying what there is."""
    if paths:
        return
    others = sorted(path.name for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    there = f"its files are {', '.join(others[:3])}{', ...' if len(others) > 3 else ''}" if others else "it is empty"
    raise UserError(f"{folder} holds no pictures ({there}); give a folder of png, jpg, webp, gif, bmp or tiff files")


def split_folders(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """The folders of a set's splits, where it has a sub-folder `train`; empty else."""
    there = {path.name: path for path in sub_folders(folder)}
    return {name: there[name] for name in ("train", *TEST_NAMES) if name in there} if "train" in there else {}


def rows_of_files(
    name: str,
    paths: Sequence[pathlib.Path],
    request: Request,
    half: Half = None,
) -> Rows:
    """The pictures of these files, all grey or all RGB: as the first of them is, where the options do not say."""
    channels = None if request.images.channels else _channels_of(paths[0])

    def decoded(data: bytes) -> np.ndarray:
        return decode(data, request.images, channels, half)

    def records(indices: Sequence[int]) -> list[Any]:
        return [read(paths[index]) for index in indices]

    return rows_of(Source(name, len(paths), records, decoded, lambda index: str(paths[index])), request.storage)


def read(path: pathlib.Path) -> Any:
    """The bytes of a file, or PictureError."""
    try:
        return path.read_bytes()
    except OSError as error:
        kind = "is a link that leads nowhere" if path.is_symlink() else f"cannot be read ({error.strerror})"
        return PictureError(kind)


def _channels_of(path: pathlib.Path) -> int | None:
    try:
        with Image.open(path) as picture:
            return 1 if picture.mode in ("1", "L", "LA", "La") or picture.mode.startswith("I;16") else 3
    except Exception:  # what is wrong with it is said when it is decoded
        return None


def split_of(name: str, splits: dict[str, pathlib.Path], split: str) -> pathlib.Path | None:
    """The folder of a split; None for one that is a part of the folder `train`, there being no other."""
    if split == "train" and len(splits) == 1:
        return None
    chosen = official(split, tuple(splits))
    if chosen is None and (split != "test" or len(splits) > 1):
        raise UserError(f"{name} has no split {split!r}; there are: {', '.join(splits)}, all")
    return None if chosen is None else splits[chosen]
