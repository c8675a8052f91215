"""Tables with pictures in a column: `parquet:PATH` and `arrow:PATH`, as Hugging Face `datasets` has them.

PATH is a file, or a folder of files: `data/train-00000-of-00002.parquet` as on the hub, `train/0000.parquet`, or what
`save_to_disk` writes, `train/data-00000-of-00001.arrow`. A picture is {bytes, path}, or bytes. A column `label` holds
classes, whose names stand in the schema; a column `text` or `caption` what is written about a picture.
"""

import json
import pathlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.command_line import system
from experiments.command_line.errors import UserError
from experiments.data import files
from experiments.data.collection import Collection, numbered, ranges
from experiments.data.encoded import Pictures
from experiments.data.request import TEST_NAMES
from experiments.data.rows import PictureError
from experiments.data.table_files import Table, arrow

IMAGES = ("image", "img", "picture", "jpg", "png")
LABELS = ("label", "labels", "fine_label", "class")
TEXTS = ("text", "caption", "captions", "texts", "sentences")
"""Names that a column may have, the first that is there counts."""

SHARE_OF_MEMORY = 0.5
"""What parquet files may take of it; they can only be read in large pieces."""

NAMED = 6


@dataclass(frozen=True)
class Columns:
    """Which columns hold what."""

    image: str
    label: str | None
    classes: tuple[str, ...]  # their names, where the schema tells them
    text: str | None


def collection(scheme: str, path: str) -> Collection:
    """The pictures of a table, labels and captions where it has them."""
    name = f"{scheme}:{path}"
    root = pathlib.Path(path).expanduser()
    parts = _parts(name, root, f".{scheme}")
    paths = [one for some in parts.values() for one in some]
    _require_memory(name, scheme, paths)
    table = Table(paths)
    if not len(table):
        raise UserError(f"{name} has no rows; give a table of pictures")
    columns = _columns(name, table.schema)
    of_path = dict(zip(paths, table.nums, strict=True))
    nums = {split: sum(of_path[one] for one in some) for split, some in parts.items()}
    splits = {} if "" in nums else ranges(nums)
    labels, classes = _labels(name, columns, table, nums)
    folder = root if root.is_dir() else root.parent
    return Collection(
        name,
        Pictures(
            len(table),
            lambda indices: [_content(value, folder) for value in table.values(columns.image, indices)],
            table.called,
        ),
        splits,
        labels,
        classes,
        texts=None if columns.text is None else _texts(table, columns.text),
    )


def _content(value: Any, folder: pathlib.Path) -> Any:
    """The bytes of a picture, from the table or from the file that it names."""
    data, path = (value.get("bytes"), value.get("path")) if isinstance(value, dict) else (value, None)
    if data is not None:
        return data
    return files.read(folder / path) if path else PictureError("is missing")


def _parts(name: str, root: pathlib.Path, suffix: str) -> dict[str, list[pathlib.Path]]:
    """The files of each split, "" where there are none, in order of name."""
    if root.is_file():
        return {"": [root]}
    if not root.is_dir():
        raise UserError(f"there is no file or folder {root}; give --data {name.partition(':')[0]}:PATH")
    every = files.every_file(root)
    found = [one for one in every if one.suffix == suffix and not one.name.startswith("cache-")]
    if not found:
        other = {".parquet": "arrow", ".arrow": "parquet"}[suffix]
        hint = f"; give --data {other}:{root}" if any(one.suffix == f".{other}" for one in every) else ""
        raise UserError(f"{root} holds no files {suffix}{hint or '; give the folder of a table'}")
    parts: dict[str, list[pathlib.Path]] = {}
    for one in found:
        parts.setdefault(_split(one.relative_to(root)), []).append(one)
    if "" in parts and len(parts) > 1:
        others = ", ".join(sorted(parts)[1:])
        raise UserError(
            f"{name} has files of no split, such as {parts[''][0].name}, beside those of {others}; name them "
            "train-00000-of-00001 and so on, or move them away"
        )
    order = ["train", *TEST_NAMES]
    return {split: parts[split] for split in sorted(parts, key=lambda one: (one not in order, one))}


def _split(path: pathlib.Path) -> str:
    """The split that a file's name, or its folder's, says."""
    shard = re.fullmatch(r"(.+)-\d{5}-of-\d{5}(-\w+)?", path.stem)
    names = [shard[1]] if shard and shard[1] != "data" else [path.stem]
    known = ("train", *TEST_NAMES)
    for one in (*names, *reversed(path.parts[:-1])):
        last = one.rpartition("-")[2]  # load_dataset keeps mnist-train.arrow
        if last in known:
            return last
    return names[0] if shard and shard[1] != "data" else ""


def _require_memory(name: str, scheme: str, paths: Sequence[pathlib.Path]) -> None:
    """UserError for parquet files that are larger than the memory; arrow files are mapped into it."""
    size, there = sum(path.stat().st_size for path in paths), system.memory_bytes()
    if scheme == "parquet" and there is not None and size > SHARE_OF_MEMORY * there:
        raise UserError(
            f"{name} has {size / 1e9:,.1f} GB, but there are {there / 1e9:,.1f} GB of memory; save it with "
            "datasets.load_dataset(...).save_to_disk(FOLDER) and give --data arrow:FOLDER, which is read in place"
        )


def _columns(name: str, schema: Any) -> Columns:
    features = _features(schema)
    kinds = {column: features.get(column, {}).get("_type") for column in schema.names}
    pictures = [
        column for column in schema.names if kinds[column] == "Image" or _holds_bytes(schema.field(column).type)
    ]
    image = next((column for column in IMAGES if column in pictures), pictures[0] if len(pictures) == 1 else None)
    if image is None:
        there = ", ".join(schema.names[:NAMED]) + (", ..." if len(schema.names) > NAMED else "")
        what = "several columns of pictures" if pictures else "no column of pictures"
        raise UserError(f"{name} has {what}; name one of its columns 'image'; there are: {there}")
    classed = [column for column in schema.names if kinds[column] == "ClassLabel"]
    label = next((one for one in LABELS if one in classed), next(iter(classed), None))
    if label is None:
        label = next((one for one in LABELS if one in schema.names and _is_label(schema.field(one).type)), None)
    text = next((one for one in TEXTS if one in schema.names and _is_text(schema.field(one).type)), None)
    names = features.get(label, {}).get("names") or () if label else ()
    return Columns(image, label, tuple(map(str, names)), text if text != label else None)


def _features(schema: Any) -> dict[str, Any]:
    """What `datasets` has written of the columns: their types, and the names of classes."""
    try:
        return json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}


def _holds_bytes(kind: Any) -> bool:
    types = arrow().types
    if types.is_struct(kind):
        return {"bytes", "path"} <= {field.name for field in kind}
    return types.is_binary(kind) or types.is_large_binary(kind)


def _is_label(kind: Any) -> bool:
    types = arrow().types
    return types.is_integer(kind) or types.is_boolean(kind) or _is_string(kind)


def _is_text(kind: Any) -> bool:
    types = arrow().types
    lists = types.is_list(kind) or types.is_large_list(kind)
    return _is_string(kind.value_type if lists else kind)


def _is_string(kind: Any) -> bool:
    types = arrow().types
    return types.is_string(kind) or types.is_large_string(kind)


def _labels(
    name: str, columns: Columns, table: Table, nums: Mapping[str, int]
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Numbers and names of the classes; a split whose labels are missing or hidden, as -1, has none."""
    if columns.label is None:
        return None, ()
    values = table.values(columns.label, range(len(table)))
    found, first = [], 0
    for num in nums.values():
        some = values[first : first + num]
        first += num
        hidden = any(one is None or (columns.classes and one < 0) for one in some)
        found.append(None if hidden or not some else np.array(some))
    if all(some is None for some in found):
        return None, ()
    numbers, classes = numbered(name, found, list(nums.values()))
    if columns.classes and numbers.max() >= len(columns.classes):
        raise UserError(f"{name} has labels to {numbers.max()}, but names of {len(columns.classes)} classes")
    return numbers, columns.classes or classes


def _texts(table: Table, column: str) -> Callable[[np.ndarray], list[list[str]]]:
    def texts(indices: np.ndarray) -> list[list[str]]:
        found = table.values(column, indices.tolist())
        for index, some in zip(indices, found, strict=True):
            if not some:
                raise UserError(f"{table.called(int(index))} has no text in {column!r}; write one, or remove the row")
        return [[some] if isinstance(some, str) else list(some) for some in found]

    return texts
