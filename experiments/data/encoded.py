"""Encoded pictures of all parts of a set: files in folders, members of an archive, records."""

import dataclasses
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import decoding
from experiments.data.collection import Parts, Shape
from experiments.data.decoding import Half
from experiments.data.fingerprints import Identity, checksum, of_contents
from experiments.data.options import ImageOptions
from experiments.data.request import Request
from experiments.data.rows import Damaged, PictureError, Rows, Source, damaged, mixed_sizes, rows_of, said

PROBED = 2_000
"""Pictures of each part whose headers are read to decide on grey or RGB, and on a size, at most."""


MANY = 4_096
"""Of more pictures not all are read for a fingerprint, however small they are."""


@dataclass(frozen=True)
class Pictures:
    """Pictures by index. They are read and decoded from several threads."""

    num: int
    read: Callable[[Sequence[int]], list[Any]]  # bytes of each, or PictureError; fast for many at a time
    called: Callable[[int], str]  # name of one picture, for messages
    opened: Callable[[int], Any] | None = None  # what Pillow opens for the header of one; its bytes if not given
    half: Half = None  # of each picture
    stored: Shape | None = None  # height, width, channels where the data say them; 0 for what they do not
    transposed: bool = False  # files hold columns where rows belong
    names: Callable[[], Sequence[str]] | None = None  # of each within the set, the same wherever it lies
    sizes: Callable[[], Sequence[int]] | None = None  # bytes of each

    def __len__(self) -> int:
        return self.num

    def shape(self, name: str, parts: Parts, options: ImageOptions) -> Shape | None:
        """RGB if one picture of any part has colours, one size in all parts; from headers, PROBED in each part."""
        wanted, channels = options.stored_shape, options.channels
        height, width, depth = self.stored or (0, 0, 0)
        if self.transposed:
            height, width = width, height
        if wanted is not None:
            height, width = wanted
        depth = channels or depth
        if height and width and depth:
            return height, width, depth
        first: tuple[int, Shape] | None = None
        for index, found in self._headers(parts):
            first = first or (index, found)
            depth = max(depth, found[2]) if channels is None else channels
            if wanted is None and found[:2] != first[1][:2]:
                one, other = (f"{said(shape)} ({self.called(place)})" for place, shape in (first, (index, found)))
                raise UserError(mixed_sizes(name, one, other))
        if first is None:
            return None
        return (*(wanted or first[1][:2]), depth)

    def _headers(self, parts: Parts) -> Iterator[tuple[int, Shape]]:
        for indices in parts():
            places = np.unique(np.linspace(0, len(indices) - 1, min(len(indices), PROBED)).astype(np.int64))
            for index in indices[places].tolist():
                found = self.header(index)
                if found is not None:
                    yield index, found

    def header(self, index: int) -> Shape | None:
        """Height, width and channels of a picture; None for one that cannot be read."""
        if self.opened is not None:
            found = decoding.header(self.opened(index), self.half)
        else:
            (content,) = self.read([index])
            found = None if isinstance(content, PictureError) else decoding.header(io.BytesIO(content), self.half)
        return (found[1], found[0], found[2]) if found and self.transposed else found

    def identity(self) -> Identity:
        """Names, sizes and contents of the encoded pictures."""
        names = None if self.names is None else self.names()
        sizes = None if self.sizes is None else self.sizes()
        total = math.inf if sizes is None or self.num > MANY else sum(sizes)
        return Identity(
            "" if names is None else checksum(names),
            "" if sizes is None else checksum(sizes),
            of_contents(self.num, total, self._contents),
        )

    def _contents(self, indices: Sequence[int]) -> Iterator[bytes]:
        for content in self.read(indices):
            yield content if isinstance(content, bytes) else repr(content).encode()

    def rows(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> Rows:
        """The pictures at `indices`, decoded when they are read."""
        return rows_of(self._source(name, indices, shape, request), request.storage, shape)

    def damaged(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> list[Damaged]:
        """Which of the pictures at `indices` cannot be used; decodes all of them."""
        return damaged(self._source(name, indices, shape, request), request.storage.threads)

    def _source(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> Source:
        channels, images = shape[-1] if shape else None, request.images
        if self.transposed and images.shape is not None:
            images = dataclasses.replace(images, size=images.shape[::-1])

        def decoded(data: Any) -> np.ndarray:
            image = decoding.decode(data, images, channels, self.half)
            return image.swapaxes(0, 1) if self.transposed else image

        return Source(
            name,
            len(indices),
            lambda chosen: self.read(indices[np.asarray(chosen, np.int64)].tolist()),
            decoded,
            lambda index: self.called(int(indices[index])),
        )
