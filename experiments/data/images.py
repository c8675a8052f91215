"""A set of examples: images with what belongs to each of them, and batches of what a model asks for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.captions import decoded
from experiments.data.options import ImageOptions
from experiments.data.order import Choice
from experiments.data.rows import LazyRows, Rows
from experiments.data.tokens import BytePairs
from jaxgen.batches import Column
from jaxgen.batches import columns as columns_of


class Window(NamedTuple):
    """How an image is cut from what is stored, at each batch."""

    height: int
    width: int
    pad: int = 0  # pixels around what is stored, repeating its edge
    moves: bool = False  # to a place drawn at random; else the middle
    flips: bool = False  # mirrored or not, at random


@dataclass(frozen=True)
class ImageSet:
    """Real images and, where the set has them, their labels, targets, captions, or a second domain."""

    name: str
    images: Rows  # (num, height, width, channels) uint8, or (num, dimensions) float32 points
    labels: np.ndarray | None = None  # (num,) int32
    classes: tuple[str, ...] = ()  # name of each label
    targets: Rows | None = None  # images that belong to `images`, one to one
    others: Rows | None = None  # images of a second domain, in any number
    other_labels: np.ndarray | None = None  # of those, where both domains are of one set; no batch holds them
    captions: np.ndarray | None = None  # (num, most, length), padded with 0: UTF-8 as uint8, or tokens as uint16
    num_captions: np.ndarray | None = None  # (num,) uint32: how many captions each image has
    attributes: Callable[[], np.ndarray] | np.ndarray | None = None  # (num, names) uint8; read when needed
    attribute_names: tuple[str, ...] = ()  # of their columns
    window: Window | None = None  # None: images are taken as they are stored
    reader: BytePairs | None = field(default=None, compare=False, repr=False)  # of captions; None for bytes
    notes: tuple[str, ...] = ()  # what loading did that a person should know
    fingerprint: Callable[[], dict[str, Any]] | None = field(default=None, compare=False, repr=False)  # of all parts

    def __len__(self) -> int:
        return len(self.images)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Height, width, channels of an image in a batch."""
        return self.shape_of("images")

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Height, width, channels of an image of that column in a batch."""
        stored = tuple(getattr(self, name).shape[1:])
        if self.window is None:
            return stored
        factor = factor_of(tuple(self.images.shape[1:]), stored)
        return (factor * self.window.height, factor * self.window.width, *stored[2:])

    @property
    def num_classes(self) -> int:
        """Number of classes, 0 without labels."""
        return len(self.classes)

    def text(self, caption: np.ndarray) -> str:
        """What one of the captions says; nothing of embeddings."""
        if caption.dtype.kind == "f":
            return ""
        return decoded(caption) if self.reader is None else self.reader.decoded(caption)

    def describe(self) -> str:
        """One line for a person: count, shape, classes with their counts."""
        shape = "x".join(map(str, self.image_shape))
        kind = "images" if len(self.image_shape) > 1 else "points"
        if self.targets is not None:
            kind = "pairs of images"
        line = f"{self.name}: {len(self):,} {kind} of {shape}"
        if self.others is not None:
            line += f", and {len(self.others):,} of a second domain"
        if self.num_captions is not None:
            line += f", {int(self.num_captions.sum()):,} captions"
        if self.attribute_names:
            line += f", {len(self.attribute_names)} attributes each"
        if self.labels is None:
            return line
        counts = np.bincount(self.labels, minlength=len(self.classes))
        return f"{line}, {len(self.classes)} classes of {counts.min():,} to {counts.max():,}"

    def columns(self, batch_type: type[tuple] | None) -> dict[str, Rows]:
        """What a batch of that type is made of. UserError, naming what the set lacks, if it cannot be."""
        found = {}
        for column in columns_of(batch_type):
            names = (column.name, f"num_{column.name}") if column.rows == "one_of" else (column.name,)
            for name in names:
                value = getattr(self, name, None)
                found[name] = value() if callable(value) else value
                if found[name] is None:
                    raise UserError(f"needs {_SAID[column.name]}, but {self.name} has none")
        return found

    def num_others(self, batch_type: type[tuple] | None) -> int:
        """Examples of the column whose rows are drawn independently of the first; 0 if there is none."""
        drawn = [column.name for column in columns_of(batch_type) if column.rows == "other"]
        return len(self.columns(batch_type)[drawn[0]]) if drawn else 0

    def batch(self, indices: Any, batch_type: type[tuple] | None = None) -> Any:
        """The examples at `indices`: their middle, unmirrored, their first caption.

        Returns:
            An array of images for None, else `batch_type`.

        Raises:
            UserError: if the set lacks what the type asks for.
        """
        indices = np.asarray(indices)
        num_others = self.num_others(batch_type)
        return self.take(Choice(indices, indices % num_others if num_others else None), batch_type)

    def take(self, choice: Choice, batch_type: type[tuple] | None = None) -> Any:
        """The batch of a choice, in NumPy."""
        return assemble(self.columns(batch_type), choice, batch_type, self.window)


_SAID = {
    "images": "images",
    "labels": "labels",
    "targets": "pairs of images",
    "others": "a second domain",
    "captions": "captions",
    "attributes": "attributes",
}
"""What a set without the column lacks."""


def assemble(columns: dict[str, Any], choice: Choice, batch_type: type[tuple] | None, window: Window | None) -> Any:
    """The batch of a choice from its columns; the same numbers from arrays of NumPy and, traced, of JAX."""
    first, *_ = declared = columns_of(batch_type)
    stored = columns[first.name].shape[1:]
    fields = [_field(column, columns, choice, window, stored) for column in declared]
    return fields[0] if batch_type is None else batch_type(*fields)


def _field(
    column: Column, columns: dict[str, Any], choice: Choice, window: Window | None, stored: tuple[int, ...]
) -> Any:
    """One field of a batch: the rows of its column, pictures cut by the window of images of shape `stored`."""
    rows, draws = columns[column.name], choice.draws
    indices, place = (choice.others, slice(3, 6)) if column.rows == "other" else (choice.indices, slice(0, 3))
    if column.pixels:
        if window is None:
            return rows[indices]
        factor = factor_of(stored, rows.shape[1:])
        return _windows(rows, indices, None if draws is None else draws[:, place], window, factor)
    if column.rows != "one_of":
        return rows[indices]
    which = indices * 0
    if draws is not None:
        which = (draws[:, 6] % columns[f"num_{column.name}"][indices]).astype("int32")
    return rows[indices, which]


def factor_of(shape: tuple[int, ...], other: tuple[int, ...]) -> int:
    """How many times as high and as wide as images of `shape` those of `other` are. UserError for no whole number."""
    factor = other[0] // shape[0]
    if factor < 1 or other[:2] != (factor * shape[0], factor * shape[1]):
        first, second = (f"{height}x{width}" for height, width, *_ in (shape, other))
        raise UserError(
            f"targets of {second} do not fit images of {first}: they must be as large, or a whole number of times as "
            "large; give --images.size"
        )
    return factor


def _windows(rows: Any, indices: Any, draws: Any, window: Window, factor: int) -> Any:
    """(size, height, width, channels): the window of each image, cut, padded and mirrored in one gather.

    Images that are `factor` times as large as those that the window is of are cut at the same place.
    """
    _, height, width, *_ = rows.shape
    top, left, mirrored = _placed(draws, len(indices), window, height // factor, width // factor)
    sides = factor * window.height, factor * window.width
    down, right = (np.arange(side, dtype=np.int32)[None, :] for side in sides)
    y = (factor * (top[:, None] - window.pad) + down).clip(0, height - 1)
    across = right + mirrored[:, None] * (right[:, ::-1] - right)
    x = (factor * (left[:, None] - window.pad) + across).clip(0, width - 1)
    if isinstance(rows, LazyRows):
        rows, indices = rows[indices], np.arange(len(indices))
    indices, y, x = indices[:, None, None], y[:, :, None], x[:, None, :]
    if not isinstance(rows, np.ndarray):
        return rows[indices, y, x]
    places = (indices.astype(np.int64) * height + y) * width + x  # four times as fast in NumPy as three indices
    return rows.reshape(-1, rows.shape[-1]).take(places, axis=0)


def _placed(draws: Any, size: int, window: Window, height: int, width: int) -> tuple[Any, Any, Any]:
    """Top, left and whether to mirror (0 or 1), for each image: (size,) int32."""
    room_y, room_x = (stored + 2 * window.pad - cut for stored, cut in ((height, window.height), (width, window.width)))
    still = np.zeros(size, np.int32)
    if draws is None or not window.moves:
        top, left = still + room_y // 2, still + room_x // 2
    else:
        top, left = (draws[:, 0] % (room_y + 1)).astype("int32"), (draws[:, 1] % (room_x + 1)).astype("int32")
    return top, left, still if draws is None or not window.flips else (draws[:, 2] % 2).astype("int32")


def stored_for(shape: tuple[int, ...], options: ImageOptions) -> tuple[int, int]:
    """Height and width in which images are stored that the options cut to `shape` (height, width, channels)."""
    height, width, *_ = shape
    if options.crop == "random" and not options.pad:
        return options.stored_shape or (height, width)
    pad = 0 if options.crop == "random" else options.pad
    return height - 2 * pad, width - 2 * pad


def window_of(stored: tuple[int, ...], options: ImageOptions) -> Window | None:
    """How the options cut images that are stored with shape (height, width, channels)."""
    height, width, *_ = stored
    if options.crop == "random":
        cut = (height, width) if options.pad or options.shape is None else options.shape
        return Window(*cut, pad=options.pad, moves=True, flips=options.flip)
    if options.pad or options.flip:
        return Window(height + 2 * options.pad, width + 2 * options.pad, options.pad, flips=options.flip)
    return None
