"""Pictures and what bicubic reduction makes of them: `super_resolution:A`, `super_resolution:A,B` for pairs of both.

Each of A, B is a folder of pictures or the name of a set. A picture is reduced as a whole (`experiments.data.bicubic`)
and then cut into tiles, side by side, the last ones flush with its end: a tile of the reduced picture is an input, the
same part of the picture its target. `--images.size` is the size of the inputs, `--images.target-factor` the factor.
Pictures are not resized; smaller ones are left out.
"""

import contextlib
import functools
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import bicubic, decoding, files, left_out
from experiments.data.collection import Collection, NoExamples, Parts, Shape
from experiments.data.encoded import Pictures
from experiments.data.fingerprints import Identity, checksum
from experiments.data.options import ImageOptions
from experiments.data.request import Request
from experiments.data.rows import Damaged, PictureError, Rows, Source, damaged, rows_of

CACHED = 32
"""Pictures that are kept decoded, with their reductions."""


class Tile(NamedTuple):
    """Part of a picture; places in pixels of the reduced one."""

    picture: int
    top: int
    left: int


class Album:
    """Pictures of several sets, decoded and reduced as they are asked for."""

    def __init__(self, pictures: Sequence[Pictures], options: ImageOptions):
        self.pictures, self.factor = pictures, options.target_factor
        self._options = ImageOptions(channels=options.channels or 3, profiles=options.profiles)
        self._ends = np.cumsum([0, *map(len, pictures)])
        self.large = functools.lru_cache(maxsize=CACHED)(self._large)
        self.small = functools.lru_cache(maxsize=CACHED)(self._small)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def _place(self, index: int) -> tuple[Pictures, int]:
        which = int(np.searchsorted(self._ends, index, side="right")) - 1
        return self.pictures[which], index - int(self._ends[which])

    def called(self, index: int) -> str:
        """The name of a picture, for messages."""
        pictures, place = self._place(index)
        return pictures.called(place)

    def reduced_size(self, index: int) -> tuple[int, int]:
        """Height and width of a picture's reduction, from its header; (0, 0) for one that cannot be read."""
        pictures, place = self._place(index)
        found = pictures.header(place)
        return (0, 0) if found is None else (found[0] // self.factor, found[1] // self.factor)

    def _large(self, index: int) -> np.ndarray | PictureError:
        """A picture, or what is wrong with it."""
        pictures, place = self._place(index)
        (content,) = pictures.read([place])
        if isinstance(content, PictureError):
            return content
        try:
            return decoding.decode(content, self._options)
        except PictureError as error:
            return error

    def _small(self, index: int) -> np.ndarray | PictureError:
        """The reduction of a picture."""
        large = self._large(index)
        return large if isinstance(large, PictureError) else bicubic.reduce(large, self.factor)


class Tiles:
    """The tiles of all pictures, or of all reductions."""

    def __init__(self, album: Album, tiles: Sequence[Tile], *, large: bool):
        self._album, self._tiles, self._large = album, tiles, large
        self._factor = album.factor if large else 1

    def __len__(self) -> int:
        return len(self._tiles)

    def shape(self, name: str, parts: Parts, options: ImageOptions) -> Shape | None:
        """As the options have it; in colours unless they ask for grey."""
        height, width = options.stored_shape or (0, 0)
        return height, width, options.channels or 3

    def rows(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> Rows:
        """The tiles at `indices`."""
        return rows_of(self._source(name, indices, shape), request.storage, shape)

    def damaged(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> list[Damaged]:
        """Which of them are of pictures that cannot be used; decodes all."""
        return damaged(self._source(name, indices, shape), request.storage.threads)

    def identity(self) -> Identity:
        """Of the pictures."""
        found = [pictures.identity() for pictures in self._album.pictures]
        if len(found) == 1:
            return found[0]
        return Identity(*(checksum(getattr(one, field) for one in found) for field in ("names", "sizes", "contents")))

    def _source(self, name: str, indices: np.ndarray, shape: Shape | None) -> Source:
        height, width, _ = shape or (0, 0, 0)

        def read(chosen: Sequence[int]) -> list[Any]:
            return [self._tiles[int(indices[place])] for place in chosen]

        def decode(tile: Tile) -> np.ndarray:
            picture = (self._album.large if self._large else self._album.small)(tile.picture)
            if isinstance(picture, PictureError):
                raise picture
            top, left = self._factor * tile.top, self._factor * tile.left
            return picture[top : top + height, left : left + width]

        def called(place: int) -> str:
            return self._album.called(self._tiles[int(indices[place])].picture)

        return Source(name, len(indices), read, decode, called)


def collection(paths: str, request: Request, load: Callable[[str], Collection]) -> Collection:
    """Tiles of all pictures of a folder or set, or of several; `load` knows sets by name.

    Their parts are those of the sets: a tenth of a folder is held out. UserError without a size and a factor, and for
    sets that hold no files of pictures.
    """
    name, options = f"super_resolution:{paths}", request.images
    if options.stored_shape is None or options.target_factor < 2:
        raise UserError(
            f"{name} needs --images.size, the side of the inputs, and --images.target-factor, how many times as large "
            "the images are, for example --images.size 24 --images.target-factor 4"
        )
    sets = [load(each) for each in _names(paths)]
    pictures = [_pictures(one) for one in sets]
    album = Album(pictures, options)
    parts = dict(_parts(sets))
    sizes = {index: album.reduced_size(index) for part in parts.values() for index in part}
    tiles = {part: list(_tiles(indices, sizes, options.stored_shape)) for part, indices in parts.items()}
    every = [tile for part in tiles.values() for tile in part]
    if not every:
        height, width = (options.target_factor * side for side in options.stored_shape)
        raise UserError(f"{name} has no picture of {height}x{width} pixels or more; give a smaller --images.size")
    ends = np.cumsum([0, *map(len, tiles.values())])
    splits = {part: np.arange(*both) for part, *both in zip(tiles, ends, ends[1:], strict=False)}
    notes = (*(note for one in sets for note in one.notes), *_notes(sizes, every))
    small, large = (Tiles(album, every, large=large) for large in (False, True))
    return Collection(name, small, splits, targets=large, holds_out=False, notes=notes)


def _names(paths: str) -> list[str]:
    """A folder that is there is one name, whatever commas are in it."""
    whole = files.is_folder(pathlib.Path(paths).expanduser()) if paths else False
    found = [paths] if whole else [one.strip() for one in paths.split(",")]
    if not all(found):
        raise UserError(f"super_resolution:{paths} names no pictures; give --data super_resolution:PATH")
    cure = "give --data super_resolution:PATH with the path of your pictures"
    return [files.set_name(one, cure) for one in found]


def _pictures(one: Collection) -> Pictures:
    if not isinstance(one.images, Pictures) or one.targets is not None or one.others is not None:
        raise UserError(f"{one.name} is no set of pictures alone; give --data super_resolution:PATH with a folder")
    return one.images


def _parts(sets: Sequence[Collection]) -> Iterator[tuple[str, list[int]]]:
    """Numbers of the pictures, in the order of the sets, that are in `train` and in `test`."""
    for part in ("train", "test"):
        found, first = [], 0
        for one in sets:
            with contextlib.suppress(NoExamples):
                found += (first + one.indices(part)).tolist()
            first += len(one.images)
        if found:
            yield part, found


def _tiles(pictures: Sequence[int], sizes: dict[int, tuple[int, int]], tile: tuple[int, int]) -> Iterator[Tile]:
    for picture in pictures:
        rows, columns = (_starts(*both) for both in zip(sizes[picture], tile, strict=True))
        yield from (Tile(picture, top, left) for top in rows for left in columns)


def _starts(size: int, tile: int) -> list[int]:
    """Where tiles begin along a side: one after the other, the last one at the end."""
    return sorted({*range(0, size - tile + 1, tile), size - tile}) if size >= tile else []


def _notes(sizes: dict[int, tuple[int, int]], tiles: Sequence[Tile]) -> Iterator[str]:
    alone = len(sizes) - len({tile.picture for tile in tiles})
    yield f"tiles of {len(sizes) - alone:,} pictures"
    if alone:
        yield f"left out: {left_out.counted(alone)} too small for a tile"
