"""Encoder and decoder of latent diffusion: an image to a map of latents that is several times as small, and back.

Rombach, Blattmann, Lorenz, Esser, Ommer: High-Resolution Image Synthesis with Latent Diffusion Models, 2021, arXiv
2112.10752, appendix G, and the authors' code, after Esser, Rombach, Ommer: Taming Transformers for High-Resolution
Image Synthesis (VQGAN), 2020, arXiv 2012.09841.

    LatentEncoder(), LatentDecoder()                                  8 times as small ("KL-f8", of Stable Diffusion)
    LatentEncoder(multipliers=(1, 2, 4)), ...                         4 times as small
    LatentEncoder(32, (1, 2, 4), 1), LatentDecoder(32, (1, 2, 4), 1)  for 32x32, a small one

The encoder's output has the channels that the model asks for: twice as many as the latents, for a mean and a logarithm
of the variance. Norms have as many groups as `num_groups` says, which are the code's 32 from 128 channels on.
"""

import itertools
from typing import Literal

import flax.linen as nn
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.convolution_layers import Conv, UpsampleConv
from jaxgen.nets.dropout import dropout
from jaxgen.nets.image_shapes import image_shape
from jaxgen.nets.unet.blocks import GLOROT, AttentionBlock, GroupNorm, Style
from jaxgen.typing import Images, Shape

AFTER = ((0, 1), (0, 1))
"""Padding of a convolution of stride 2: below and on the right."""


class PlainResidualBlock(nn.Module):
    """norm swish conv3, norm swish dropout conv3; plus the inputs, by a 1x1 convolution to another width."""

    features: int
    dropout: float = 0.0
    layer: int = 0  # the number of its dropout in the network
    dtype: Literal["float32", "bfloat16"] = "float32"

    @nn.compact
    def __call__(self, inputs: Images, mode: Mode = EVALUATION) -> Outputs:
        """(batch, height, width, channels) to (batch, height, width, features)."""
        dtype = jnp.dtype(self.dtype)
        hidden = GroupNorm(name="norm_0")(inputs)
        hidden = Conv(self.features, 3, dtype=dtype, kernel_init=GLOROT, name="conv_0")(hidden)
        hidden = dropout(GroupNorm(name="norm_1")(hidden), self.dropout, mode, self.layer)
        hidden = Conv(self.features, 3, dtype=dtype, kernel_init=GLOROT, name="conv_1")(hidden)
        if inputs.shape[-1] != self.features:
            inputs = Conv(self.features, 1, dtype=dtype, kernel_init=GLOROT, name="shortcut")(inputs)
        return inputs + hidden


class LatentEncoder(nn.Module):
    """Images to maps: residual blocks for each size, attention of all places in the smallest, a 1x1 convolution."""

    channels: int = 128  # of the largest maps
    multipliers: tuple[int, ...] = (1, 2, 4, 4)  # of the channels, for each size of maps; the largest first
    blocks: int = 2  # residual blocks of each size
    attention: tuple[int, ...] = ()  # heights of maps with attention after each block; in the middle there is one
    dropout: float = 0.0
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> Outputs:
        """(batch, height, width, channels) to (batch, *output_shape), float32.

        Raises:
            ValueError: an output shape whose sides are not the images' halved once less than there are sizes.
        """
        check_sides(self, output_shape, images.shape[1:])
        dtype, numbers = jnp.dtype(self.dtype), itertools.count()
        hidden = Conv(self.channels, 3, dtype=dtype, kernel_init=GLOROT, name="inputs")(images.astype(dtype))
        for level, multiplier in enumerate(self.multipliers):
            features = multiplier * self.channels
            for i in range(self.blocks):
                hidden = residual(self, features, next(numbers), f"down_{level}_{i}")(hidden, mode)
                hidden = attended(self, hidden, f"down_{level}_{i}", always=False)
            if level < len(self.multipliers) - 1:
                down = Conv(
                    features, 3, strides=2, padding=AFTER, dtype=dtype, kernel_init=GLOROT, name=f"down_{level}"
                )
                hidden = down(hidden)
        hidden = middle(self, hidden, numbers, mode)
        width = output_shape[-1]
        hidden = Conv(width, 3, dtype=dtype, kernel_init=GLOROT, name="maps")(GroupNorm(name="norm")(hidden))
        return Conv(width, 1, dtype=dtype, kernel_init=GLOROT, name="outputs")(hidden).astype(jnp.float32)


class LatentDecoder(nn.Module):
    """Maps of latents to images: the encoder in reverse, with one residual block more for each size."""

    channels: int = 128  # of the largest maps
    multipliers: tuple[int, ...] = (1, 2, 4, 4)  # of the channels, for each size of maps; the largest first
    blocks: int = 2  # residual blocks of each size, but for one more
    attention: tuple[int, ...] = ()  # heights of maps with attention after each block; in the middle there is one
    dropout: float = 0.0
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32

    @nn.compact
    def __call__(self, latents: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> Outputs:
        """(batch, rows, columns, channels) to (batch, *output_shape), float32, without output activation.

        Raises:
            ValueError: an output shape whose sides are not the latents' doubled once less than there are sizes.
        """
        check_sides(self, latents.shape[1:], output_shape)
        dtype, numbers = jnp.dtype(self.dtype), itertools.count()
        hidden = Conv(latents.shape[-1], 1, dtype=dtype, kernel_init=GLOROT, name="latents")(latents.astype(dtype))
        features = self.multipliers[-1] * self.channels
        hidden = Conv(features, 3, dtype=dtype, kernel_init=GLOROT, name="inputs")(hidden)
        hidden = middle(self, hidden, numbers, mode)
        for level, multiplier in reversed(list(enumerate(self.multipliers))):
            features = multiplier * self.channels
            for i in range(self.blocks + 1):
                hidden = residual(self, features, next(numbers), f"up_{level}_{i}")(hidden, mode)
                hidden = attended(self, hidden, f"up_{level}_{i}", always=False)
            if level > 0:
                hidden = UpsampleConv(features, 3, dtype=dtype, kernel_init=GLOROT, name=f"up_{level}")(hidden)
        last = Conv(output_shape[-1], 3, dtype=dtype, kernel_init=GLOROT, name="outputs")
        return last(GroupNorm(name="norm")(hidden)).astype(jnp.float32)


def residual(net: LatentEncoder | LatentDecoder, features: int, layer: int, name: str) -> PlainResidualBlock:
    """A residual block with the settings of the network, to be called inside a compact module."""
    return PlainResidualBlock(features, net.dropout, layer, net.dtype, name=name)


def attended(net: LatentEncoder | LatentDecoder, hidden: Images, name: str, *, always: bool) -> Outputs:
    """Maps after attention with one head, if the network has it at their height; inside a compact module."""
    if not always and hidden.shape[1] not in net.attention:
        return hidden
    return AttentionBlock(Style(dtype=net.dtype), name=f"{name}_attention")(hidden)


def middle(net: LatentEncoder | LatentDecoder, hidden: Images, numbers: itertools.count, mode: Mode) -> Outputs:
    """Block, attention, block of the smallest maps, to be called inside a compact module."""
    features = hidden.shape[-1]
    hidden = residual(net, features, next(numbers), "middle_0")(hidden, mode)
    hidden = attended(net, hidden, "middle_0", always=True)
    return residual(net, features, next(numbers), "middle_1")(hidden, mode)


def check_sides(net: LatentEncoder | LatentDecoder, small: Shape, large: Shape) -> None:
    """ValueError unless images become as small as the network makes them."""
    require(min(net.multipliers, default=0) >= 1, "multipliers", net.multipliers, "one or more above 0")
    require(min(net.channels, net.blocks) >= 1, "channels and blocks", (net.channels, net.blocks), "at least 1")
    rows, columns, _ = image_shape(small)
    height, width, _ = image_shape(large)
    num = len(net.multipliers) - 1
    fits = (rows << num, columns << num) == (height, width)
    require(
        fits, "shape of latents", small, f"the images' {height}x{width} halved {num} times, one a multiplier less one"
    )
    heights = tuple(height >> level for level in range(num + 1))
    require(
        set(net.attention) <= set(heights), "attention", net.attention, f"some of {heights}, the heights of the maps"
    )
