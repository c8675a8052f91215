"""A set with all its parts, before any image is decoded: what each source of data gives."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.fingerprints import Fingerprint, Identity, checksum
from experiments.data.options import ImageOptions
from experiments.data.request import Request, official, part
from experiments.data.rows import Damaged, Rows

UNLABELLED = -1
"""Label of an example that has none, while others of the set have one."""

Shape: TypeAlias = tuple[int, ...]


Parts: TypeAlias = Callable[[], list[np.ndarray]]
"""Gives the indices of each part that a set comes in."""


class NoExamples(UserError):
    """A set has no part of that name, or none that holds an example."""


class Images(Protocol):
    """All images, or points, of a set: of its first part, of its second, and so on."""

    def __len__(self) -> int: ...

    def shape(self, name: str, parts: Parts, options: ImageOptions) -> Shape | None:
        """Height, width, channels of every image; decided from images of each part.

        None where no image can be read. UserError where images differ in what the options do not say.
        """
        ...

    def rows(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> Rows:
        """The images at `indices`, all of that shape."""
        ...

    def identity(self) -> Identity:
        """What tells these images from others, wherever they lie."""
        ...

    def damaged(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> list[Damaged]:
        """Which of the images at `indices` cannot be used; reads all of them."""
        ...


class Indexed(Protocol):
    """A value for each example, found by an array of indices."""

    def __getitem__(self, indices: np.ndarray, /) -> Any: ...


@dataclass(frozen=True)
class Collection:
    """All examples of a set, before any image is decoded. A source of data gives one."""

    name: str
    images: Images
    splits: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)  # indices of the parts that it comes in
    labels: Indexed | None = None  # int32, UNLABELLED for an example without one; see `numbered`
    classes: tuple[str, ...] = ()  # name of each label, of all parts
    targets: Images | None = None  # images that belong to `images`, one to one
    others: "Collection | None" = None  # a second domain, with the same names of parts
    texts: Callable[[np.ndarray], list[list[str]]] | None = None  # captions of each of the examples at some indices
    embeddings: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None  # in place of captions
    embeddings_identity: str = ""  # their checksum
    attributes: Callable[[np.ndarray], np.ndarray] | None = None  # (num, names) uint8 of the examples at some indices
    attribute_names: tuple[str, ...] = ()  # of their columns, in all parts
    recorded: str = ""  # what who prepared the set says of its contents, which then need not be read to identify it
    holds_out: bool = True  # a tenth, where no part is held out; else there is no part `test`
    notes: tuple[str, ...] = ()  # what a person should know

    def indices(self, split: str) -> np.ndarray:
        """Which examples are in a part, in ascending order. NoExamples if it has none.

        Without a split to hold out, `test` is a tenth of `train`, or of everything where there is no `train` either.
        """
        splits = self.splits
        if split == "all":
            return np.sort(np.concatenate([*splits.values()])) if splits else np.arange(len(self.images))
        chosen = official(split, tuple(splits))
        if splits and chosen is None and (split != "test" or "train" not in splits):
            raise NoExamples(f"{self.name} has no split {split!r}; there are: {', '.join(splits)}, all")
        if chosen is not None and (chosen != "train" or official("test", tuple(splits)) or not self.holds_out):
            return splits[chosen]
        if not self.holds_out:
            raise NoExamples(f"{self.name} has no split {split!r}; there are: {', '.join(splits)}, all")
        every = splits["train"] if splits else np.arange(len(self.images))
        return every[part(self.name, len(every), split)]

    def parts(self) -> list[np.ndarray]:
        """Indices of each part that the set comes in."""
        return list(filter(len, self.splits.values())) or [np.arange(len(self.images))]


def fingerprint(collection: Collection) -> Fingerprint:
    """What identifies the data of a set."""
    if collection.embeddings_identity:
        plain = fingerprint(dataclasses.replace(collection, embeddings_identity=""))
        return dataclasses.replace(plain, captions=checksum([plain.captions, collection.embeddings_identity]))
    others = None if collection.others is None else fingerprint(collection.others)
    if collection.recorded:
        return Fingerprint({}, collection.classes, others=others, recorded=collection.recorded)
    every = np.arange(len(collection.images))
    labels = "" if collection.labels is None else checksum(collection.labels[every].tolist())
    if collection.attributes is not None:
        labels = checksum([labels, collection.attributes(every).tolist()])
    return Fingerprint(
        {split: len(indices) for split, indices in collection.splits.items()} or {"": len(every)},
        collection.classes,
        labels,
        "" if collection.texts is None else checksum(collection.texts(every)),
        collection.images.identity(),
        Identity() if collection.targets is None else collection.targets.identity(),
        others,
    )


def ranges(nums: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Indices of parts of so many examples that lie one after another."""
    ends = np.cumsum([0, *nums.values()])
    return {name: np.arange(first, last) for name, first, last in zip(nums, ends, ends[1:], strict=False)}


def numbered(name: str, labels: Sequence[np.ndarray | None], nums: Sequence[int]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels of all parts, one after another, as int32 from 0 on, and the names of the classes.

    Args:
        name: of the set.
        labels: of each part, (num,) or (num, 1) whole numbers or strings; None for a part that has none.
        nums: examples of each part.

    Whole numbers from 0 on stay what they are. UserError for other labels, and for numbers in one part and strings in
    another.
    """
    flat = [_checked(name, some, num) for some, num in zip(labels, nums, strict=True)]
    there = [some for some in flat if some is not None]
    kinds = {some.dtype.kind for some in there}
    if "U" in kinds and len(kinds) > 1:
        raise UserError(f"{name} has labels that are numbers in one part and strings in another; save them alike")
    values = np.unique(np.concatenate([some if len(kinds) == 1 else some.astype(np.int64) for some in there]))
    kept = values.dtype.kind in "iu" and values[0] >= 0 and values[-1] < 10_000
    classes = tuple(map(str, range(int(values[-1]) + 1) if kept else values))
    numbers = [
        np.full(num, UNLABELLED) if some is None else some if kept else np.searchsorted(values, some)
        for some, num in zip(flat, nums, strict=True)
    ]
    return np.concatenate([some.astype(np.int32) for some in numbers]), classes


def _checked(name: str, labels: np.ndarray | None, num: int) -> np.ndarray | None:
    if labels is None:
        return None
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (num,):
        raise UserError(f"{name} has labels of shape {labels.shape} for {num:,} images; give one for each")
    if labels.dtype.kind not in "iuUb":
        raise UserError(f"{name} has labels of {labels.dtype}; give whole numbers or strings")
    return labels
