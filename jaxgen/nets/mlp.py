"""Multi-layer perceptron: generator and critic, encoder and decoder alike."""

import functools
import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.initializers import Initializer, LeCunNormal, to_flax
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Shape


class MLP(nn.Module):
    """Dense layers from a flattened example to `output_shape`, which the model gives at the call.

    With `output_shape=()` it gives one score for each example.
    """

    features: tuple[int, ...] = (512, 512, 512)  # width of each hidden layer
    activation: Literal["leaky_relu", "tanh"] = "leaky_relu"  # after each hidden layer
    negative_slope: float = 0.0  # of the leaky ReLU; 0 is the ReLU
    norm: Norm = "none"  # before each activation
    affine: bool = True  # biases of all layers, scales and offsets of the norms
    initializer: Initializer = LeCunNormal()  # of the weights; biases begin at 0
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, ...) to (batch, *output_shape), float32 and without output activation."""
        require(min(self.features, default=1) >= 1, "features", self.features, "positive widths")
        dtype = jnp.dtype(self.dtype)
        kernel_init = to_flax(self.initializer)
        dense = functools.partial(nn.Dense, use_bias=self.affine, dtype=dtype, kernel_init=kernel_init)
        hidden = inputs.reshape(inputs.shape[0], -1).astype(dtype)
        for width in self.features:
            hidden = dense(width)(hidden)
            hidden = normalize(hidden, self.norm, mode, affine=self.affine)
            hidden = self._activate(hidden)
        outputs = dense(math.prod(output_shape))(hidden)
        return outputs.astype(jnp.float32).reshape(inputs.shape[0], *output_shape)

    def _activate(self, hidden: jax.Array) -> jax.Array:
        match self.activation:
            case "leaky_relu":
                return nn.leaky_relu(hidden, self.negative_slope)
            case "tanh":
                return jnp.tanh(hidden)
            case _:
                raise ValueError(f"activation is {self.activation!r}, but must be 'leaky_relu' or 'tanh'")
