"""Residual networks of SNGAN, without and with classes, for images of 32x32 to 128x128.

Miyato, Kataoka, Koyama, Yoshida: Spectral Normalization for Generative Adversarial Networks, 2018, arXiv 1802.05957,
appendix B. Miyato, Koyama: cGANs with Projection Discriminator, 2018, arXiv 1802.05637. Both with the authors' code.
Widths for 48x48 are those of the first paper for STL-10; those for 64x64 follow the same rule.

    ResNetGenerator(GENERATOR_32)                   of jaxgen.nets.resnet; without classes
    ConditionalResNetGenerator(GENERATOR_32)        conditional batch norm in all blocks
    Spectral(LinearDiscriminator(FEATURES_32, last_bias=False))
    Spectral(ProjectionDiscriminator(FEATURES_32, last_bias=False))

At the other sizes the discriminator's last layer has a bias. The blocks of a discriminator are as wide inside as their
inputs; those of SAGAN and BigGAN, with `wide`, as their outputs.
"""

import functools
import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.image_shapes import halved
from jaxgen.nets.initializers import GlorotUniform, Initializer, to_flax
from jaxgen.nets.norm import normalize
from jaxgen.nets.projection import sum_pool
from jaxgen.nets.resnet import FirstBlock, ResidualBlock
from jaxgen.nets.self_attention import SelfAttention, check_heights
from jaxgen.typing import Images, Latents, Shape

GENERATOR_32 = (256, 256, 256, 256)
GENERATOR_48 = (512, 256, 128, 64)
GENERATOR_64 = (1024, 512, 256, 128, 64)
GENERATOR_128 = (1024, 1024, 512, 256, 128, 64)
"""Channels of each map of a generator, the smallest first: 4x4, and 6x6 for images of 48x48."""


class ConditionalResNetGenerator(nn.Module):
    """`ResNetGenerator` that takes classes, into the batch norms of its blocks, and may have attention.

    In `Spectral` of `jaxgen.nets.spectral`, exempt "scale" and "offset": those maps are the norms' tables of classes.
    """

    channels: tuple[int, ...] = GENERATOR_32  # of each map, the smallest first
    attention: tuple[int, ...] = ()  # heights of maps with attention
    initializer: Initializer | None = None  # of all layers but the norms; None for variances of He and Glorot
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32
    remat: bool = False  # compute blocks again in the backward pass, for less memory

    @nn.compact
    def __call__(
        self, latents: Latents, classes: Float[Array, "batch classes"], output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> Images:
        """Latents and one-hot classes to (batch, *output_shape), float32 and without output activation.

        Raises:
            ValueError: sides that do not halve for each map, or heights of attention that no block gives.
        """
        doublings = len(self.channels) - 1
        height, width, image_channels = halved(output_shape, doublings)
        require(min(self.channels) >= 1, "channels", self.channels, "positive widths")
        check_heights(self.attention, (height << level for level in range(1, doublings + 1)))
        dtype, initializer = jnp.dtype(self.dtype), self.initializer or GlorotUniform()
        smallest = (height, width, self.channels[0])
        first = nn.Dense(math.prod(smallest), dtype=dtype, kernel_init=to_flax(initializer))
        hidden = first(latents.astype(dtype)).reshape(latents.shape[0], *smallest)
        block = nn.remat(ResidualBlock) if self.remat else ResidualBlock
        for level, features in enumerate(self.channels[1:]):
            convolve = block(
                features, "up", "batch", dtype=self.dtype, weights=self.initializer, name=f"ResidualBlock_{level}"
            )
            hidden = convolve(hidden, classes, mode=mode)
            if hidden.shape[1] in self.attention:
                hidden = SelfAttention(initializer=initializer, dtype=self.dtype)(hidden)
        hidden = nn.relu(normalize(hidden, "batch", mode))
        last = Conv(image_channels, 3, dtype=dtype, kernel_init=to_flax(initializer))
        return last(hidden).astype(jnp.float32)


class ResNetFeatures(nn.Module):
    """Blocks of which the first ones halve both sides, ReLU, and the sum over all places."""

    channels: tuple[int, ...] = (128, 128, 128, 128)  # of each block's outputs
    halvings: int = 2  # blocks that halve, the first ones
    wide: bool = False  # whether blocks are as wide inside as their outputs, else as their inputs
    attention: tuple[int, ...] = ()  # heights of maps with attention, behind the block that halves to them
    initializer: Initializer | None = None  # of all layers; None for variances of He and Glorot
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, softmax and the sum are float32
    remat: bool = False  # compute blocks again in the backward pass, for less memory

    @nn.compact
    def __call__(self, images: Images, *, mode: Mode = EVALUATION) -> Float[Array, "batch features"]:
        """(batch, height, width, channels) to (batch, last of the channels), float32.

        Raises:
            ValueError: sides that do not halve as often, heights of attention that no block gives, or no block.
        """
        halved(images.shape[1:], self.halvings)
        require(min(self.channels, default=0) >= 1, "channels", self.channels, "positive widths, one at least")
        fits = 1 <= self.halvings <= len(self.channels)
        require(fits, "halvings", self.halvings, f"from 1 to {len(self.channels)}, the number of blocks")
        check_heights(self.attention, (images.shape[1] >> level for level in range(1, self.halvings + 1)))
        hidden = images.astype(jnp.dtype(self.dtype))
        for level, features in enumerate(self.channels):
            hidden = self._block(level, features, hidden, mode)
            if level < self.halvings and hidden.shape[1] in self.attention:
                hidden = SelfAttention(initializer=self.initializer or GlorotUniform(), dtype=self.dtype)(hidden)
        return sum_pool(hidden)

    def _block(self, level: int, features: int, hidden: jax.Array, mode: Mode) -> jax.Array:
        wrap = nn.remat if self.remat else lambda block: block
        if level == 0:
            return wrap(FirstBlock)(features, self.dtype, self.initializer, name="FirstBlock_0")(hidden)
        block = functools.partial(wrap(ResidualBlock), dtype=self.dtype, weights=self.initializer)
        inner = features if self.wide else hidden.shape[-1]
        resample = "down" if level < self.halvings else "none"
        return block(features, resample, inner=inner, name=f"ResidualBlock_{level}")(hidden, mode=mode)


FEATURES_32 = ResNetFeatures()
FEATURES_48 = ResNetFeatures((64, 128, 256, 512, 1024), halvings=4)
FEATURES_64 = ResNetFeatures((64, 128, 256, 512, 1024), halvings=5)
FEATURES_128 = ResNetFeatures((64, 128, 256, 512, 1024, 1024), halvings=5)
"""Features of images of each size."""
