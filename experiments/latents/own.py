"""A person's own pictures, brought to the shape that a model works in."""

import pathlib

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import decoding, files
from experiments.data.options import ImageOptions
from experiments.data.rows import PictureError


def load(
    path: pathlib.Path, image_shape: tuple[int, ...], invert: bool = False
) -> tuple[tuple[str, ...], np.ndarray, str]:
    """Names and pixels, (num, height, width, channels) uint8, of a picture or of all in a folder; and what was done.

    The middle of a picture is cut out in the shape that is wanted, and resized. UserError for what is no picture.
    """
    paths = files.walk(path) if path.is_dir() else [path]
    files.require_pictures(paths, path)
    stored = [_decode(one, image_shape[2]) for one in paths]
    pixels = np.stack([_fitted(image, image_shape) for image in stored])
    if invert:
        pixels = 255 - pixels
    return tuple(one.stem for one in paths), pixels, _said(path, [image.shape for image in stored], image_shape, invert)


def _decode(path: pathlib.Path, channels: int) -> np.ndarray:
    data = files.read(path)
    try:
        if isinstance(data, PictureError):
            raise data
        return decoding.decode(data, ImageOptions(channels=1 if channels == 1 else 3))
    except PictureError as error:
        raise UserError(f"{path} {error}; give pictures as png, jpg, webp, bmp or tiff") from error


def _fitted(image: np.ndarray, image_shape: tuple[int, ...]) -> np.ndarray:
    """The largest middle part of the wanted proportions, resized with Lanczos filtering."""
    from PIL import Image

    height, width, _ = image_shape
    if image.shape == tuple(image_shape):
        return image
    scale = min(image.shape[0] / height, image.shape[1] / width)
    left, top = (image.shape[1] - width * scale) / 2, (image.shape[0] - height * scale) / 2
    picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    box = (left, top, left + width * scale, top + height * scale)
    resized = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS, box))
    return resized.reshape(image_shape)


def _said(path: pathlib.Path, shapes: list[tuple[int, ...]], image_shape: tuple[int, ...], invert: bool) -> str:
    height, width, channels = image_shape
    sizes = sorted({f"{shape[1]}x{shape[0]}" for shape in shapes})
    there = ", ".join(sizes[:3]) + (", ..." if len(sizes) > 3 else "")
    done = (
        f"taken as {width}x{height}" if sizes == [f"{width}x{height}"] else f"resized from {there} to {width}x{height}"
    )
    colours = "grey" if channels == 1 else "RGB"
    return f"{path}: {len(shapes)} picture{'s' * (len(shapes) > 1)}, {done}, {colours}{', inverted' * invert}"
