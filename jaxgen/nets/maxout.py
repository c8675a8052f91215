"""A discriminator of maxout units, as Goodfellow et al. 2014 (arXiv 1406.2661) used it for MNIST.

Goodfellow, Warde-Farley, Mirza, Courville, Bengio: Maxout Networks, 2013, arXiv 1302.4389: each unit is the largest of
several linear pieces.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.dropout import dropout
from jaxgen.nets.image_shapes import dense_outputs
from jaxgen.nets.initializers import Initializer, Uniform, to_flax
from jaxgen.typing import Shape


class Maxout(nn.Module):
    """Maxout layers on the flattened example, with dropout before each layer, then a dense layer."""

    features: tuple[int, ...] = (240, 240)  # units of each hidden layer
    pieces: int = 5  # linear functions of each unit
    input_dropout: float = 0.2  # rate on the inputs
    hidden_dropout: float = 0.5  # rate on each hidden layer
    initializer: Initializer = Uniform(0.005)  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, inputs: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, ...) to (batch, *output_shape), without output activation."""
        require(self.pieces >= 1, "pieces", self.pieces, "at least 1")
        kernel_init = to_flax(self.initializer)
        dense = functools.partial(nn.Dense, kernel_init=kernel_init)
        hidden = dropout(inputs.reshape(inputs.shape[0], -1), self.input_dropout, mode, 0)
        for layer, width in enumerate(self.features, 1):
            hidden = largest_piece(dense(width * self.pieces)(hidden), self.pieces)
            hidden = dropout(hidden, self.hidden_dropout, mode, layer)
        return dense_outputs(hidden, output_shape, kernel_init)


def largest_piece(hidden: jax.Array, pieces: int) -> jax.Array:
    """The largest of each `pieces` neighbours, the first of equals: (..., units * pieces) to (..., units).

    The gradient of `jnp.max` goes to the inputs that equal the maximum. Where XLA computes them twice, with other
    rounding, none does, and it is 0 / 0. Here the choice of a piece and its value may differ in rounding.
    """
    hidden = hidden.reshape(*hidden.shape[:-1], -1, pieces)
    places = jnp.arange(pieces).reshape((1,) * (hidden.ndim - 1) + (pieces,))
    chosen = hidden.argmax(axis=-1, keepdims=True) == places
    return jnp.where(chosen, hidden, jnp.zeros((), hidden.dtype)).sum(axis=-1)
