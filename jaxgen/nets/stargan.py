"""Translator and discriminator of StarGAN.

Choi, Choi, Kim, Ha, Kim, Choo: StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image
Translation, 2017, arXiv 1711.09020, tables 4 and 5 and the authors' code.

    TiledCondition(StarGANTranslator())    images and the domain that they are to be of, one channel for each domain
    StarGANDiscriminator(layers=6)         128x128 pixels or a multiple of 64; fewer layers for smaller images

Instance norms have scales and offsets, the translator's convolutions have no biases. Borders are zeros: a channel of
one value everywhere passes the first instance norm only because of the borders; with mirrored ones it would be lost.
Weights begin as PyTorch's do, uniform in +-1 / sqrt(inputs).
"""

import functools
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.norm import Norm, normalize
from jaxgen.nets.pix2pix import require_sides
from jaxgen.typing import Images, Shape

UNIFORM = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
"""Uniform in +-1 / sqrt(inputs)."""

SLOPE = 0.01
"""Of the discriminator's leaky ReLU."""


class StarGANTranslator(nn.Module):
    """Two halvings, residual blocks, two doublings."""

    channels: int = 64  # of the full size; twice and four times as many below
    blocks: int = 6
    norm: Norm = "instance"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32 and without output activation.

        Raises:
            ValueError: sides that are no multiples of 4, or other sides of the outputs than of the inputs.
        """
        require_sides(inputs, output_shape, 2)
        require(self.channels >= 1 and self.blocks >= 1, "channels, blocks", (self.channels, self.blocks), "at least 1")
        settings = {"use_bias": False, "dtype": jnp.dtype(self.dtype), "kernel_init": UNIFORM}
        conv, grow = functools.partial(Conv, **settings), functools.partial(ConvTranspose, **settings)

        def activate(hidden: jax.Array) -> jax.Array:
            return nn.relu(normalize(hidden, self.norm, mode))

        hidden = activate(conv(self.channels, 7)(inputs.astype(self.dtype)))
        for factor in (2, 4):
            hidden = activate(conv(factor * self.channels, 4, strides=2)(hidden))
        for _ in range(self.blocks):
            branch = activate(conv(4 * self.channels, 3)(hidden))
            hidden = hidden + normalize(conv(4 * self.channels, 3)(branch), self.norm, mode)
        for factor in (2, 1):
            hidden = activate(grow(factor * self.channels, 4)(hidden))
        return conv(output_shape[2], 7)(hidden).astype(jnp.float32)


class StarGANDiscriminator(nn.Module):
    """A score for each patch, and logits of the domain from all of the image."""

    channels: int = 64  # of the first map; doubled at each halving
    layers: int = 6  # halvings
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> dict[str, jax.Array]:
        """(batch, height, width, channels) to "scores", (batch, rows, columns), and "logits", (batch, *output_shape).

        Raises:
            ValueError: sides that are no multiples of 2^layers, or an output shape that is not (domains,).
        """
        require(len(output_shape) == 1, "output_shape", output_shape, "(domains,)")
        require(self.layers >= 1, "layers", self.layers, "at least 1")
        height, width = images.shape[1:3]
        multiple = 2**self.layers
        fits = height % multiple == width % multiple == 0
        require(fits, "size of the images", f"{height}x{width}", f"a multiple of {multiple} for {self.layers} layers")
        conv = functools.partial(Conv, dtype=jnp.dtype(self.dtype), kernel_init=UNIFORM)
        hidden = images.astype(self.dtype)
        for level in range(self.layers):
            hidden = nn.leaky_relu(conv(self.channels * 2**level, 4, strides=2)(hidden), SLOPE)
        scores = conv(1, 3, use_bias=False)(hidden)[..., 0]
        sides = hidden.shape[1], hidden.shape[2]
        logits = conv(output_shape[0], sides, padding="VALID", use_bias=False)(hidden)[:, 0, 0]
        return {"scores": scores.astype(jnp.float32), "logits": logits.astype(jnp.float32)}
