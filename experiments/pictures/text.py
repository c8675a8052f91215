"""Text in pictures, in the font that comes with Pillow: the same on every machine."""

import functools
import unicodedata
from typing import Any

import numpy as np

INK = (60, 60, 60)


@functools.cache
def font(size: int) -> Any:
    """The font at that height in pixels."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def width(text: str, size: int) -> int:
    """Pixels that the text takes."""
    return round(font(size).getlength(drawable(text)))


def fitted(text: str, size: int, room: int) -> str:
    """The text, cut with an ellipsis where it is wider than `room` pixels."""
    text = drawable(text)
    if width(text, size) <= room:
        return text
    while text and width(f"{text}…", size) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"


def drawable(text: str) -> str:
    """The text in the letters that the font has: without accents, and a question mark for what is left."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return plain.replace("\u2212", "-").encode("ascii", "replace").decode() if not plain.isascii() else plain


def draw(canvas: Any, at: tuple[float, float], text: str, size: int, anchor: str = "lm", ink: Any = INK) -> None:
    """Write on a PIL drawing; `anchor` says what stands at `at`, as Pillow's two letters do (lm: left, middle)."""
    canvas.text(at, drawable(text) if "…" not in text else text, fill=ink, font=font(size), anchor=anchor)


def upright(text: str, size: int) -> np.ndarray:
    """The text read from below upwards, (width, height, 3) uint8 on white."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width(text, size) + 4, size + 6), "white")
    draw(ImageDraw.Draw(picture), (2, (size + 6) / 2), text, size)
    return np.asarray(picture.transpose(Image.Transpose.ROTATE_90))
