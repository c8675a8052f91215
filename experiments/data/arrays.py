"""Images and points from NumPy files. Pickles are never loaded: a pickle can run any program.

    npy:PATH    one array
    npz:PATH    arrays by name: train, valid, test; or x_train, y_train, x_test, y_test; or x (images, data), y (labels)

Images are (num, height, width), (num, height, width, channels), or (num, 784) and other squares of 64 or more for flat
grey ones. uint8 is taken as it is; floats may hold 0 to 1, -1 to 1 or whole numbers from 0 to 255 and become uint8.
Floats of shape (num, dimensions) that make no square stay points.
"""

import math
import pathlib
import zipfile
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.decoding import fit_array
from experiments.data.images import ImageSet
from experiments.data.options import ImageOptions
from experiments.data.request import TEST_NAMES, Request, official, part
from experiments.data.rows import Rows, Source, rows_of

SMALLEST_FLAT = 64
"""Pixels of the smallest image that may come as one row: 8x8."""

IMAGE_KEYS = ("x", "images", "data", "arr_0")
LABEL_KEYS = ("y", "labels")


def load_npy(path: str, request: Request) -> ImageSet:
    """The images of one array, a tenth of them held out."""
    name = f"npy:{path}"
    array = _opened(pathlib.Path(path).expanduser())
    if isinstance(array, np.lib.npyio.NpzFile):
        array.close()
        raise UserError(f"{path} holds several arrays; give --data npz:{path}")
    return _image_set(name, array, None, part(name, len(array) if array.ndim else 0, request.split), request)


def load_npz(path: str, request: Request) -> ImageSet:
    """The images, and labels if there are, of a file with several arrays."""
    name = f"npz:{path}"
    file = _opened(pathlib.Path(path).expanduser())
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise UserError(f"{path} holds one array; give --data npy:{path}")
    with file:
        splits = {split: pair for split in ("train", *TEST_NAMES) if (pair := _split_keys(split, file.files))}
        if request.split == "all" and splits:
            pairs = list(splits.values())
            images = np.concatenate([_member(path, file, key) for key, _ in pairs])
            labels = [_member(path, file, key) for _, key in pairs if key]
            joined = np.concatenate(labels) if len(labels) == len(pairs) else None
            return _image_set(name, images, joined, np.arange(len(images)), request)
        chosen = official(request.split, tuple(splits))
        if chosen is None and set(splits) - {"train"}:
            raise UserError(f"{name} has no split {request.split!r}; there are: {', '.join(splits)}, all")
        unsplit = splits.get("train") or _unsplit_keys(file.files)
        image_key, label_key = splits[chosen] if chosen else unsplit or (None, None)
        if image_key is None:
            raise UserError(
                f"{path} holds {', '.join(file.files) or 'nothing'}; name its arrays train and test, or x and y"
            )
        images = _member(path, file, image_key)
        labels = _member(path, file, label_key) if label_key else None
    kept = len(splits) > 1 and chosen
    indices = np.arange(len(images)) if kept else part(name, len(images) if images.ndim else 0, request.split)
    return _image_set(name, images, labels, indices, request)


def rows_of_array(name: str, images: np.ndarray, request: Request) -> Rows:
    """uint8 images (num, height, width, channels), cut, resized and converted as the options say."""
    shape = images.shape[1:]
    side = request.images.stored_size
    channels = request.images.channels
    if side in (None, shape[0]) and side in (None, shape[1]) and channels in (None, shape[2]):
        return images
    source = Source(
        name,
        len(images),
        read=lambda indices: list(images[np.asarray(indices)]),
        decode=lambda image: fit_array(image, request.images),
        called=lambda index: f"image {index}",
    )
    return rows_of(source, request.storage)


def _split_keys(split: str, keys: list[str]) -> tuple[str, str | None] | None:
    for images, labels in (
        (split, f"{split}_labels"),
        (f"x_{split}", f"y_{split}"),
        (f"{split}_images", f"{split}_labels"),
    ):
        if images in keys:
            return images, labels if labels in keys else None
    return None


def _unsplit_keys(keys: list[str]) -> tuple[str, str | None] | None:
    images = next((key for key in IMAGE_KEYS if key in keys), keys[0] if len(keys) == 1 else None)
    labels = next((key for key in LABEL_KEYS if key in keys), None)
    return (images, labels) if images else None


def _opened(path: pathlib.Path) -> Any:
    try:
        with path.open("rb") as file:
            archive = file.read(2) == b"PK"
        if archive and not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("its archive is cut short")
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; give the path of a .npy or .npz file") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error}); give a .npy or .npz file") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} {_why(error)}") from error


def _member(path: str, file: Any, key: str) -> np.ndarray:
    try:
        return file[key]
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zipfile.error) as error:
        raise UserError(f"{path}, array {key}, {_why(error)}") from error


def _why(error: Exception) -> str:
    if any(sign in str(error) for sign in ("allow_pickle", "Object arrays", "Python objects")):
        return "holds Python objects (a pickle), which could run any program; save it as an array of numbers"
    return f"is no NumPy file, or is damaged ({str(error).partition(chr(10))[0]}); save it anew with numpy.save"


def _image_set(
    name: str, array: np.ndarray, labels: np.ndarray | None, indices: np.ndarray, request: Request
) -> ImageSet:
    if array.ndim == 0 or array.size == 0 or not len(indices):
        raise UserError(f"{name} is empty, of shape {array.shape}; give an array of at least two images")
    classes: tuple[str, ...] = ()
    if labels is not None:
        labels, classes = _labels(name, labels, len(array))
        labels = labels[indices]
    if len(indices) != len(array):
        array = array[indices]
    if array.ndim == 2 and array.dtype.kind == "f" and not _is_flat_image(array.shape[1]):
        return ImageSet(name, _points(name, array, request), labels, classes)
    images = rows_of_array(name, _pixels(name, _nhwc(name, array)), request)
    return ImageSet(name, images, labels, classes)


def _is_flat_image(width: int) -> bool:
    return width >= SMALLEST_FLAT and math.isqrt(width) ** 2 == width


def _nhwc(name: str, array: np.ndarray) -> np.ndarray:
    shape = array.shape
    if len(shape) == 2 and _is_flat_image(shape[1]):
        side = math.isqrt(shape[1])
        return array.reshape(-1, side, side, 1)
    if len(shape) == 3:
        return array[..., None]
    if len(shape) == 4 and shape[-1] in (1, 3):
        return array
    if len(shape) == 4 and shape[1] in (1, 3):
        raise UserError(f"{name} has shape {shape}, channels first; transpose it with array.transpose(0, 2, 3, 1)")
    raise UserError(
        f"{name} has shape {shape}; images are (num, height, width), (num, height, width, 1 or 3) or (num, 784)"
    )


def _pixels(name: str, array: np.ndarray) -> np.ndarray:
    kind = array.dtype.kind
    if array.dtype == np.uint8:
        return array
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind not in "iuf":
        raise UserError(f"{name} holds {array.dtype}; images are uint8, or floats from 0 to 1")
    if kind == "f" and not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).reshape(len(array), -1).any(axis=1).sum())
        raise UserError(f"{name} has NaN or infinite values in {bad:,} of {len(array):,} images; mend or remove them")
    low, high = float(array.min()), float(array.max())
    if kind != "f" or (high > 1 and low >= 0 and high <= 255 and (array == np.round(array)).all()):
        if low < 0 or high > 255:
            raise UserError(f"{name} has values from {low:g} to {high:g}; images are whole numbers from 0 to 255")
        return array.astype(np.uint8)
    if low >= 0 and high <= 1:
        return np.round(array * 255).astype(np.uint8)
    if low >= -1 and high <= 1:
        return np.round((array + 1) * 127.5).astype(np.uint8)
    raise UserError(f"{name} has values from {low:g} to {high:g}; floats of images are from 0 to 1 or from -1 to 1")


def _points(name: str, array: np.ndarray, request: Request) -> np.ndarray:
    if request.images != ImageOptions(caption_length=request.images.caption_length):
        raise UserError(f"{name} holds points of {array.shape[1]} dimensions; leave the --images options out")
    if not np.isfinite(array).all():
        raise UserError(f"{name} has NaN or infinite values; remove those points")
    return np.asarray(array, np.float32)


def _labels(name: str, labels: np.ndarray, num: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels 0 to n-1 as int32, and the names of the classes."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (num,):
        raise UserError(f"{name} has labels of shape {labels.shape} for {num:,} images; give one for each")
    if labels.dtype.kind not in "iuUb":
        raise UserError(f"{name} has labels of {labels.dtype}; give whole numbers or strings")
    values, numbers = np.unique(labels, return_inverse=True)
    if labels.dtype.kind in "iu" and values[0] >= 0 and values[-1] < 10_000:
        return labels.astype(np.int32), tuple(str(value) for value in range(int(values[-1]) + 1))
    return numbers.astype(np.int32), tuple(str(value) for value in values)
