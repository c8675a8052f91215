"""A program for any number of rows, a chunk of them at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np

CHUNK = 250
"""Rows in one call: bounds the memory, and one compilation serves any number."""


def in_chunks(apply: Callable[[np.ndarray], Any], rows: np.ndarray, size: int = CHUNK) -> Any:
    """`apply` of all rows, `size` at a time, the last chunk filled with copies of the last one."""
    import jax

    parts = []
    for start in range(0, len(rows), size):
        places = np.minimum(np.arange(start, start + size), len(rows) - 1)
        parts.append(jax.device_get(apply(rows[places])))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[: len(rows)], *parts)
