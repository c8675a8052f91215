"""Random batches of any kind, made from what `jaxgen.batches` says of it."""

from typing import Any

import numpy as np

from jaxgen import batches
from jaxgen.batches import Column
from jaxgen.typing import Shape


def random_batches(config: Any, num: int, size: int) -> list[Any]:
    """`num` batches of `size` examples of the config's batch type: images, labels below `num_classes`, bytes."""
    generator = np.random.default_rng(0)
    columns = batches.columns(config.batch_type)
    shapes = [_image_shape(config, place) for place in range(len(columns))]
    fields = [
        _rows(generator, config, column, (num, size, *shape)) for column, shape in zip(columns, shapes, strict=True)
    ]
    if config.batch_type is None:
        return list(fields[0])
    return [config.batch_type(*parts) for parts in zip(*fields, strict=True)]


def _image_shape(config: Any, place: int) -> Shape:
    """Of the pictures in a field: a condition that has a target may have a size of its own, `input_shape`."""
    kind = config.batch_type
    conditions = kind is not None and kind.TARGET is not None and kind._fields[place] == kind.CONDITION
    return getattr(config, "input_shape", config.image_shape) if conditions else config.image_shape


def _rows(generator: np.random.Generator, config: Any, column: Column, shape: Shape) -> np.ndarray:
    """Rows of a column; pictures are pixels, or numbers from N(0, 1) for data without bounds."""
    if column.name == "labels":
        return generator.integers(0, config.num_classes, shape[:2], np.int32)
    if column.name == "captions":
        return generator.integers(32, 127, (*shape[:2], config.caption_length), np.uint8)
    if config.value_range is None:
        return generator.standard_normal(shape, np.float32)
    return generator.integers(0, 256, shape, np.uint8)
