"""A small encoder of captions for tests, and captions."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from experiments.data.captions import encoded
from jaxgen.mode import EVALUATION, Mode


class Letters(nn.Module):
    """A dense layer of how often each byte stands in a caption; the place does not count."""

    @nn.compact
    def __call__(self, captions: jax.Array, output_shape: tuple[int, ...], *, mode: Mode = EVALUATION) -> jax.Array:
        return nn.Dense(output_shape[0])(jax.nn.one_hot(captions, 256, dtype=jnp.float32).mean(axis=1))


def captions(*texts: str, length: int) -> jax.Array:
    """(num, length) uint8."""
    return jnp.asarray(encoded([[text] for text in texts], length)[0][:, 0])
