"""Examples by index: all in memory, or read and decoded as they are asked for."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.options import StorageOptions

CHUNK_BYTES = 2**24
"""Decoded pictures that a thread makes at a time."""

PROBED = 64
"""Pictures, spread over a set that is read as it is needed, that are looked at before a training begins."""

AT_A_TIME = 32
"""Pictures that a thread looks through at a time for damaged ones."""

NAMED = 3
"""Damaged pictures that a message names; the rest are counted."""


class Rows(Protocol):
    """A NumPy or JAX array, a file mapped into memory, or pictures read as they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(num, ...)."""
        ...

    @property
    def dtype(self) -> Any:
        """uint8 for images, float32 for points."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Any, /) -> Any:
        """The examples of an array of indices."""
        ...


class PictureError(Exception):
    """What is wrong with one picture: `is empty`, `is cut short`."""


class Damaged(NamedTuple):
    """A picture that cannot be used."""

    place: int  # among those that were asked for
    why: str  # its name and what is wrong with it


@dataclass(frozen=True)
class Source:
    """Pictures that can be read by index, in any order and from any thread."""

    name: str  # of the set
    num: int
    read: Callable[[Sequence[int]], list[Any]]  # what `decode` takes; fast for many at a time
    decode: Callable[[Any], np.ndarray]  # (height, width, channels) uint8; PictureError
    called: Callable[[int], str]  # name of one picture, for messages

    def get(self, indices: Sequence[int]) -> list[np.ndarray | PictureError]:
        """Each picture, or what is wrong with it."""
        return [self._decoded(record) for record in self.read(indices)]

    def _decoded(self, record: Any) -> np.ndarray | PictureError:
        if isinstance(record, PictureError):
            return record
        try:
            return self.decode(record)
        except PictureError as error:
            return error


class LazyRows:
    """Pictures of one shape, read as they are asked for. UserError, naming it, for one that is damaged."""

    def __init__(self, source: Source, shape: tuple[int, ...]):
        self._source = source
        self.shape = (source.num, *shape)
        self.dtype = np.dtype(np.uint8)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, indices: Any) -> np.ndarray:
        chosen = np.arange(len(self))[indices].tolist()
        found = self._source.get(chosen)
        _refuse_bad(self._source, chosen, found, self.shape[1:])
        return np.stack(found) if found else np.empty((0, *self.shape[1:]), np.uint8)  # pyright: ignore


def rows_of(source: Source, storage: StorageOptions, shape: tuple[int, ...] | None) -> Rows:
    """All pictures in memory if they fit into what `storage` allows, else read as they are asked for.

    `shape` is what all must have, None where no picture is whole. UserError, naming the first ones and how many, if
    pictures are damaged or of another shape.
    """
    shape = shape or (0,)
    lazy = LazyRows(source, shape)
    if math.prod(lazy.shape) <= storage.host_bytes:
        return _in_memory(source, shape, storage.threads)
    lazy[np.unique(np.linspace(0, source.num - 1, PROBED).astype(np.int64))]  # refuses what is likely to be refused
    return lazy


def _in_memory(source: Source, shape: tuple[int, ...], threads: int) -> np.ndarray:
    images = np.empty((source.num, *shape), np.uint8)
    size = max(1, CHUNK_BYTES // max(math.prod(shape), 1))
    chunks = [range(start, min(start + size, source.num)) for start in range(0, source.num, size)]
    bad_indices: list[int] = []
    bad: list[Any] = []

    def fill(chunk: range) -> list[tuple[int, Any]]:
        wrong = []
        for index, found in zip(chunk, source.get(chunk), strict=True):
            if isinstance(found, np.ndarray) and found.shape == shape:
                images[index] = found
            else:
                wrong.append((index, found))
        return wrong

    with ThreadPoolExecutor(threads) as pool, _progress(source) as progress:
        for chunk, wrong in zip(chunks, pool.map(fill, chunks), strict=True):
            progress.update(len(chunk))
            bad_indices += [index for index, _ in wrong]
            bad += [found for _, found in wrong]
    _refuse_bad(source, bad_indices, bad, shape)
    return images


def damaged(source: Source, threads: int) -> list[Damaged]:
    """The pictures that cannot be used, in order; decodes all and keeps none."""
    chunks = [range(start, min(start + AT_A_TIME, source.num)) for start in range(0, source.num, AT_A_TIME)]

    def bad(chunk: range) -> list[Damaged]:
        found = zip(chunk, source.get(chunk), strict=True)
        return [
            Damaged(index, f"{source.called(index)} {one}") for index, one in found if isinstance(one, PictureError)
        ]

    found = []
    with ThreadPoolExecutor(threads) as pool, _progress(source) as progress:
        for chunk, some in zip(chunks, pool.map(bad, chunks), strict=True):
            progress.update(len(chunk))
            found += some
    return found


def listed(why: Sequence[str]) -> str:
    """The first of some reasons, and how many there are beside them."""
    return "; ".join(why[:NAMED]) + (f"; and {len(why) - NAMED:,} more" if len(why) > NAMED else "")


def _progress(source: Source) -> Any:
    """A bar for what takes longer than a person waits without asking."""
    from tqdm import tqdm

    return tqdm(total=source.num, desc=f"reading {source.name}", unit="image", delay=3.0, leave=False)


def _refuse_bad(source: Source, indices: Sequence[int], found: Sequence[Any], shape: tuple[int, ...]) -> None:
    """UserError if one of the pictures found is damaged, or has another shape than all must have."""
    wrong = [(index, error) for index, error in zip(indices, found, strict=True) if isinstance(error, PictureError)]
    if wrong:
        named = listed([f"{source.called(index)} {error}" for index, error in wrong])
        raise UserError(
            f"{source.name} has pictures that cannot be used: {named}; mend or remove them, or leave them out with "
            "--images.skip-damaged"
        )
    for index, image in zip(indices, found, strict=True):
        if image.shape != shape:
            raise UserError(mixed_sizes(source.name, said(shape), f"{said(image.shape)} ({source.called(index)})"))


def mixed_sizes(name: str, one: str, other: str) -> str:
    """What a person is told of images of two sizes."""
    return f"{name} mixes image sizes, {one} and {other}; give --images.size, for example --images.size 64"


def said(shape: tuple[int, ...]) -> str:
    """`8x8x3`."""
    return "x".join(map(str, shape))
