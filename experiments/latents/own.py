"""A person's own pictures, brought to the shape that a model works in, as the run's data are."""

import dataclasses
import pathlib

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import decoding, files
from experiments.data.images import ImageSet, stored_for, window_of
from experiments.data.options import ImageOptions
from experiments.data.rows import PictureError

AS_THEY_ARE = ImageOptions()


def load(
    path: pathlib.Path,
    image_shape: tuple[int, ...],
    invert: bool = False,
    images: ImageOptions = AS_THEY_ARE,
) -> tuple[tuple[str, ...], np.ndarray, str]:
    """Names and pixels, (num, height, width, channels) uint8, of a picture or of all in a folder; and what was done.

    `images` are the run's, and do with a picture what they do in training, its window in the middle and unmirrored.
    UserError for what is no picture.
    """
    paths = files.walk(path) if files.is_folder(path) else [path]
    files.require_pictures(paths, path)
    stored, channels = stored_for(image_shape, images), 1 if image_shape[2] == 1 else 3
    crop = "none" if images.crop == "none" else "centre"
    fitted = dataclasses.replace(images, size=stored, crop=crop, pad=0, channels=channels)
    rows = np.stack([_decode(one, fitted) for one in paths])
    pixels = ImageSet(str(path), rows, window=window_of(rows.shape[1:], images)).batch(np.arange(len(rows)))
    if invert:
        pixels = 255 - pixels
    return tuple(one.stem for one in paths), pixels, _said(path, paths, image_shape, invert)


def _decode(path: pathlib.Path, images: ImageOptions) -> np.ndarray:
    data = files.read(path)
    try:
        if isinstance(data, PictureError):
            raise data
        return decoding.decode(data, images)
    except PictureError as error:
        raise UserError(f"{path} {error}; give pictures as png, jpg, webp, bmp or tiff") from error


def _said(path: pathlib.Path, paths: list[pathlib.Path], image_shape: tuple[int, ...], invert: bool) -> str:
    height, width, channels = image_shape
    sizes = sorted({"x".join(map(str, _size(one))) for one in paths})
    there = ", ".join(sizes[:3]) + (", ..." if len(sizes) > 3 else "")
    done = (
        f"taken as {width}x{height}" if sizes == [f"{width}x{height}"] else f"resized from {there} to {width}x{height}"
    )
    colours = "grey" if channels == 1 else "RGB"
    return f"{path}: {len(paths)} picture{'s' * (len(paths) > 1)}, {done}, {colours}{', inverted' * invert}"


def _size(path: pathlib.Path) -> tuple[int, int]:
    """Width and height of a picture as its file has them."""
    from PIL import Image

    with Image.open(files.opened(path)) as picture:
        return picture.size
