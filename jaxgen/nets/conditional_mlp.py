"""Perceptrons of the conditional GAN: image or noise and the class pass a layer of their own before they meet.

Mirza, Osindero: Conditional Generative Adversarial Nets, 2014, arXiv 1411.1784, section 4.1. The paper's dropout is
left out.
"""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.typing import Shape


class ConditionalMLPGenerator(nn.Module):
    """z to 200 units and y to 1000, all to 1200, each with a ReLU, and these to the pixels."""

    latent_features: int = 200
    condition_features: int = 1000
    features: int = 1200  # of the joint layer

    @nn.compact
    def __call__(
        self,
        latents: jax.Array,
        condition: jax.Array,
        output_shape: Shape,
        *,
        train: bool = False,
        axis_name: str | None = None,
    ) -> jax.Array:
        """(batch, latent) and (batch, classes) to (batch, *output_shape), without output activation."""
        hidden = [nn.Dense(self.latent_features)(latents), nn.Dense(self.condition_features)(condition)]
        hidden = nn.relu(nn.Dense(self.features)(nn.relu(jnp.concatenate(hidden, axis=1))))
        return nn.Dense(math.prod(output_shape))(hidden).reshape(len(latents), *output_shape)


class ConditionalMLPDiscriminator(nn.Module):
    """x to 240 maxout units of 5 pieces and y to 50, all to 240 of 4, and these to the score."""

    image_features: int = 240
    condition_features: int = 50
    features: int = 240  # of the joint layer
    pieces: int = 5  # of each unit of the first layers
    joint_pieces: int = 4

    @nn.compact
    def __call__(
        self,
        images: jax.Array,
        condition: jax.Array,
        output_shape: Shape = (),
        *,
        train: bool = False,
        axis_name: str | None = None,
    ) -> jax.Array:
        """(batch, ...) and (batch, classes) to (batch, *output_shape); one score each with `()`."""
        size = len(images)
        require(min(self.pieces, self.joint_pieces) >= 1, "pieces", self.pieces, "at least 1")
        of_image = _maxout(nn.Dense(self.image_features * self.pieces)(images.reshape(size, -1)), self.pieces)
        of_class = _maxout(nn.Dense(self.condition_features * self.pieces)(condition), self.pieces)
        hidden = nn.Dense(self.features * self.joint_pieces)(jnp.concatenate([of_image, of_class], axis=1))
        outputs = nn.Dense(math.prod(output_shape))(_maxout(hidden, self.joint_pieces))
        return outputs.reshape(size, *output_shape)


def _maxout(hidden: jax.Array, pieces: int) -> jax.Array:
    """The largest of each `pieces` neighbours."""
    return hidden.reshape(len(hidden), -1, pieces).max(axis=-1)
