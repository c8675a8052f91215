"""Masks of holes by name, or from a picture of one's own: 1 where an image is known, 0 in the hole."""

import pathlib

import jax
import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import files
from experiments.data.rows import PictureError
from experiments.translations import reading
from jaxgen.latents.inpainting import random_holes
from jaxgen.translation.masks import CenterSquare, Strokes, draw_masks

NAMES = ("centre", "half", "random", "pattern")

SHARE = 0.8
"""Of the pixels that `random` takes away."""


def masks(name: str, num: int, shape: tuple[int, ...], seed: int) -> tuple[np.ndarray, str]:
    """(num, height, width, 1) in float32, and what is missing in words. UserError for another word, or a wrong file.

    Yeh et al. 2016, section 4: a square in the middle with half of the image's sides, one half of the image, 80 % of
    single pixels, a pattern of about a quarter of the image.
    """
    height, width, _ = shape
    key = jax.random.key(seed)
    if name == "centre":
        found = draw_masks(CenterSquare(max(1, min(height, width) // 2)), key, num, shape)
    elif name == "half":
        found = np.broadcast_to((np.arange(width) < width // 2)[None, None, :, None], (num, height, width, 1))
    elif name == "random":
        found = random_holes(jax.random.uniform(key, (num, height, width, 1)), SHARE)
    elif name == "pattern":
        side = min(height, width)
        found = draw_masks(Strokes(0.25, 0.25, width=max(1.5, side / 10), length=side / 6), key, num, shape)
    else:
        found = np.broadcast_to(_from_file(pathlib.Path(name).expanduser(), height, width), (num, height, width, 1))
    whole = np.asarray(found, np.float32)
    return whole, f"{1 - whole.mean():.0%} of the pixels are missing"


def _from_file(path: pathlib.Path, height: int, width: int) -> np.ndarray:
    """White where the image is known, black or transparent in the hole: (height, width, 1)."""
    if not files.is_file(path):
        raise UserError(f"--mask is {path}, but must be {', '.join(NAMES)} or a picture, white where pixels are known")
    try:
        picture = reading.read(path, 1)
    except PictureError as error:
        raise UserError(f"{path} {error}; give a mask as png") from error
    if picture.pixels.shape[:2] != (height, width):
        there = "x".join(map(str, picture.pixels.shape[1::-1]))
        raise UserError(
            f"{path} has {there} pixels, but the images of this run {width}x{height}; give a mask of theirs"
        )
    opaque = np.ones((height, width), bool) if picture.alpha is None else picture.alpha >= 128
    return ((picture.pixels[..., 0] >= 128) & opaque)[..., None].astype(np.float32)
