"""Captions as one-hot rows of characters, as Reed's code reads them.

Zhang, Zhao, LeCun: Character-level Convolutional Networks for Text Classification, 2015, arXiv 1509.01626, has the
alphabet; Reed, Akata, Lee, Schiele, 2016, arXiv 1605.05395, take a space for its line break. The hyphen stands in it
twice. A table that is filled from left to right sends it to its second place, so that column 36 is never set.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from jaxgen.checks import require

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{} "
"""70 symbols, 69 of them different; a capital letter counts as the small one."""


def _columns() -> np.ndarray:
    """The column of each byte, -1 of those outside of the alphabet."""
    columns = np.full(256, -1, np.int32)
    for column, symbol in enumerate(ALPHABET):
        columns[ord(symbol)] = columns[ord(symbol.upper())] = column
    return columns


def one_hot(captions: Array) -> Float[Array, "batch length symbols"]:
    """1 in the column of each character and 0 elsewhere, (batch, length, 70); padding and unknown bytes are zeros.

    Args:
        captions: UTF-8 padded with 0, (batch, length) uint8.

    Raises:
        ValueError: unless captions are uint8 (batch, length).

    >>> one_hot(jnp.asarray(np.frombuffer(b"-A", np.uint8))[None]).argmax(axis=2)
    Array([[59,  0]], dtype=int32)
    """
    fits = captions.ndim == 2 and captions.dtype == jnp.uint8
    require(fits, "captions", f"{captions.dtype} {captions.shape}", "uint8 (batch, length), UTF-8 padded with 0")
    return jax.nn.one_hot(jnp.asarray(_columns())[captions.astype(jnp.int32)], len(ALPHABET), dtype=jnp.float32)
