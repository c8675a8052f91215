"""A small denoiser for tests: all weights matter from the first step on, with batch statistics and dropout."""

import flax.linen as nn
import jax.numpy as jnp

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.dropout import dropout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.norm import Norm
from jaxgen.nets.unet.condition import as_condition

BEFORE_BATCH_NORM = ("['denoiser']['MLP_0']['Dense_0']['bias']",)
"""A bias that batch normalisation takes away again has no gradient."""


class Tiny(nn.Module):
    """A perceptron of the image, the time and the condition."""

    width: int = 6
    rate: float = 0.25
    norm: Norm = "batch"

    @nn.compact
    def __call__(self, inputs, times, condition, output_shape, *, mode: Mode = EVALUATION):
        flat = inputs.reshape(inputs.shape[0], -1)
        told = as_condition(condition)
        parts = [flat, 0.1 * times[:, None], *(each for each in (told.classes, told.augmentation) if each is not None)]
        hidden = jnp.concatenate(parts, axis=1)
        if mode.train:
            hidden = dropout(hidden, self.rate, mode, 0)
        return MLP((self.width,), norm=self.norm)(hidden, output_shape, mode=mode)


class TinyClassifier(nn.Module):
    """A perceptron of the image and the time."""

    width: int = 6
    norm: Norm = "batch"

    @nn.compact
    def __call__(self, inputs, times, output_shape, *, mode: Mode = EVALUATION):
        hidden = jnp.concatenate([inputs.reshape(inputs.shape[0], -1), 0.1 * times[:, None]], axis=1)
        return MLP((self.width,), norm=self.norm)(hidden, output_shape, mode=mode)
