"""U-Net and PatchGAN of pix2pix.

Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks, 2016, arXiv 1611.07004,
section 6.1 and the authors' code.

    UNetTranslator(downs=8), UNetTranslator(downs=7)    256x256 and 128x128 pixels or more
    PatchDiscriminator(layers=3)                        patches of 70x70; of 16x16 with 1, of 286x286 with 5
    PixelDiscriminator()                                each pixel by itself

Convolutions that a batch norm follows have no bias, nor have the first and the innermost ones beside them. All weights
begin as N(0, 0.02^2), those of batch norms as N(1, 0.02^2) in the authors' code and as 1 here.
"""

import functools
from collections.abc import Callable
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.dropout import dropout
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Images, Points, Shape

NORMAL = nn.initializers.normal(0.02)
ONE = ((1, 1), (1, 1))
"""Padding by one row and column on each side."""

SLOPE = 0.2
"""Of the leaky ReLU on the way down, and in the discriminators."""


class UNetTranslator(nn.Module):
    """Halvings down to the smallest map, doublings back up, each joined by the map of its size on the way down.

    On the way up the maps that lie between the innermost one and the four largest ones have dropout, the only noise.
    """

    channels: int = 64  # of the largest map inside; doubled at each halving, up to eight times as many
    downs: int = 8  # halvings
    rate: float = 0.5  # of dropout
    norm: Norm = "batch"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: Points, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32 and without output activation.

        Raises:
            ValueError: sides that are no multiples of 2^downs, or other sides of the outputs than of the inputs.
        """
        return u_net(self, inputs, output_shape, mode, lambda maps: maps)


def u_net(
    net: Any, inputs: Points, output_shape: Shape, mode: Mode, joined: Callable[[jax.Array], jax.Array]
) -> jax.Array:
    """The pass of a U-Net, to be called inside a compact module.

    Args:
        net: has `channels`, `downs`, `rate`, `norm` and `dtype` as `UNetTranslator`.
        inputs: (batch, height, width, channels).
        output_shape: of an image.
        mode: of the pass.
        joined: makes of maps what each convolution on the way down takes.
    """
    require_sides(inputs, output_shape, net.downs)
    require(net.channels >= 1, "channels", net.channels, "at least 1")
    dtype, affine = jnp.dtype(net.dtype), net.norm != "instance"
    use_bias = net.norm != "batch"  # a batch norm takes it away
    down = functools.partial(Conv, kernel_size=4, strides=2, use_bias=use_bias, dtype=dtype, kernel_init=NORMAL)
    up = functools.partial(ConvTranspose, kernel_size=4, strides=2, dtype=dtype, kernel_init=NORMAL)
    widths = [net.channels * min(2**level, 8) for level in range(net.downs)]
    maps = [down(widths[0])(joined(inputs.astype(dtype)))]
    for level, width in enumerate(widths[1:], 1):
        hidden = down(width)(nn.leaky_relu(joined(maps[-1]), SLOPE))
        maps.append(hidden if level == net.downs - 1 else normalize(hidden, net.norm, mode, affine=affine))
    hidden = maps.pop()
    for level in reversed(range(1, net.downs)):
        hidden = up(widths[level - 1], use_bias=use_bias)(nn.relu(hidden))
        hidden = normalize(hidden, net.norm, mode, affine=affine)
        if 4 <= level < net.downs - 1:
            hidden = dropout(hidden, net.rate, mode, level)
        hidden = jnp.concatenate([maps.pop(), hidden], axis=3)
    return up(output_shape[2])(nn.relu(hidden)).astype(jnp.float32)


class PatchDiscriminator(nn.Module):
    """A score for each patch: a map of scores, each of the patch of the images around its place."""

    channels: int = 64  # of the first map; doubled at each halving, up to eight times as many
    layers: int = 3  # halvings
    norm: Norm = "batch"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, rows, columns), float32.

        Raises:
            ValueError: another output shape than `()`, or images too small for one patch.
        """
        require(output_shape == (), "output_shape", output_shape, "(): the map of scores follows from the images")
        require(self.layers >= 1, "layers", self.layers, "at least 1")
        least = 3 * 2**self.layers
        side = min(images.shape[1:3])
        require(side >= least, "sides of the images", images.shape[1:3], f"at least {least} for {self.layers} layers")
        conv = functools.partial(Conv, kernel_size=4, padding=ONE, dtype=jnp.dtype(self.dtype), kernel_init=NORMAL)
        hidden = nn.leaky_relu(conv(self.channels, strides=2)(images.astype(self.dtype)), SLOPE)
        for level in range(1, self.layers + 1):
            width, strides = self.channels * min(2**level, 8), 2 if level < self.layers else 1
            hidden = conv(width, strides=strides, use_bias=self.norm != "batch")(hidden)
            hidden = nn.leaky_relu(normalize(hidden, self.norm, mode, affine=self.norm != "instance"), SLOPE)
        return conv(1)(hidden)[..., 0].astype(jnp.float32)


class PixelDiscriminator(nn.Module):
    """A score for each pixel, of its channels alone: 1x1 convolutions."""

    channels: int = 64
    norm: Norm = "batch"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, height, width), float32. ValueError for another output shape."""
        require(output_shape == (), "output_shape", output_shape, "(): one score for each pixel")
        conv = functools.partial(Conv, kernel_size=1, dtype=jnp.dtype(self.dtype), kernel_init=NORMAL)
        hidden = nn.leaky_relu(conv(self.channels)(images.astype(self.dtype)), SLOPE)
        hidden = normalize(
            conv(2 * self.channels, use_bias=self.norm != "batch")(hidden),
            self.norm,
            mode,
            affine=self.norm != "instance",
        )
        return conv(1, use_bias=self.norm != "batch")(nn.leaky_relu(hidden, SLOPE))[..., 0].astype(jnp.float32)


def require_sides(inputs: Points, output_shape: Shape, downs: int) -> None:
    """ValueError unless images can be halved `downs` times, 2 at least, and the outputs have their sides."""
    require(downs >= 2, "downs", downs, "at least 2")
    (height, width), multiple = inputs.shape[1:3], 2**downs
    fits = height % multiple == width % multiple == 0
    require(
        fits, "size of the inputs", f"{height}x{width}", f"a multiple of {multiple}x{multiple} for {downs} halvings"
    )
    require(output_shape[:2] == (height, width), "output_shape", output_shape, f"{height}x{width} as the inputs are")
