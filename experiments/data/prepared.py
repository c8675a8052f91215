"""Image sets that tensorflow-datasets has prepared on disk (array_record), read without TensorFlow or a network.

Records are read by index and their pictures decoded by Pillow: the same numbers as tensorflow-datasets gives, several
times as fast.
"""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import captions
from experiments.data.decoding import decode
from experiments.data.images import ImageSet
from experiments.data.request import Request, class_number, nearest, official, part
from experiments.data.rows import Rows, Source, rows_of

SCAN = 4096
"""Records read at a time when looking for labels."""

KEEP_ENCODED = 2**30
"""Splits of at most so many bytes are read once and kept until they are decoded."""


def load(name: str, request: Request) -> ImageSet:
    """One split of a set; of `SET:CLASS` the images of that class.

    UserError if it is not prepared, has no such split or class, or mixes image sizes.
    """
    set_name, _, class_name = name.partition(":")
    builder = opened(set_name, request.folder)
    if "image" not in builder.info.features:
        raise UserError(f"{set_name} has no feature 'image'; it has: {', '.join(builder.info.features)}")
    splits = tuple(builder.info.splits)
    if f"{request.split}A" in splits and f"{request.split}B" in splits:
        return _unpaired(name, builder, request)
    records, indices = _part(set_name, builder, request)
    if class_name:
        return _one_class(name, class_name, records, indices, request)
    return _image_set(name, records, indices, request)


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

    def __init__(self, name: str, builder: Any, split: str):
        from tensorflow_datasets.proto import tf_example_pb2

        self.name, self.split, self.features = name, split, builder.info.features
        self._parse = tf_example_pb2.Example.FromString  # pyright: ignore[reportAttributeAccessIssue]
        try:
            self._source = builder.as_data_source(split).data_source
            self._num = len(self._source)
            self._source.__getitems__([0])  # opens the files before threads read them
        except Exception as error:  # array_record raises errors of many kinds for damaged files
            raise self._damaged(builder.data_path, error) from error
        self._path = builder.data_path
        size = sum(builder.info.splits[one].num_bytes or 0 for one in split.split("+"))
        self._kept = self._read(range(self._num)) if size <= KEEP_ENCODED else None

    def __len__(self) -> int:
        return self._num

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
            raise self._damaged(self._path, error) from error

    def _damaged(self, path: Any, error: Exception) -> UserError:
        return UserError(f"{path}, split {self.split}, is damaged ({_short(error)}); remove it and prepare it again")

    def labels(self) -> np.ndarray | None:
        """(num,) int32, None if the set has none; one pass over all records."""
        if "label" not in self.features or not hasattr(self.features["label"], "names"):
            return None
        return np.array(
            [
                features["label"].int64_list.value[0]
                for start in range(0, len(self), SCAN)
                for features in self.get(range(start, min(start + SCAN, len(self))))
            ],
            np.int32,
        )

    def rows(self, indices: np.ndarray, request: Request) -> Rows:
        """The pictures at `indices`."""
        shape, transposed = self.features["image"].shape, self.name.startswith("emnist")
        if self.features["image"].np_dtype != np.uint8:
            raise UserError(f"{self.name} has images of {self.features['image'].np_dtype}; use a set of 8-bit images")
        channels = shape[-1] if shape[-1] in (1, 3) else None

        def decoded(data: Any) -> np.ndarray:
            image = decode(data, request.images, channels)
            return image.swapaxes(0, 1) if transposed else image  # EMNIST's files hold columns where rows belong

        def read(chosen: Sequence[int]) -> list[Any]:
            return [features["image"].bytes_list.value[0] for features in self.get(indices[list(chosen)].tolist())]

        source = Source(self.name, len(indices), read, decoded, lambda index: f"example {indices[index]}")
        return rows_of(source, request.storage)


def _part(name: str, builder: Any, request: Request) -> tuple[_Records, np.ndarray]:
    """The records of a split and which of them belong to it."""
    splits = tuple(builder.info.splits)
    if request.split == "all":
        records = _Records(name, builder, "+".join(splits))
        return records, np.arange(len(records))
    chosen = official(request.split, splits)
    if chosen is None and (request.split != "test" or "train" not in splits):
        raise UserError(f"{name} has no split {request.split!r}; there are: {', '.join(splits)}, all")
    records = _Records(name, builder, chosen or "train")
    if chosen is not None and (chosen != "train" or official("test", splits)):
        return records, np.arange(len(records))
    return records, part(name, len(records), request.split)


def _image_set(name: str, records: _Records, indices: np.ndarray, request: Request) -> ImageSet:
    labels = records.labels()
    written, num_written = None, None
    if "captions" in records.features:
        texts = [
            [text.decode("utf-8") for text in features["captions"].bytes_list.value]
            for features in records.get(indices.tolist())
        ]
        written, num_written = captions.encoded(texts, request.images.caption_length)
    return ImageSet(
        name,
        records.rows(indices, request),
        None if labels is None else labels[indices],
        () if labels is None else tuple(records.features["label"].names),
        captions=written,
        num_captions=num_written,
    )


def _unpaired(name: str, builder: Any, request: Request) -> ImageSet:
    domains = [_Records(name, builder, f"{request.split}{domain}") for domain in "AB"]
    images, others = (records.rows(np.arange(len(records)), request) for records in domains)
    return ImageSet(name, images, others=others)


def _one_class(name: str, wanted: str, records: _Records, indices: np.ndarray, request: Request) -> ImageSet:
    labels = records.labels()
    if labels is None:
        raise UserError(f"{records.name} has no labels, so no class {wanted!r}; give --data {records.name}")
    names = tuple(records.features["label"].names)
    number = class_number(records.name, wanted, names)
    chosen = indices[labels[indices] == number]
    if not len(chosen):
        there = ", ".join(names[label] for label in np.unique(labels))
        raise UserError(f"{records.name} as prepared here holds no {names[number]!r}; it holds: {there}")
    return ImageSet(name, records.rows(chosen, request), np.zeros(len(chosen), np.int32), (names[number],))


def _others(name: str, folder: pathlib.Path) -> str:
    there = prepared_names(folder)
    return f" ({nearest(name, there)})" if there else ""


def _short(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return text if len(text) <= 120 else f"{text[:120]}..."
