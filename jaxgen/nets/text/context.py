"""What a network that reads text gives to one that attends to it: a vector for each token, and which tokens there are.

A context network is called as `net(captions, (), mode=mode)` and gives a `Context`.
"""

from typing import NamedTuple

from jaxtyping import Array, Bool, Float

from jaxgen.typing import Captions


class Context(NamedTuple):
    """The tokens of a batch of captions."""

    values: Float[Array, "batch tokens width"]  # float32
    mask: Bool[Array, "batch tokens"]  # False for padding; True for one token of each caption at least


def mask_of(captions: Captions) -> Bool[Array, "batch length"]:
    """Which tokens are no padding. The first one always is, so that the empty caption, zeros alone, has a token.

    >>> import jax.numpy as jnp
    >>> print(mask_of(jnp.array([[104, 105, 0], [0, 0, 0]], jnp.uint8)))
    [[ True  True False]
     [ True False False]]
    """
    return (captions != 0).at[:, 0].set(True)


def dropped(captions: Captions, kept: Bool[Array, "batch"]) -> Captions:
    """The captions that are kept, and the empty one in place of the others: arXiv 2207.12598, algorithm 1.

    >>> import jax.numpy as jnp
    >>> print(dropped(jnp.array([[104, 105], [104, 111]], jnp.uint8), jnp.array([False, True])))
    [[  0   0]
     [104 111]]
    """
    return captions * kept.reshape(-1, *[1] * (captions.ndim - 1)).astype(captions.dtype)
