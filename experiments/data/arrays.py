"""Images and points from NumPy files. Pickles are never loaded: a pickle can run any program.

    npy:PATH    one array
    npz:PATH    arrays by name: train, valid, test; or x_train, y_train, x_test, y_test; or x (images, data), y (labels)
                attributes, or train_attributes and so on: (num, attributes) of 0 and 1
                arr_0 and arr_1 are images and labels too, as published samples of models have them

Images are (num, height, width), (num, height, width, channels), or (num, 784) and other squares of 64 or more for flat
grey ones. uint8 is taken as it is; floats may hold 0 to 1, -1 to 1 or whole numbers from 0 to 255 and become uint8.
Floats of shape (num, dimensions) that make no square stay points.
"""

import math
import pathlib
from collections.abc import Sequence

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import attributes, numpy_files
from experiments.data.collection import Collection, Parts, Shape, numbered, ranges
from experiments.data.decoding import fit_array
from experiments.data.fingerprints import Identity, checksum, of_contents
from experiments.data.labels import without_one_hot
from experiments.data.options import ImageOptions
from experiments.data.request import TEST_NAMES, Request
from experiments.data.rows import Damaged, Rows, Source, mixed_sizes, rows_of, said
from experiments.data.values import Part, Values, require_finite, to_uint8, values_of

SMALLEST_FLAT = 64
"""Pixels of the smallest image that may come as one row: 8x8."""

IMAGE_KEYS = ("x", "images", "data", "arr_0")
LABEL_KEYS = ("y", "labels")


class Arrays:
    """Images, or points, in one array for each part of a set."""

    def __init__(self, name: str, parts: Sequence[Part]):
        for part in parts:
            if not part.shape or 0 in part.shape:
                raise UserError(f"{part.called} is empty, of shape {part.shape}; give an array of at least two images")
        self._name, self._parts = name, parts
        points = [_are_points(part) for part in parts]
        if len(set(points)) > 1:
            one, other = (parts[points.index(kind)].called for kind in (True, False))
            raise UserError(f"{one} holds points and {other} images; give either, not both")
        self._hold_points = points[0]

    def __len__(self) -> int:
        return sum(part.shape[0] for part in self._parts)

    def shape(self, name: str, parts: Parts, options: ImageOptions) -> Shape | None:
        """RGB if an array of any part is, one size in all parts."""
        if self._hold_points:
            widths = {part.shape[1] for part in self._parts}
            if len(widths) > 1:
                raise UserError(f"{name} has points of {' and '.join(map(str, sorted(widths)))} dimensions")
            if options != ImageOptions(caption_length=options.caption_length):
                raise UserError(f"{name} holds points of {widths.pop()} dimensions; leave the --images options out")
            return (widths.pop(),)
        shapes = [_image_shape(part.called, part.shape) for part in self._parts]
        for part, shape in zip(self._parts, shapes, strict=True):
            if options.stored_shape is None and shape[:2] != shapes[0][:2]:
                one, other = f"{said(shapes[0])} ({self._parts[0].called}", f"{said(shape)} ({part.called}"
                raise UserError(mixed_sizes(name, f"{one.rstrip(',')})", f"{other.rstrip(',')})"))
        height, width = options.stored_shape or shapes[0][:2]
        return height, width, options.channels or max(shape[2] for shape in shapes)

    def rows(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> Rows:
        """The images at `indices` as uint8, their values scaled as those of all parts ask for; points as float32."""
        values = None if self._hold_points else values_of(self._parts)
        found, first = [], 0
        for part in self._parts:
            chosen = indices[(indices >= first) & (indices < first + part.shape[0])] - first
            first += part.shape[0]
            if len(chosen):
                array = part.read()
                array = array if len(chosen) == len(array) else array[chosen]
                found.append(
                    self._points(part, array) if values is None else self._fitted(array, values, shape, request)
                )
        return found[0] if len(found) == 1 else np.concatenate([some[np.arange(len(some))] for some in found])

    def identity(self) -> Identity:
        """Shapes, types and contents of the arrays; where they are large, of rows spread over each."""
        shapes = [f"{part.shape} {part.dtype}" for part in self._parts]
        size = sum(math.prod(part.shape) * part.dtype.itemsize for part in self._parts)
        contents = []
        for part in self._parts:
            array = part.read()
            contents.append(of_contents(len(array), size, lambda indices, array=array: (array[indices],)))
        return Identity(sizes=checksum(shapes), contents="".join(contents))

    def damaged(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> list[Damaged]:
        """None of them."""
        return []

    def _points(self, part: Part, array: np.ndarray) -> np.ndarray:
        require_finite(part.called, array, "points")
        return np.asarray(array, np.float32)

    def _fitted(self, array: np.ndarray, values: Values, shape: Shape | None, request: Request) -> Rows:
        images = to_uint8(array.reshape(len(array), *_image_shape(self._name, array.shape)), values)
        if images.shape[1:] == shape:
            return images
        channels = shape[-1] if shape else None
        source = Source(
            self._name,
            len(images),
            read=lambda indices: list(images[np.asarray(indices)]),
            decode=lambda image: fit_array(image, request.images, channels),
            called=lambda index: f"image {index}",
        )
        return rows_of(source, request.storage, shape)


def npy(path: str) -> Collection:
    """The images of one array."""
    name = f"npy:{path}"
    array = numpy_files.opened(pathlib.Path(path).expanduser())
    if isinstance(array, np.lib.npyio.NpzFile):
        array.close()
        raise UserError(f"{path} holds several arrays; give --data npz:{path}")
    return Collection(name, Arrays(name, [of_array(name, array)]))


def of_array(called: str, array: np.ndarray) -> Part:
    """An array that is there."""
    return Part(called, array.shape, array.dtype, lambda: array)


def npz(path: str) -> Collection:
    """The images, and labels if there are, of a file with several arrays."""
    name = f"npz:{path}"
    file = numpy_files.opened(pathlib.Path(path).expanduser())
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise UserError(f"{path} holds one array; give --data npy:{path}")
    with file:
        names = file.files
        keys = {split: pair for split in ("train", *TEST_NAMES) if (pair := _split_keys(split, names))}
        whole = None if keys else _whole_keys(names)
        if not keys and whole is None:
            raise UserError(f"{path} holds {', '.join(names) or 'nothing'}; name its arrays train and test, or x and y")
        pairs = list(keys.values()) or [whole] if whole else list(keys.values())
        parts = [numpy_files.part(path, file, images) for images, _ in pairs]
        labels = [numpy_files.member(path, file, key) if key else None for _, key in pairs]
        found = attributes.of_file(name, file, tuple(keys), [part.shape[0] for part in parts])
    marks, read = found or (None, [])
    labels, hot = without_one_hot(name, labels)
    images = Arrays(name, parts)
    nums = [part.shape[0] for part in parts]
    numbers, classes = numbered(name, labels, nums) if any(some is not None for some in labels) else (None, ())
    splits = ranges(dict(zip(keys, nums, strict=True))) if keys else {}
    bare = [split for split, some in zip(keys, labels, strict=False) if some is None and classes]
    used = {key for pair in pairs for key in pair} | set(read)
    unused = [key for key in names if key not in used]
    notes = tuple(f"part {split} has no labels: {path} has no array for them" for split in bare)
    if unused:
        notes += (
            f"left out: the arrays {', '.join(unused)}" if len(unused) > 1 else f"left out: the array {unused[0]}",
        )
    if hot > 1:
        classes, notes = tuple(map(str, range(hot))), (*notes, f"labels were read as one-hot rows of {hot} classes")
    return Collection(
        name,
        images,
        splits,
        numbers,
        classes,
        attributes=None if marks is None else lambda indices: marks[indices],
        attribute_names=() if marks is None else tuple(map(str, range(marks.shape[1]))),
        notes=notes,
    )


def _split_keys(split: str, keys: list[str]) -> tuple[str, str | None] | None:
    for images, labels in (
        (split, f"{split}_labels"),
        (f"x_{split}", f"y_{split}"),
        (f"{split}_images", f"{split}_labels"),
    ):
        if images in keys:
            return images, labels if labels in keys else None
    return None


def _whole_keys(keys: list[str]) -> tuple[str, str | None] | None:
    images = next((key for key in IMAGE_KEYS if key in keys), keys[0] if len(keys) == 1 else None)
    pairs = {**dict.fromkeys(LABEL_KEYS, images), "arr_1": "arr_0"}  # arr_0 and arr_1: published samples of models
    labels = next((key for key, of in pairs.items() if key in keys and images == of), None)
    return (images, labels) if images else None


def _are_points(part: Part) -> bool:
    return len(part.shape) == 2 and part.dtype.kind == "f" and not _is_flat_image(part.shape[1])


def _is_flat_image(width: int) -> bool:
    return width >= SMALLEST_FLAT and math.isqrt(width) ** 2 == width


def _image_shape(called: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Height, width and channels of the images of an array."""
    if len(shape) == 2 and _is_flat_image(shape[1]):
        side = math.isqrt(shape[1])
        return side, side, 1
    if len(shape) == 3:
        return shape[1], shape[2], 1
    if len(shape) == 4 and shape[-1] in (1, 3):
        return shape[1], shape[2], shape[3]
    if len(shape) == 4 and shape[1] in (1, 3):
        raise UserError(f"{called} has shape {shape}, channels first; transpose it with array.transpose(0, 2, 3, 1)")
    raise UserError(
        f"{called} has shape {shape}; images are (num, height, width), (num, height, width, 1 or 3) or (num, 784)"
    )
