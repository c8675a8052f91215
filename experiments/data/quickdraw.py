"""Quick, Draw! of Google (CC BY 4.0): drawings of 28x28, one category at a time, `quickdraw:sheep`.

The official file of a category is read where it lies in the data folder; else the tensorflow-datasets set of them all.
"""

import dataclasses
import pathlib
from typing import Any

from experiments.command_line.errors import UserError
from experiments.data import arrays, prepared
from experiments.data.collection import Collection

URL = "https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap"
PREPARED = "quickdraw_bitmap"


def collection(category: str, folder: pathlib.Path) -> Collection:
    """The drawings of one category, white on black."""
    path = file_of(category, folder)
    if path:
        return dataclasses.replace(arrays.npy(str(path)), name=f"quickdraw:{category}")
    if prepared.version_of(PREPARED, folder):
        return prepared.collection(f"{PREPARED}:{category}", folder)
    raise UserError(
        f"no drawings of {category!r} are in {folder}: get {URL}/{category.replace(' ', '%20')}.npy with "
        f"python -m experiments.prepare 'quickdraw:{category}', or put it there as {file_names(category)[0]}"
    )


def file_names(category: str) -> tuple[str, ...]:
    """Names that a category's file may have in the data folder; the first is the official one."""
    return f"full_numpy_bitmap_{category}.npy", f"{category}.npy"


def file_of(category: str, folder: pathlib.Path) -> pathlib.Path | None:
    """The file of a category in the data folder or its sub-folder `quickdraw`, if it is there."""
    if not category or "/" in category or category.startswith("."):
        raise UserError(f"quickdraw:{category} names no category; give one, for example --data quickdraw:sheep")
    places = [folder / sub / name for sub in (".", "quickdraw") for name in file_names(category)]
    return next((path for path in places if path.is_file()), None)


def url_infos() -> dict[str, tuple[int, str]]:
    """URL of each category's file to its size in bytes and sha256, as tensorflow-datasets records them."""
    import tensorflow_datasets as tfds

    infos: Any = tfds.builder_cls(PREPARED).url_infos
    return {url: (int(info.size), info.checksum) for url, info in infos.items()}
