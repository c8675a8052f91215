"""Image sets that tensorflow-datasets has prepared on disk (array_record), read without TensorFlow or a network."""

import os
import pathlib
from typing import Any

import numpy as np

from experiments.data.images import ImageSet
from experiments.experiment import UserError

DEFAULT_DIR = pathlib.Path("~/tensorflow_datasets")


def load(name: str, split: str, data_dir: pathlib.Path | None) -> ImageSet:
    """All images of one split. UserError if it is not prepared, has no such split, or mixes image sizes."""
    folder = (data_dir or pathlib.Path(os.environ.get("TFDS_DATA_DIR", DEFAULT_DIR))).expanduser()
    versions = sorted((folder / name).glob("*/dataset_info.json")) if _is_plain(name) else []
    if not versions:
        raise UserError(
            f"no data set {name!r} is prepared in {folder}{_others(folder)}; "
            "point --data-dir to a tensorflow-datasets folder that holds it, or use --data digits"
        )
    import tensorflow_datasets as tfds

    builder: Any = tfds.builder_from_directory(str(versions[-1].parent))
    if split not in builder.info.splits:
        raise UserError(f"{name} has no split {split!r}; there are: {', '.join(builder.info.splits)}")
    if "image" not in builder.info.features:
        raise UserError(f"{name} has no feature 'image'; it has: {', '.join(builder.info.features)}")
    return _read(name, builder, split)


def _read(name: str, builder: Any, split: str) -> ImageSet:
    source = builder.as_data_source(split)
    first = source[0]
    images = np.empty((len(source), *first["image"].shape), np.uint8)
    labels = np.zeros(len(source), np.int32)
    labelled = "label" in first
    for index in range(len(source)):
        example = source[index]
        if example["image"].shape != images.shape[1:]:
            raise UserError(
                f"{name} mixes image sizes, {images.shape[1:]} and {example['image'].shape}; "
                "use a set whose images are all of one size"
            )
        images[index] = example["image"]
        labels[index] = example["label"] if labelled else 0
    classes = tuple(builder.info.features["label"].names) if labelled else ()
    return ImageSet(name, images, labels if labelled else None, classes)


def _is_plain(name: str) -> bool:
    return all(part not in ("", ".", "..") for part in name.split("/"))


def _others(folder: pathlib.Path) -> str:
    there = sorted({path.parent.parent.name for path in folder.glob("*/*/dataset_info.json")})
    return f" (there are: {', '.join(there)})" if there else ""
