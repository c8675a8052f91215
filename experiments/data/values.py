"""How the numbers of arrays become pixels: one decision for all arrays of a set."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.pixels import of_16_bits, of_unit

CHUNK_BYTES = 2**24
"""Of an array that may be larger than the memory, looked at and converted at a time."""

Values = Literal["pixels", "booleans", "16 bits", "0 to 1", "-1 to 1"]
"""Whole numbers from 0 to 255, True and False, uint16 to 65535, or floats in one of two ranges."""

_KINDS = {"u": "whole numbers", "i": "whole numbers", "b": "booleans", "f": "floats"}


@dataclass(frozen=True)
class Part:
    """An array that is read when it is needed."""

    called: str  # for messages
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]


def values_of(parts: Sequence[Part]) -> Values:
    """What the numbers of all arrays are; uint8 is not read for it.

    UserError for numbers that are no pixels, or of other kinds in one array than in another.
    """
    for part in parts:
        if part.dtype.kind not in _KINDS:
            raise UserError(f"{part.called} holds {part.dtype}; images are uint8, or floats from 0 to 1")
    kinds = {_KINDS[part.dtype.kind]: part for part in parts}
    if len(kinds) > 1:
        one, other, *_ = (f"{part.called} holds {kind} ({part.dtype})" for kind, part in kinds.items())
        raise UserError(f"{one}, but {other}; save all arrays of a set alike")
    if "booleans" in kinds:
        return "booleans"
    if all(part.dtype == np.uint8 for part in parts):
        return "pixels"
    low, high, whole = _range(parts)
    name = " and ".join(part.called for part in parts)
    if high > 255 and all(part.dtype.kind == "u" and part.dtype.itemsize == 2 for part in parts):
        return "16 bits"
    if whole and ("floats" not in kinds or (high > 1 and low >= 0 and high <= 255)):
        if low < 0 or high > 255:
            raise UserError(
                f"{name} has values from {low:g} to {high:g}; images are whole numbers from 0 to 255, or uint16"
            )
        return "pixels"
    if low >= 0 and high <= 1:
        return "0 to 1"
    if low >= -1 and high <= 1:
        return "-1 to 1"
    raise UserError(f"{name} has values from {low:g} to {high:g}; floats of images are from 0 to 1 or from -1 to 1")


def to_uint8(array: np.ndarray, values: Values) -> np.ndarray:
    """Pixels from 0 to 255."""
    if array.dtype == np.uint8:
        return array
    pixels = np.empty(array.shape, np.uint8)
    for chunk in _chunks(array):
        some: Any = array[chunk]
        match values:
            case "booleans":
                some = some.astype(np.uint8) * np.uint8(255)
            case "16 bits":
                some = of_16_bits(some)
            case "0 to 1":
                some = of_unit(some)
            case "-1 to 1":
                wide = some.astype(np.float32) if some.dtype.itemsize < 4 else some
                some = np.round((wide + 1) * 127.5)
        pixels[chunk] = some.astype(np.uint8)
    return pixels


def require_finite(called: str, array: np.ndarray, what: str) -> None:
    """UserError that says how many examples hold NaN or infinite values."""
    bad = sum(
        int((~np.isfinite(array[chunk])).reshape(len(array[chunk]), -1).any(axis=1).sum()) for chunk in _chunks(array)
    )
    if bad:
        raise UserError(f"{called} has NaN or infinite values in {bad:,} of {len(array):,} {what}; mend or remove them")


def _range(parts: Sequence[Part]) -> tuple[float, float, bool]:
    """The smallest and the largest value, and whether all are whole numbers."""
    low, high, whole = np.inf, -np.inf, True
    for part in parts:
        array = part.read()
        if array.dtype.kind == "f":
            require_finite(part.called, array, "images")
        for chunk in _chunks(array):
            some = array[chunk]
            low, high = min(low, float(some.min())), max(high, float(some.max()))
            whole = whole and (some.dtype.kind != "f" or bool((some == np.round(some)).all()))
    return low, high, whole


def _chunks(array: np.ndarray) -> Iterator[slice]:
    size = max(1, CHUNK_BYTES // max(1, array.nbytes // len(array)))
    return (slice(start, start + size) for start in range(0, len(array), size))
