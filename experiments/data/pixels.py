"""Pixels of every kind to 8-bit grey or RGB: the same numbers from a file as from an array.

16 bits                   0..65535 becomes 0..255, rounded
floats of a file          0..1 becomes 0..255; other ranges are refused, since a file alone cannot tell its set's
whole numbers of 32 bits  refused, but for those of a 16-bit PGM file
transparent               laid on white
colour profile            converted to sRGB
"""

import functools
import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from experiments.data.rows import PictureError

GREY = ("1", "L", "LA", "La")
"""Modes of grey pictures, beside those of 16 bits."""

ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")

IGNORE = "(give --images.profiles ignore)"


def is_grey(mode: str) -> bool:
    """Whether a picture of this mode has one channel, transparency aside."""
    return mode in GREY or mode.startswith("I") or mode == "F"


def of_16_bits(values: np.ndarray) -> np.ndarray:
    """0..65535 to the nearest of 0..255, uint8."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def of_unit(values: np.ndarray) -> np.ndarray:
    """Floats from 0 to 1 to the nearest of 0..255, uint8."""
    wide = values.astype(np.float32) if values.dtype.itemsize < 4 else values
    return np.round(wide * 255).astype(np.uint8)


def eight_bit(picture: Image.Image, kind: str | None, profiles: str = "srgb") -> Image.Image:
    """A picture, from a file of that kind, in mode L or RGB. PictureError for pixels whose meaning is unknown."""
    if picture.mode in ("L", "RGB") and not picture.info:
        return picture
    profile = picture.info.get("icc_profile") if profiles == "srgb" else None
    clear = picture.info.get("transparency")
    grey = is_grey(picture.mode)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _of_deep(picture, kind, clear)
    elif picture.mode in ALPHA or clear is not None:
        picture = picture.convert("LA" if grey else "RGBA")
    elif picture.mode not in ("L", "RGB", "CMYK"):
        picture = picture.convert("L" if grey else "RGB")
    if profile:
        picture = _to_srgb(picture, profile)
    if picture.mode in ALPHA:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    mode = "L" if grey else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def alpha(picture: Image.Image) -> Image.Image | None:
    """The opacity of each pixel, mode L, before `eight_bit` takes it away; None where nothing is transparent."""
    clear = picture.info.get("transparency")
    if picture.mode in ALPHA:
        found = picture.convert("RGBA").getchannel("A")
    elif clear is None:
        return None
    elif picture.mode.startswith("I"):
        found = Image.fromarray(np.where(np.asarray(picture) == clear, np.uint8(0), np.uint8(255)))
    else:
        found = picture.convert("RGBA").getchannel("A")
    return None if found.getextrema() == (255, 255) else found


def _of_deep(picture: Image.Image, kind: str | None, clear: Any) -> Image.Image:
    """A grey picture of 16 or 32 bits as 8 bits, with transparency where it has a value `clear`."""
    values = np.asarray(picture)
    if picture.mode.startswith("I;16") or (picture.mode == "I" and kind == "PPM"):
        pixels = Image.fromarray(of_16_bits(values))
    elif picture.mode == "I":
        raise PictureError("has 32-bit pixels (mode I), whose range is unknown (save it with 8 or 16 bits)")
    elif not (values.min() >= 0 and values.max() <= 1):  # nor NaN
        raise PictureError(
            f"has 32-bit pixels (mode F) from {values.min():g} to {values.max():g}, but floats of a file are taken "
            "from 0 to 1 (save it so, or with 8 bits)"
        )
    else:
        pixels = Image.fromarray(of_unit(values))
    if clear is None:
        return pixels
    return Image.merge("LA", (pixels, Image.fromarray(np.where(values == clear, np.uint8(0), np.uint8(255)))))


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """A picture of mode L, LA, RGB, RGBA or CMYK in sRGB, as its profile has the colours; its transparency stays."""
    alpha = picture.getchannel("A") if picture.mode in ALPHA else None
    space, transform = _transform(profile)
    wanted = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}[space]
    there = {"LA": "L", "RGBA": "RGB"}.get(picture.mode, picture.mode)
    if (wanted == "CMYK") != (there == "CMYK") or (wanted, there) == ("L", "RGB"):
        raise PictureError(f"has a colour profile of {space} for pixels of {there} {IGNORE}")
    if transform is None:
        return picture
    picture = picture.convert(wanted)
    converted = transform.apply(picture)
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


@functools.lru_cache(maxsize=16)
def _transform(profile: bytes) -> tuple[str, Any]:
    """The colour space of a profile, and what converts from it to sRGB; None for sRGB itself. PictureError."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        header: Any = source.profile
        space = header.xcolor_space.strip()
        if "sRGB" in (header.profile_description or "") and space == "RGB":
            return space, None
        mode = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}[space]
        return space, ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except KeyError as error:
        raise PictureError(f"has a colour profile of an unusual kind, {error} {IGNORE}") from None
    except ImportError:
        raise PictureError(f"has a colour profile, which this Pillow was built without {IGNORE}") from None
    except (OSError, ImageCms.PyCMSError):
        raise PictureError(f"has a damaged colour profile {IGNORE}") from None
