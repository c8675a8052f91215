"""One picture through a network, at the picture's own size or at that of the training."""

from dataclasses import dataclass
from typing import Any, Literal

import jax
import numpy as np

from experiments.translations import borders, reading, tiles
from experiments.translations.network import Network
from experiments.translations.reading import Picture

MULTIPLE = 32
"""Sides that are compiled for are multiples of it, so that pictures of nearly one size share a program."""

WHOLE = 2**21
"""Pixels of an output up to which a picture goes through the network in one piece: two megapixels."""

TILE = 512
"""Side of a tile of an output."""

Size = Literal["own", "trained"]


@dataclass(frozen=True)
class Way:
    """How pictures go through a network."""

    network: Network
    size: Size
    tile: int | None = None  # side in pixels of the input; 0 for none, None to choose it by the size

    def __call__(self, picture: Picture, key: jax.Array) -> Picture:
        """The translation, with its transparency; for a network that fills holes, what is clear is the hole."""
        if not self.network.fills_holes or picture.alpha is None:
            return Picture(self._sized(picture.pixels, key), picture.alpha)
        known = np.where(picture.alpha[..., None] > 0, np.uint8(255), np.uint8(0))
        return Picture(self._sized(np.concatenate([picture.pixels, known], axis=2), key))

    def _sized(self, pixels: np.ndarray, key: jax.Array) -> np.ndarray:
        return self._own(pixels, key) if self.size == "own" else self._trained(pixels, key)

    def _apply(self, pixels: np.ndarray, key: jax.Array) -> np.ndarray:
        """The network on pixels, of which a channel more than it takes says what is known."""
        channels = self.network.input_shape[2]
        return self.network(pixels[..., :channels], key, pixels[..., channels:] if pixels.shape[2] > channels else None)

    def side(self, height: int, width: int) -> int | None:
        """Of the tiles for a picture of that size, a multiple of the stride; None for the whole picture at once."""
        step = self.step
        if self.tile == 0:
            return None
        if self.tile is None and height * width * self.network.factor**2 <= WHOLE:
            return None
        wanted = -(-(self.tile or TILE // self.network.factor) // step) * step
        return None if wanted >= max(height, width) else wanted

    @property
    def step(self) -> int:
        """Sides are multiples of it."""
        return max(MULTIPLE, self.network.stride or 1)

    def _own(self, pixels: np.ndarray, key: jax.Array) -> np.ndarray:
        height, width = pixels.shape[:2]
        border = borders.to_multiple(height, width, self.step)
        padded = borders.reflected(pixels, border)

        def apply(tile: np.ndarray) -> np.ndarray:
            return self._apply(tile, key)  # one key, so that noise is the same in all tiles

        side = self.side(height, width)
        if side is None:
            made = apply(padded)
        else:
            overlap = max(1, side // 4)
            made = tiles.blended(apply, padded, side, overlap, self.network.stride or 1)
        return rounded(borders.cut(made, border, self.network.factor))

    def _trained(self, pixels: np.ndarray, key: jax.Array) -> np.ndarray:
        """The whole picture made as small or large as fits, a reflected border around it, and back."""
        (height, width), factor = pixels.shape[:2], self.network.factor
        room = self.network.input_shape[:2]
        shrunk = min(room[0] / height, room[1] / width)
        inner = tuple(min(max(1, round(shrunk * side)), most) for side, most in zip((height, width), room, strict=True))
        border = borders.around(*inner, *room)
        made = self._apply(borders.reflected(reading.resized(pixels, *inner), border), key)
        return reading.resized(rounded(borders.cut(made, border, factor)), factor * height, factor * width)


def rounded(values: Any) -> np.ndarray:
    """Floats from 0 to 255 to the nearest whole number, uint8."""
    return np.round(values).astype(np.uint8)
