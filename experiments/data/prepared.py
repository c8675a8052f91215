"""Image sets that tensorflow-datasets has prepared on disk (array_record), read without TensorFlow or a network.

Records are read by index and their pictures decoded by Pillow: the same numbers as tensorflow-datasets gives, several
times as fast.
"""

import dataclasses
import pathlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import attributes, one_class
from experiments.data.collection import Collection, ranges
from experiments.data.encoded import Pictures
from experiments.data.request import nearest

SCAN = 4096
"""Records read at a time when looking for labels."""

KEEP_ENCODED = 2**30
"""Splits of at most so many bytes are read once and kept until they are decoded."""


def collection(name: str, folder: pathlib.Path) -> Collection:
    """All splits of a set; of `SET:CLASS` the images of that class.

    UserError if it is not prepared, is a path, or has no images or no such class.
    """
    set_name, _, class_name = name.partition(":")
    if _is_path(name) and version_of(set_name, folder) is None:
        raise UserError(f"{name} is a path, not the name of a set; for a folder of pictures give --data folder:{name}")
    builder = opened(set_name, folder)
    if "image" not in builder.info.features:
        raise UserError(f"{set_name} has no feature 'image'; it has: {', '.join(builder.info.features)}")
    if builder.info.features["image"].np_dtype not in (np.uint8, np.uint16):  # floats lie in the pixels' bytes
        dtype = builder.info.features["image"].np_dtype
        raise UserError(f"{set_name} has images of {dtype}; use a set of images of 8 or 16 bits")
    splits = tuple(builder.info.splits)
    domains = [
        split.removesuffix("A") for split in splits if f"{split.removesuffix('A')}B" in splits and split[-1] == "A"
    ]
    if domains:
        a, b = (_collection(name, builder, {split: f"{split}{letter}" for split in domains}) for letter in "AB")
        a, b = (dataclasses.replace(one, labels=None, classes=()) for one in (a, b))  # they name the domains
        return dataclasses.replace(a, others=b, holds_out=False)
    found = _collection(name, builder, {split: split for split in splits})
    return one_class.of(found, set_name, class_name) if class_name else found


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or "\\" in name or pathlib.Path(name).is_dir()


def opened(name: str, folder: pathlib.Path) -> Any:
    """The tensorflow-datasets builder of a prepared set. UserError if there is none or its files are damaged."""
    import tensorflow_datasets as tfds

    newest = version_of(name, folder)
    if newest is None:
        raise UserError(
            f"no data set {name!r} is prepared in {folder}{_others(name, folder)}; "
            f"point --data-dir to a folder that holds it, or run: python -m experiments.prepare {name or 'NAME'}"
        )
    try:
        builder: Any = tfds.builder_from_directory(str(newest))
        file_format = builder.info.file_format.value
    except Exception as error:  # whatever json and tensorflow-datasets make of damaged files
        raise UserError(f"{newest} is damaged ({_short(error)}); remove it and prepare {name} again") from error
    if file_format != "array_record":
        raise UserError(
            f"{newest} is prepared as {file_format}, which only TensorFlow reads; "
            f"remove it and run: python -m experiments.prepare {name}"
        )
    return builder


def version_of(name: str, folder: pathlib.Path) -> pathlib.Path | None:
    """The folder of the newest version of a prepared set."""
    if any(part in ("", ".", "..") for part in name.split("/")) or pathlib.PurePath(name).is_absolute():
        return None
    found = [path.parent for path in (folder / name).glob("*/dataset_info.json")]
    return max(
        found, key=lambda path: [int(digits) for digits in path.name.split(".") if digits.isdigit()], default=None
    )


def prepared_names(folder: pathlib.Path) -> list[str]:
    """Names of the sets in a tensorflow-datasets folder, with their configurations."""
    paths = (*folder.glob("*/*/dataset_info.json"), *folder.glob("*/*/*/dataset_info.json"))
    return sorted({str(path.parent.parent.relative_to(folder)) for path in paths})


class _Records:
    """The examples of a split, as their encoded features."""

    def __init__(self, builder: Any, split: str):
        from tensorflow_datasets.proto import tf_example_pb2

        self._path, self._split = builder.data_path, split
        self._parse = tf_example_pb2.Example.FromString  # pyright: ignore[reportAttributeAccessIssue]
        try:
            self._source = builder.as_data_source(split).data_source
            num = len(self._source)
            self._source.__getitems__([0])  # opens the files before threads read them
        except Exception as error:  # array_record raises errors of many kinds for damaged files
            raise self._damaged(error) from error
        size = builder.info.splits[split].num_bytes or 0
        self._kept = self._read(range(num)) if size <= KEEP_ENCODED else None

    def get(self, indices: Sequence[int]) -> list[Any]:
        """Features of each example, by name."""
        if self._kept is not None:
            return [self._kept[index] for index in indices]
        return self._read(indices)

    def _read(self, indices: Sequence[int]) -> list[Any]:
        try:
            records = self._source.__getitems__(list(indices))
            return [self._parse(record).features.feature for record in records]
        except Exception as error:  # as above
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> UserError:
        return UserError(
            f"{self._path}, split {self._split}, is damaged ({_short(error)}); remove it and prepare it again"
        )


class _Splits:
    """The examples of several splits, one after another; a split is opened when one of its examples is read."""

    def __init__(self, builder: Any, splits: Sequence[str]):
        self._builder, self._splits = builder, list(splits)
        self.nums = [builder.info.splits[split].num_examples for split in splits]
        self._ends = np.cumsum([0, *self.nums])
        self._opened: dict[str, _Records] = {}
        self._lock = threading.Lock()

    def get(self, indices: Sequence[int]) -> list[Any]:
        """Features of each example, by name, from any thread."""
        places = np.searchsorted(self._ends, indices, side="right") - 1
        found: list[Any] = [None] * len(places)
        for place in np.unique(places).tolist():
            chosen = np.flatnonzero(places == place)
            local = (np.asarray(indices)[chosen] - self._ends[place]).tolist()
            for where, features in zip(chosen, self._records(self._splits[place]).get(local), strict=True):
                found[where] = features
        return found

    def _records(self, split: str) -> _Records:
        with self._lock:
            if split not in self._opened:
                self._opened[split] = _Records(self._builder, split)
            return self._opened[split]

    def labels(self, indices: np.ndarray) -> np.ndarray:
        """(num,) int32, by a pass over the records."""
        return np.array(
            [
                features["label"].int64_list.value[0]
                for start in range(0, len(indices), SCAN)
                for features in self.get(indices[start : start + SCAN].tolist())
            ],
            np.int32,
        )


class _Labels:
    """Labels that are read when they are needed."""

    def __init__(self, splits: _Splits):
        self._splits = splits

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        return self._splits.labels(indices)


def _collection(name: str, builder: Any, splits: Mapping[str, str]) -> Collection:
    """The splits of those names, each from a split that tensorflow-datasets has."""
    records, features = _Splits(builder, list(splits.values())), builder.info.features
    shape = features["image"].shape
    pictures = Pictures(
        sum(records.nums),
        lambda indices: [found["image"].bytes_list.value[0] for found in records.get(indices)],
        lambda index: f"example {index}",
        stored=(shape[0] or 0, shape[1] or 0, shape[2] if shape[2] in (1, 3) else 0),
        transposed=name.startswith("emnist"),
    )
    labelled = "label" in features and hasattr(features["label"], "names")
    captions, named = "captions" in features, attributes.names_of(features)
    return Collection(
        name,
        pictures,
        ranges(dict(zip(splits, records.nums, strict=True))),
        _Labels(records) if labelled else None,
        tuple(features["label"].names) if labelled else (),
        recorded=_recorded(builder, splits.values()),
        texts=(lambda indices: [_texts(found) for found in records.get(indices.tolist())]) if captions else None,
        attributes=(lambda indices: attributes.of_records(named, records.get, indices, SCAN)) if named else None,
        attribute_names=named,
    )


def _recorded(builder: Any, splits: Iterable[str]) -> str:
    """What tensorflow-datasets has recorded of splits."""
    infos = [(split, builder.info.splits[split]) for split in splits]
    sizes = "; ".join(f"{split} {info.num_examples} of {int(info.num_bytes or 0)} bytes" for split, info in infos)
    return f"{builder.info.full_name}: {sizes}"


def _texts(features: Any) -> list[str]:
    return [text.decode("utf-8") for text in features["captions"].bytes_list.value]


def _others(name: str, folder: pathlib.Path) -> str:
    there = prepared_names(folder)
    return f" ({nearest(name, there)})" if there else ""


def _short(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return text if len(text) <= 120 else f"{text[:120]}..."
