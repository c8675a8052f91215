"""Dropout whose masks belong to the examples, so that they are the same however many devices share the batch.

Srivastava et al.: Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014, JMLR 15.
"""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from jaxgen.checks import require


@runtime_checkable
class Dropping(Protocol):
    """A network whose call takes `keys`, one for each example, and drops where it has them."""

    @property
    def drops(self) -> bool:
        """Whether its rates are above 0, so that it needs keys in training."""
        ...


def drops(net: Any) -> bool:
    """Whether a network drops values in training, for which it needs keys."""
    return isinstance(net, Dropping) and net.drops


def keys_for(net: Any, keys: Key[Array, "batch"] | None) -> dict[str, Any]:
    """`keys` as an argument of the network's call; nothing for one that knows no keys."""
    return {"keys": keys} if drops(net) else {}


def dropout(
    hidden: Float[Array, "batch ..."], rate: float, keys: Key[Array, "batch"] | None, layer: int
) -> Float[Array, "batch ..."]:
    """Each value is 0 with probability `rate`, else divided by 1 - rate; all as they are without keys or rate.

    Args:
        hidden: any activations.
        rate: in [0, 1).
        keys: one for each example.
        layer: its number in the network: layers of different numbers draw different masks.
    """
    require(0 <= rate < 1, "rate", rate, "in [0, 1)")
    if keys is None or rate == 0:
        return hidden

    def mask(key):
        return jax.random.bernoulli(jax.random.fold_in(key, layer), 1 - rate, hidden.shape[1:])

    kept = jax.vmap(mask)(keys)
    return jnp.where(kept, hidden / (1 - rate), jnp.zeros((), hidden.dtype))
