"""A small denoiser that is told a text: all weights matter from the first step on, with dropout."""

import math

import flax.linen as nn
import jax.numpy as jnp

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.dropout import dropout


class TinyTextDenoiser(nn.Module):
    """A perceptron of the image, the time and the mean of the tokens that count."""

    width: int = 6
    rate: float = 0.25

    @nn.compact
    def __call__(self, inputs, times, condition, output_shape, *, mode: Mode = EVALUATION):
        kept = condition.mask.astype(jnp.float32)[..., None]
        told = (kept * condition.values).sum(1) / kept.sum(1)
        flat = inputs.reshape(inputs.shape[0], -1)
        hidden = nn.Dense(self.width)(jnp.concatenate([flat, 0.1 * times[:, None], told], axis=1))
        hidden = dropout(jnp.tanh(hidden), self.rate, mode, 0)
        return nn.Dense(math.prod(output_shape))(hidden).reshape(inputs.shape[0], *output_shape)
