"""A picture as a network takes it, and a translation as a file: orientation, colours and transparency."""

import pathlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from experiments.data import decoding, files, pixels
from experiments.data.decoding import Half
from experiments.data.rows import PictureError
from experiments.runs.files import replacing

MODES = {1: "L", 3: "RGB"}


@dataclass(frozen=True)
class Picture:
    """Pixels, and the opacity of each where it is not 255 everywhere."""

    pixels: np.ndarray  # (height, width, 1 or 3) uint8; what is transparent is laid on white
    alpha: np.ndarray | None = None  # (height, width) uint8


def read(path: pathlib.Path, channels: int, half: Half = None) -> Picture:
    """A picture with so many channels, as its camera was held. PictureError, saying what is wrong, for what is none."""
    content = files.read(path)
    if isinstance(content, PictureError):
        raise content
    with decoding.opened(content) as opened:
        upright = decoding.upright(opened)
        alpha = pixels.alpha(upright)
        plain = pixels.eight_bit(upright, opened.format).convert(MODES[channels])
        both = [None if one is None else np.asarray(decoding.cut_half(one, half)) for one in (plain, alpha)]
    return Picture(with_axis(both[0]), both[1])


def with_axis(array: np.ndarray | None) -> np.ndarray:
    """Grey pixels with an axis for their one channel."""
    if array is None:
        raise TypeError("there are no pixels")
    return array if array.ndim == 3 else array[..., None]


def write(path: pathlib.Path, picture: Picture) -> None:
    """Write a PNG, whole or not at all; its opacity is brought to the size of its pixels."""
    image = as_image(picture.pixels)
    if picture.alpha is not None:
        alpha = Image.fromarray(picture.alpha)
        image.putalpha(alpha if alpha.size == image.size else alpha.resize(image.size, Image.Resampling.BILINEAR))
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as unfinished:
        image.save(unfinished, format="PNG")


def as_image(array: np.ndarray) -> Image.Image:
    """(height, width, 1 or 3) uint8 as Pillow has it."""
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def resized(array: np.ndarray, height: int, width: int) -> np.ndarray:
    """(height, width, channels) uint8 at another size, each channel by Lanczos; unchanged at its own."""
    if array.shape[:2] == (height, width):
        return array
    channels = [Image.fromarray(np.ascontiguousarray(array[..., place])) for place in range(array.shape[2])]
    return np.stack([np.asarray(one.resize((width, height), Image.Resampling.LANCZOS)) for one in channels], axis=2)
