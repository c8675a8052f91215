"""What a network makes of images, a chunk of them at a time."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

CHUNK = 250
"""Images in one call: bounds the memory, and one compilation serves any number."""


class Outputs(NamedTuple):
    """What an image becomes."""

    features: np.ndarray  # (num, d) float32
    logits: np.ndarray | None  # (num, classes) float32; None where the extractor names no classes


def in_chunks(apply: Callable[[np.ndarray], Any], pixels: np.ndarray, size: int = CHUNK) -> Any:
    """`apply` of all images, `size` at a time, the last chunk filled with copies of the last one."""
    import jax

    parts = []
    for start in range(0, len(pixels), size):
        places = np.minimum(np.arange(start, start + size), len(pixels) - 1)
        parts.append(jax.device_get(apply(pixels[places])))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[: len(pixels)], *parts)
