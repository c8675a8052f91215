"""A denoiser of points: a residual perceptron that is told the time."""

import math
from typing import Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.unet.blocks import GLOROT, NEARLY_ZERO
from jaxgen.nets.unet.condition import Classes, Condition, classes_and_span
from jaxgen.nets.unet.embeddings import Features, Sinusoid, TimeEmbedding
from jaxgen.typing import PerExample, Points, Shape


class TimeMLP(nn.Module):
    """A dense layer; blocks h + dense(swish(dense(swish(h)) + dense(time))); swish and a dense layer to the outputs.

    The second layer of each block and the last one begin near 0, so that the outputs do.
    """

    width: int = 128  # of all hidden layers
    blocks: int = 3
    features: Features = Sinusoid()  # of the time: Fourier() for times of about -1 to 1, ln(sigma) / 4 for one
    num_features: int = 64  # of the time
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(
        self,
        inputs: Points,
        times: PerExample,
        condition: Condition | Classes | None,
        output_shape: Shape,
        *,
        mode: Mode = EVALUATION,
    ) -> Float[Array, "batch ..."]:
        """(batch, ...), (batch,), classes or None to (batch, *output_shape), float32."""
        require(self.width >= 1, "width", self.width, "at least 1")
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        dtype, batch = jnp.dtype(self.dtype), inputs.shape[0]
        told = TimeEmbedding(self.features, self.num_features, self.width, self.dtype, name="time")
        embedding = told(times, *classes_and_span(condition))

        def dense(features: int, name: str, kernel_init=GLOROT) -> nn.Dense:
            return nn.Dense(features, dtype=dtype, kernel_init=kernel_init, name=name)

        hidden = dense(self.width, "inputs")(inputs.reshape(batch, -1).astype(dtype))
        for i in range(self.blocks):
            inner = dense(self.width, f"first_{i}")(nn.swish(hidden)) + dense(self.width, f"time_{i}")(embedding)
            hidden = hidden + dense(self.width, f"second_{i}", NEARLY_ZERO)(nn.swish(inner))
        outputs = dense(math.prod(output_shape), "outputs", NEARLY_ZERO)(nn.swish(hidden))
        return outputs.astype(jnp.float32).reshape(batch, *output_shape)
