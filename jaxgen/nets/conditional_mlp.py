"""Perceptrons of the conditional GAN: image or noise and the class pass a layer of their own before they meet.

Mirza, Osindero: Conditional Generative Adversarial Nets, 2014, arXiv 1411.1784, section 4.1.
"""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.dropout import dropout
from jaxgen.nets.maxout import largest_piece
from jaxgen.typing import Shape


class ConditionalMLPGenerator(nn.Module):
    """z to 200 units and y to 1000, all to 1200, each with a ReLU, and these to the pixels."""

    latent_features: int = 200
    condition_features: int = 1000
    features: int = 1200  # of the joint layer
    dropout: float = 0.5  # of all hidden units, in training

    @nn.compact
    def __call__(
        self, latents: jax.Array, condition: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """(batch, latent) and (batch, classes) to (batch, *output_shape), without output activation."""
        parts = [nn.Dense(self.latent_features)(latents), nn.Dense(self.condition_features)(condition)]
        hidden = dropout(nn.relu(jnp.concatenate(parts, axis=1)), self.dropout, mode, layer=0)
        hidden = dropout(nn.relu(nn.Dense(self.features)(hidden)), self.dropout, mode, layer=1)
        return nn.Dense(math.prod(output_shape))(hidden).reshape(latents.shape[0], *output_shape)


class ConditionalMLPDiscriminator(nn.Module):
    """x to 240 maxout units of 5 pieces and y to 50, all to 240 of 4, and these to the score."""

    image_features: int = 240
    condition_features: int = 50
    features: int = 240  # of the joint layer
    pieces: int = 5  # of each unit of the first layers
    joint_pieces: int = 4
    dropout: float = 0.5  # of all hidden units, in training

    @nn.compact
    def __call__(
        self, images: jax.Array, condition: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """(batch, ...) and (batch, classes) to (batch, *output_shape); one score each with `()`."""
        size = images.shape[0]
        pieces = (self.pieces, self.joint_pieces)
        require(min(pieces) >= 1, "pieces and joint_pieces", pieces, "at least 1")
        of_image = largest_piece(nn.Dense(self.image_features * self.pieces)(images.reshape(size, -1)), self.pieces)
        of_class = largest_piece(nn.Dense(self.condition_features * self.pieces)(condition), self.pieces)
        hidden = dropout(jnp.concatenate([of_image, of_class], axis=1), self.dropout, mode, layer=0)
        hidden = largest_piece(nn.Dense(self.features * self.joint_pieces)(hidden), self.joint_pieces)
        outputs = nn.Dense(math.prod(output_shape))(dropout(hidden, self.dropout, mode, layer=1))
        return outputs.reshape(size, *output_shape)
