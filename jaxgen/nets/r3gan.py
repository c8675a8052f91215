"""Residual generator and discriminator of R3GAN, which mirror each other.

Huang, Gokaslan, Kuleshov, Tompkin: The GAN is dead; long live the GAN! A Modern Baseline GAN, 2024, arXiv 2501.05441,
section 4 and the authors' code.

No normalisation and no attention. A block is an inverted bottleneck around a convolution in groups,

    x + W_3 a(W_2 a(W_1 x)),    a(h) = leaky ReLU(h + b),

whose last weights begin at 0, so that the fresh generator is linear in [z; embedding] and the fresh discriminator in x.

    R3GANGenerator(), R3GANDiscriminator()                                        32x32: CIFAR-10
    channels (768, 768, 768, 768, 384), groups (96, 96, 96, 96, 48)               64x64: FFHQ
    channels (768, 768, 768, 768, 384, 192, 96), groups (96,) * 4 + (48, 24, 12)  256x256: FFHQ
    channels (1536,) * 4 or (1536,) * 5, groups (96,) * 4 or (96,) * 5            32x32 or 64x64: ImageNet

`InnerCondition` of `jaxgen.nets.conditioning` gives them a class, one-hot. The smallest map follows from the image's
shape and the number of widths: 4x4 for 32x32 and four, 7x7 for 28x28 and three.
"""

import functools
import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.typing import Initializer as Function

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.image_shapes import halved
from jaxgen.nets.resampling import downsample, upsample
from jaxgen.typing import Shape

EXPANSION = 2
"""Widths inside a block over that of the block."""


class InvertedBottleneck(nn.Module):
    """x + W_3 a(W_2 a(W_1 x)): 1x1 to twice the width, 3x3 in groups, 1x1 back, whose weights begin at 0."""

    groups: int  # cardinality of the 3x3 convolution
    gain: float  # of the first two layers' weights
    negative_slope: float = 0.2
    dtype: Literal["float32", "bfloat16"] = "float32"

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        """(batch, height, width, channels) to the same shape."""
        dtype, channels = jnp.dtype(self.dtype), inputs.shape[-1]
        activate = functools.partial(nn.leaky_relu, negative_slope=self.negative_slope)
        conv = functools.partial(Conv, EXPANSION * channels, dtype=dtype, kernel_init=_normal(self.gain))
        hidden = activate(conv(1)(inputs))
        hidden = activate(conv(3, feature_groups=self.groups)(hidden))
        return inputs + Conv(channels, 1, use_bias=False, dtype=dtype, kernel_init=nn.initializers.zeros)(hidden)


class R3GANGenerator(nn.Module):
    """A learned smallest map times a linear map of [z; embedding], blocks, and a doubling for each further width."""

    channels: tuple[int, ...] = (768, 768, 768, 768)  # of each map, the smallest first
    groups: tuple[int, ...] = (96, 96, 96, 96)  # cardinality of the blocks of each map
    blocks: int = 2  # of each map
    embedding: int = 64  # numbers that stand for the class
    negative_slope: float = 0.2  # of the leaky ReLU
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(
        self, latents: jax.Array, output_shape: Shape, *, condition: jax.Array | None = None, mode: Mode = EVALUATION
    ) -> jax.Array:
        """(batch, latent) and perhaps (batch, classes) to (batch, *output_shape), float32, without activation."""
        height, width, image_channels = halved(output_shape, len(self.channels) - 1)
        _require_widths(self)
        require(self.embedding >= 1, "embedding", self.embedding, "at least 1")
        dtype = jnp.dtype(self.dtype)
        if condition is not None:
            embed = nn.Dense(self.embedding, use_bias=False, dtype=dtype, kernel_init=_normal(), name="embed")
            latents = jnp.concatenate([latents.astype(dtype), embed(condition.astype(dtype))], axis=1)
        dense = nn.Dense(self.channels[0], use_bias=False, dtype=dtype, kernel_init=_normal())
        basis = self.param("basis", nn.initializers.normal(1.0), (height, width, self.channels[0]))
        hidden = basis.astype(dtype)[None] * dense(latents.astype(dtype))[:, None, None, :]
        for number, (channels, groups) in enumerate(zip(self.channels, self.groups, strict=True)):
            if number:
                hidden = upsample(_project(hidden, channels, dtype))
            hidden = _blocks(self, hidden, groups)
        return _linear(image_channels, dtype)(hidden).astype(jnp.float32)


class R3GANDiscriminator(nn.Module):
    """Blocks, and a halving for each further width, down to the smallest map, and a weighted sum over its places.

    With a class the score is the product of a vector of the image and one of the class.
    """

    channels: tuple[int, ...] = (768, 768, 768, 768)  # of each map, the smallest first
    groups: tuple[int, ...] = (96, 96, 96, 96)  # cardinality of the blocks of each map
    blocks: int = 2  # of each map
    negative_slope: float = 0.2  # of the leaky ReLU
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(
        self,
        images: jax.Array,
        output_shape: Shape = (),
        *,
        condition: jax.Array | None = None,
        mode: Mode = EVALUATION,
    ) -> jax.Array:
        """(batch, height, width, channels) and perhaps (batch, classes) to (batch, *output_shape), float32."""
        halved(images.shape[1:], len(self.channels) - 1)
        _require_widths(self)
        dtype = jnp.dtype(self.dtype)
        hidden = _linear(self.channels[-1], dtype)(images.astype(dtype))
        for number, (channels, groups) in enumerate(zip(self.channels[::-1], self.groups[::-1], strict=True)):
            if number:
                hidden = _project(downsample(hidden), channels, dtype)
            hidden = _blocks(self, hidden, groups)
        _, height, width, channels = hidden.shape
        basis = self.param("basis", nn.initializers.normal(1 / math.sqrt(height * width)), (height, width, channels))
        hidden = jnp.einsum("bhwc,hwc->bc", hidden, basis.astype(dtype))
        dense = functools.partial(nn.Dense, use_bias=False, dtype=dtype)
        if condition is None:
            outputs = dense(math.prod(output_shape), kernel_init=_normal())(hidden).astype(jnp.float32)
            return outputs.reshape(images.shape[0], *output_shape)
        require(output_shape == (), "output_shape", output_shape, "() where there is a class")
        embed = dense(channels, kernel_init=_normal(1 / math.sqrt(channels)), name="embed")
        vectors = dense(channels, kernel_init=_normal())(hidden), embed(condition.astype(dtype))
        return jnp.einsum("bc,bc->b", *vectors).astype(jnp.float32)


def _blocks(net: R3GANGenerator | R3GANDiscriminator, hidden: jax.Array, groups: int) -> jax.Array:
    """The blocks of one map; with L blocks in the network the gain of each is that of the activation times L^(-1/4)."""
    num = net.blocks * len(net.channels)
    gain = math.sqrt(2 / (1 + net.negative_slope**2)) * num ** (-1 / 4)
    for _ in range(net.blocks):
        hidden = InvertedBottleneck(groups, gain, net.negative_slope, net.dtype)(hidden)
    return hidden


def _project(hidden: jax.Array, channels: int, dtype: jnp.dtype) -> jax.Array:
    """A 1x1 convolution, where the width changes."""
    return hidden if hidden.shape[-1] == channels else _linear(channels, dtype)(hidden)


def _linear(channels: int, dtype: jnp.dtype) -> Conv:
    return Conv(channels, 1, use_bias=False, dtype=dtype, kernel_init=_normal())


def _normal(gain: float = 1.0) -> Function:
    """N(0, gain^2 / inputs)."""
    return nn.initializers.variance_scaling(gain**2, "fan_in", "normal")


def _require_widths(net: R3GANGenerator | R3GANDiscriminator) -> None:
    require(min(net.channels, default=0) >= 1, "channels", net.channels, "one or more positive widths")
    num = len(net.channels)
    require(len(net.groups) == num, "groups", net.groups, f"as many as the {num} widths")
    require(net.blocks >= 1, "blocks", net.blocks, "at least 1")
