"""Dropout and Gaussian noise that belong to the examples: the same however many devices share the batch.

Srivastava et al.: Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014, JMLR 15.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import Mode, fold


def dropout(hidden: Float[Array, "batch ..."], rate: float, mode: Mode, layer: int) -> Float[Array, "batch ..."]:
    """In training each value is 0 with probability `rate`, else divided by 1 - rate; else all are as they are.

    Args:
        hidden: any activations.
        rate: in [0, 1).
        mode: of the pass, with one key for each example.
        layer: its number in the network: layers of different numbers draw different masks.

    Raises:
        ValueError: in training without keys.
    """
    require(0 <= rate < 1, "rate", rate, "in [0, 1)")
    if not mode.train or rate == 0:
        return hidden

    def mask(key):
        return jax.random.bernoulli(key, 1 - rate, hidden.shape[1:])

    kept = jax.vmap(mask)(fold(mode.example_keys("dropout"), layer))
    return jnp.where(kept, hidden / (1 - rate), jnp.zeros((), hidden.dtype))


def gaussian_noise(
    hidden: Float[Array, "batch ..."], deviation: float, mode: Mode, layer: int
) -> Float[Array, "batch ..."]:
    """In training x + s n with n from N(0, I); else x.

    Args:
        hidden: x, any activations.
        deviation: s, at least 0.
        mode: of the pass, with one key for each example.
        layer: its number in the network, which no dropout of it has: others draw other noise.

    Raises:
        ValueError: in training without keys.
    """
    require(deviation >= 0, "deviation", deviation, "at least 0")
    if not mode.train or deviation == 0:
        return hidden
    keys = fold(mode.example_keys("Gaussian noise"), layer)
    noise = jax.vmap(lambda key: jax.random.normal(key, hidden.shape[1:], hidden.dtype))(keys)
    return hidden + jnp.asarray(deviation, hidden.dtype) * noise
