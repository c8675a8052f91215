"""Files of pictures to uint8 arrays of one size, through Pillow.

Every kind that Pillow reads becomes 8-bit grey or RGB (`pixels`), a camera's orientation applied. A picture is cut to
its middle part of the wanted proportions and resized in one step, a much larger JPEG from a reduced decoding. Nothing
is resized that has the size asked for.
"""

import contextlib
import functools
import importlib.util
import io
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from experiments.data import pixels
from experiments.data.options import ImageOptions
from experiments.data.rows import PictureError

MAX_PIXELS = 100_000_000
"""Larger pictures are refused: a small file can unpack to more than the memory holds."""

GAP = 3
"""Resizing from three times the size or more looks the same as from any larger one."""

_RESAMPLE = {
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "nearest": Image.Resampling.NEAREST,
}

SUFFIXES = frozenset(
    (
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".avif", ".gif", ".bmp", ".dib"),
        *(".tif", ".tiff", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".tga"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".pcx", ".sgi", ".qoi", ".dds"),
    )
)
"""Of files that are taken for pictures."""

HEIF = frozenset((".heic", ".heif", ".hif"))
"""Of those that the package pillow-heif lets Pillow read."""

MISSING = frozenset((".avif", ".qoi"))
"""Of those that not every Pillow reads."""

Half = Literal["left", "right"] | None
"""Which half of a picture is meant, None for all of it."""


@functools.cache
def suffixes() -> frozenset[str]:
    """Suffixes of the pictures that can be read here."""
    found = SUFFIXES - {kind for kind in MISSING if kind not in Image.registered_extensions()}
    if importlib.util.find_spec("pillow_heif") is None:
        return found
    heif: Any = importlib.import_module("pillow_heif")
    heif.register_heif_opener()
    return found | HEIF


def decode(data: bytes, options: ImageOptions, channels: int | None = None, half: Half = None) -> np.ndarray:
    """(height, width, channels) uint8. PictureError, saying what is wrong, for what is no picture.

    `channels` are those of the set where the options do not say: a grey picture among RGB ones becomes RGB, the other
    way round is refused, since colours would be lost unasked.
    """
    with opened(data) as picture:
        _hasten(picture, options, half)
        plain = pixels.eight_bit(upright(picture), picture.format, options.profiles)
        return fit(cut_half(plain, half), options, channels)


@contextlib.contextmanager
def opened(data: bytes) -> Iterator[Any]:
    """A picture of these bytes, not decoded yet. PictureError, here or where it is decoded, for what is none."""
    if not data:
        raise PictureError("is empty (0 bytes)")
    try:
        kinds = ("PNG",) if data.startswith(b"\x89PNG") else None  # others would be tried first
        with Image.open(io.BytesIO(data), formats=kinds) as picture:
            _check(picture)
            yield picture
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError("is no picture, whatever its name says") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"has more than {MAX_PIXELS:,} pixels") from None
    except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
        raise PictureError(f"is damaged ({str(error).partition(chr(10))[0] or type(error).__name__})") from error


def upright(picture: Any) -> Image.Image:
    """The picture decoded, turned as its camera was held."""
    picture.load()
    turned = picture.info and picture.getexif().get(_ORIENTATION)  # a file that says nothing of itself is not
    return ImageOps.exif_transpose(picture) if turned else picture


_ORIENTATION = 0x0112


def header(file: Any, half: Half = None) -> tuple[int, int, int] | None:
    """Height, width and channels that `decode` would give without any options, from the beginning of a file alone.

    None for what is no picture, or is damaged: `decode` says what is wrong with it.
    """
    try:
        with Image.open(file) as picture:
            width, height = picture.size
            if not 0 < width * height <= MAX_PIXELS:
                return None
            if _turned(picture) >= _TRANSPOSED:
                width, height = height, width
            return height, width // 2 if half else width, 1 if pixels.is_grey(picture.mode) else 3
    except Exception:  # of many kinds for damaged files
        return None


def _turned(picture: Image.Image) -> int:
    """The orientation that a camera has written; 1, upright, where none stands before the pixels."""
    if picture.format == "PNG" and "exif" not in picture.info:  # looking for it would decode the picture
        return 1
    return picture.getexif().get(_ORIENTATION, 1)


_TRANSPOSED = 5
"""Orientations from this on swap height and width."""


def _check(picture: Any) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise PictureError(f"is {width}x{height} pixels, more than {MAX_PIXELS:,}")
    if getattr(picture, "is_animated", False) and picture.format in ("GIF", "WEBP", "PNG", "AVIF"):
        raise PictureError(f"is an animation of {picture.n_frames} frames")  # pyright: ignore


def _hasten(picture: Any, options: ImageOptions, half: Half) -> None:
    """Let JPEG's decoder halve a picture, once or more, that stays at least GAP times as large as what is wanted."""
    if picture.format == "JPEG" and options.stored_shape is not None and options.resample != "nearest":
        side = GAP * max(options.stored_shape)
        picture.draft(None, (side * (2 if half else 1), side))


def cut_half(picture: Image.Image, half: Half) -> Image.Image:
    """One half of two pictures side by side, all of it for None. PictureError for an odd width."""
    if half is None:
        return picture
    width, height = picture.size
    if width % 2:
        raise PictureError(f"is {width} pixels wide, which two images side by side cannot be")
    left = 0 if half == "left" else width // 2
    return picture.crop((left, 0, left + width // 2, height))


def fit(picture: Image.Image, options: ImageOptions, channels: int | None = None) -> np.ndarray:
    """A picture of mode L or RGB cut, resized and converted as the options say."""
    wanted = options.channels or channels
    if wanted is not None:
        if wanted == 1 and picture.mode != "L" and options.channels is None:
            raise PictureError("has colours among grey pictures (give --images.channels 1 or 3)")
        mode = "L" if wanted == 1 else "RGB"
        picture = picture if picture.mode == mode else picture.convert(mode)  # which would copy it
    shape = options.stored_shape
    if shape is not None and picture.size != shape[::-1]:
        box = _middle(picture.size, shape) if options.crop != "none" else None
        picture = picture.resize((shape[1], shape[0]), _RESAMPLE[options.resample], box)
    array = np.asarray(picture)
    return array if array.ndim == 3 else array[..., None]


def _middle(size: tuple[int, int], shape: tuple[int, int]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the largest middle part of a (width, height) that is shaped as (height, width)."""
    width, height = size
    part_height = min(height, width * shape[0] / shape[1])
    part_width = min(width, height * shape[1] / shape[0])
    left, top = (width - part_width) // 2, (height - part_height) // 2
    return (left, top, left + part_width, top + part_height)


def fit_array(image: np.ndarray, options: ImageOptions, channels: int | None = None) -> np.ndarray:
    """(height, width, 1 or 3) uint8 cut, resized and converted alike."""
    shape, wanted = options.stored_shape, options.channels or channels
    if shape in (None, image.shape[:2]) and wanted in (None, image.shape[2]):
        return image
    return fit(Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image), options, channels)
