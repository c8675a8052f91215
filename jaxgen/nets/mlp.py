"""Multi-layer perceptron: generator and critic alike."""

import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Shape


class MLP(nn.Module):
    """Dense layers from a flattened example to `output_shape`, which the model tells at the call.

    With `output_shape=()` it gives one score for each example.
    """

    features: tuple[int, ...] = (512, 512, 512)  # width of each hidden layer
    negative_slope: float = 0.0  # of the leaky ReLU after each hidden layer; 0 is the ReLU
    norm: Norm = "none"  # before each activation
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(
        self,
        inputs: jax.Array,
        output_shape: Shape,
        *,
        train: bool = False,
        axis_name: str | None = None,
    ) -> jax.Array:
        """(batch, ...) to (batch, *output_shape), float32 and without output activation."""
        require(min(self.features, default=1) >= 1, "features", self.features, "positive widths")
        dtype = jnp.dtype(self.dtype)
        hidden = inputs.reshape(len(inputs), -1).astype(dtype)
        for width in self.features:
            hidden = nn.Dense(width, dtype=dtype)(hidden)
            hidden = normalize(hidden, self.norm, train=train, axis_name=axis_name)
            hidden = nn.leaky_relu(hidden, self.negative_slope)
        outputs = nn.Dense(math.prod(output_shape), dtype=dtype)(hidden)
        return outputs.astype(jnp.float32).reshape(len(inputs), *output_shape)
