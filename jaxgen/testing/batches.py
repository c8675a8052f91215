"""Random batches of any kind, made from what `jaxgen.batches` says of it."""

from typing import Any

import numpy as np

from jaxgen import batches
from jaxgen.batches import Column


def random_batches(config: Any, num: int, size: int) -> list[Any]:
    """`num` batches of `size` examples of the config's batch type: images, labels below `num_classes`, bytes."""
    generator = np.random.default_rng(0)
    columns = batches.columns(config.batch_type)
    fields = [_rows(generator, config, column, (num, size)) for column in columns]
    if config.batch_type is None:
        return list(fields[0])
    return [config.batch_type(*parts) for parts in zip(*fields, strict=True)]


def _rows(generator: np.random.Generator, config: Any, column: Column, shape: tuple[int, int]) -> np.ndarray:
    match column.name:
        case "labels":
            return generator.integers(0, config.num_classes, shape, np.int32)
        case "captions":
            return generator.integers(32, 127, (*shape, config.caption_length), np.uint8)
        case "images" if config.batch_type is batches.Paired:  # whose inputs may have a size of their own
            return _images(generator, config, (*shape, *getattr(config, "input_shape", config.image_shape)))
        case _:
            return _images(generator, config, (*shape, *config.image_shape))


def _images(generator: np.random.Generator, config: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Pixels; numbers from N(0, 1) for data without bounds."""
    if config.value_range is None:
        return generator.standard_normal(shape, np.float32)
    return generator.integers(0, 256, shape, np.uint8)
