"""Batches by what they hold, and what each part of them is for: all that is known of a kind of batch stands here.

A batch is an array of images alone, or one of the named tuples below. Each says in `COLUMNS`, field by field, from
which column of a data set the field comes and how its rows are chosen; in `CONDITION` which field a model is given when
it samples, or the names of all fields for the whole batch, or None; and in `TARGET` which field its samples are
compared with. A new kind of batch is a new class here.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from jaxgen.typing import Attributes, Batch, Captions, Labels, Shape


@dataclass(frozen=True)
class Column:
    """Where a field of a batch comes from."""

    name: Literal["images", "labels", "targets", "others", "captions", "attributes"]  # of the data set's column
    rows: Literal["same", "other", "one_of"] = "same"  # as the first field; drawn independently; one of several each

    @property
    def pixels(self) -> bool:
        """Whether its rows are pictures, which are cropped and mirrored as the first field's are."""
        return self.name in ("images", "targets", "others")


class Labelled(NamedTuple):
    """A batch for a conditional model."""

    images: Batch
    labels: Labels

    COLUMNS = (Column("images"), Column("labels"))
    CONDITION, TARGET = "labels", "images"


class Paired(NamedTuple):
    """A batch for a model that learns one image from another: `targets[i]` belongs to `inputs[i]`.

    The two may differ in size: a model for super-resolution has an `input_shape` as well as an `image_shape`.
    """

    inputs: Batch
    targets: Batch

    COLUMNS = (Column("images"), Column("targets"))
    CONDITION, TARGET = "inputs", "targets"


class LabelledPaired(NamedTuple):
    """A batch of pairs as `Paired` has them, with a label of each."""

    inputs: Batch
    targets: Batch
    labels: Labels

    COLUMNS = (Column("images"), Column("targets"), Column("labels"))
    CONDITION, TARGET = "inputs", "targets"


class Unpaired(NamedTuple):
    """A batch of two domains, drawn independently: nothing links `a[i]` to `b[i]`."""

    a: Batch
    b: Batch

    COLUMNS = (Column("images"), Column("others", rows="other"))
    CONDITION, TARGET = "a", None


class Coupled(NamedTuple):
    """A batch of two domains, drawn independently, for a model that makes images of both: it is given nothing.

    Its samples are images of `a`.
    """

    a: Batch
    b: Batch

    COLUMNS = (Column("images"), Column("others", rows="other"))
    CONDITION, TARGET = None, "a"


class LabelledUnpaired(NamedTuple):
    """A batch of two domains, drawn independently, with the labels of the first: nothing links `a[i]` to `b[i]`."""

    a: Batch
    labels: Labels
    b: Batch

    COLUMNS = (Column("images"), Column("labels"), Column("others", rows="other"))
    CONDITION, TARGET = "a", None


class PartlyLabelled(NamedTuple):
    """A batch of images with their labels, and of as many images, drawn independently, whose labels are not known."""

    labelled: Batch
    labels: Labels
    images: Batch

    COLUMNS = (Column("images"), Column("labels"), Column("others", rows="other"))
    CONDITION, TARGET = None, "images"


class Domains(NamedTuple):
    """A batch of several domains: images, and the domain that each is of.

    As a condition: images, and the domain that each is to be of.
    """

    images: Batch
    labels: Labels

    COLUMNS = (Column("images"), Column("labels"))
    CONDITION, TARGET = ("images", "labels"), None


class MultiLabelled(NamedTuple):
    """A batch of images and, for each, which of several labels it has: 1 or 0."""

    images: Batch
    attributes: Attributes

    COLUMNS = (Column("images"), Column("attributes"))
    CONDITION, TARGET = "images", None


class Captioned(NamedTuple):
    """A batch for a text-to-image model: one caption for each image, as UTF-8 bytes padded with 0, or as tokens."""

    images: Batch
    captions: Captions

    COLUMNS = (Column("images"), Column("captions", rows="one_of"))
    CONDITION, TARGET = "captions", "images"


class Inpainting(NamedTuple):
    """A batch for a model that fills holes in images: it is given images, takes parts of them away and makes others."""

    images: Batch

    COLUMNS = (Column("images"),)
    CONDITION, TARGET = "images", "images"


class LabelledInpainting(NamedTuple):
    """A batch for a model that fills holes and learns classes meanwhile."""

    images: Batch
    labels: Labels

    COLUMNS = (Column("images"), Column("labels"))
    CONDITION, TARGET = "images", "images"


BatchType: TypeAlias = (
    type[Labelled]
    | type[Paired]
    | type[LabelledPaired]
    | type[Unpaired]
    | type[Coupled]
    | type[LabelledUnpaired]
    | type[PartlyLabelled]
    | type[Domains]
    | type[MultiLabelled]
    | type[Captioned]
    | type[Inpainting]
    | type[LabelledInpainting]
    | None
)
"""None for an array of images alone."""

IMAGES = (Column("images"),)
"""The columns of a batch of images alone."""


def columns(batch_type: Any) -> tuple[Column, ...]:
    """Where the fields of a batch come from, in order."""
    return IMAGES if batch_type is None else batch_type.COLUMNS


def condition(batch: Any) -> Any:
    """The part of a batch that a model is given when it samples; None for images alone."""
    kind: Any = type(batch)
    if not isinstance(batch, tuple) or kind.CONDITION is None:
        return None
    return batch if kind._fields == kind.CONDITION else getattr(batch, kind.CONDITION)


def target(batch: Any) -> Any:
    """The images that samples are compared with: the batch itself, or one field of it; None if there are none."""
    if not isinstance(batch, tuple):
        return batch
    kind: Any = type(batch)
    return None if kind.TARGET is None else getattr(batch, kind.TARGET)


def random_batches(config: Any, num: int, size: int) -> list[Any]:
    """`num` batches of `size` examples of the config's batch type.

    Images, labels below `num_classes`, bytes of captions, attributes of 0 and 1.
    """
    generator = np.random.default_rng(0)
    found = columns(config.batch_type)
    shapes = [_image_shape(config, place) for place in range(len(found))]
    fields = [
        _rows(generator, config, column, (num, size, *shape)) for column, shape in zip(found, shapes, strict=True)
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
    if column.name == "attributes":
        return generator.integers(0, 2, (*shape[:2], config.num_attributes), np.uint8)
    if column.name == "captions":
        return generator.integers(32, 127, (*shape[:2], config.caption_length), np.uint8)
    if config.value_range is None:
        return generator.standard_normal(shape, np.float32)
    return generator.integers(0, 256, shape, np.uint8)
