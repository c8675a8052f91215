"""Pairs of images and captions, their scores by a model that matches them, and which of them belong together."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.data.captions import decoded
from experiments.data.images import ImageSet
from experiments.models import abilities
from experiments.models.chunks import in_chunks

if TYPE_CHECKING:
    from jaxgen.model import ModelConfig

CHUNK = 128
"""Pairs in one call: bounds the memory, and one compilation serves any number."""


@dataclass(frozen=True)
class Pairs:
    """Images, each with its first caption."""

    pixels: np.ndarray  # (num, height, width, channels) uint8
    captions: np.ndarray  # (num, length)
    text: Callable[[np.ndarray], str] = decoded  # of one of the captions

    @property
    def right(self) -> np.ndarray:
        """Which caption (rows) belongs to which image (columns), (num, num) bool: equal captions to those of all."""
        return (self.captions[:, None] == self.captions[None]).all(axis=2)


def pairs_of(config: Any, image_set: ImageSet, num: int) -> Pairs:
    """`num` pairs, or all there are, at even distances through the set, which may be sorted."""
    places = np.linspace(0, len(image_set) - 1, min(num, len(image_set))).astype(np.int64)
    batch = image_set.batch(places, config.batch_type)
    return Pairs(np.asarray(batch.images), np.asarray(batch.captions), image_set.text)


def scores(config: "ModelConfig", state: Any, pairs: Pairs) -> np.ndarray:
    """The inner product of each caption's vector (rows) with each image's (columns), (num, num) float32."""
    embed = functools.partial(_embed(config), state)
    places = np.arange(len(pairs.pixels))
    images, texts = in_chunks(lambda some: embed(pairs.pixels[some], pairs.captions[some]), places, CHUNK)
    return texts @ images.T


@functools.cache
def _embed(config: "ModelConfig") -> Callable[..., Any]:
    """(state, pixels, captions) to the vectors of both; compiled once for each config."""
    from jaxgen.images import scale
    from jaxgen.parallel import compiled

    model = abilities.matcher(config)

    @compiled
    def embed(state: Any, pixels: Any, captions: Any) -> tuple[Any, Any]:
        images = scale(pixels, config.value_range)
        return model.embed_images(config, state, images), model.embed_captions(config, state, captions)

    return embed
