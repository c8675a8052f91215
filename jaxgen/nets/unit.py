"""Networks of UNIT: encoders and decoders of content, and a discriminator of several scales.

Liu, Breuel, Kautz: Unsupervised Image-to-Image Translation Networks, 2017, arXiv 1703.00848, in the form of the later
code of its authors, which MUNIT (arXiv 1804.04732) has too.

    ContentEncoder(blocks=4), ContentDecoder(blocks=4)     an image to its content, and back
    ResidualBlocks(1)                                      layers that two domains share
    MultiScaleDiscriminator(scales=3)                      a map of scores for each of three sizes of an image

Borders are reflected. Weights of encoders and decoders begin as N(0, 2 / fan-in), those of discriminators as
N(0, 0.02^2). Instance norms have neither scale nor offset.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution import upsample_nearest
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.cyclegan import reflected
from jaxgen.nets.initializers import HeNormal, to_flax
from jaxgen.nets.norm import Norm, normalize
from jaxgen.nets.pix2pix import NORMAL, SLOPE
from jaxgen.typing import Images, Points, Shape


class ContentEncoder(nn.Module):
    """An image to its content: halvings, then residual blocks."""

    channels: int = 64  # of the full size; doubled at each halving
    downs: int = 2  # halvings
    blocks: int = 4  # residual ones, at the smallest size
    norm: Norm = "instance"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to a map (batch, height / 2^downs, width / 2^downs, ...), float32.

        Raises:
            ValueError: another output shape than `()`, or sides that are no multiples of 2^downs.
        """
        require(output_shape == (), "output_shape", output_shape, "(): the map follows from the images")
        require_sides(inputs, self.downs)
        conv, norm = convolution(self.dtype), normalization(self.norm, mode)
        hidden = halvings(inputs.astype(self.dtype), conv, norm, [self.channels * 2**n for n in range(self.downs + 1)])
        for _ in range(self.blocks):
            hidden = residual(hidden, conv, (norm, norm))
        return hidden.astype(jnp.float32)


class ResidualBlocks(nn.Module):
    """Residual blocks between two maps of one shape: the last of an encoder, or the first of a decoder."""

    blocks: int = 1  # with 0 nothing changes
    norm: Norm = "instance"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: Points, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to a map of the same shape, float32."""
        require(output_shape == (), "output_shape", output_shape, "(): that of the inputs")
        conv, norm = convolution(self.dtype), normalization(self.norm, mode)
        hidden = inputs.astype(self.dtype)
        for _ in range(self.blocks):
            hidden = residual(hidden, conv, (norm, norm))
        return hidden.astype(jnp.float32)


class ContentDecoder(nn.Module):
    """A content to its image: residual blocks, then doublings."""

    ups: int = 2  # doublings; each halves the channels
    blocks: int = 4  # residual ones, at the smallest size
    norm: Norm = "instance"  # of the residual blocks; doublings have the layer norm `UnbiasedLayerNorm`
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: Points, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, rows, columns, channels) to (batch, *output_shape), float32 and without output activation.

        Raises:
            ValueError: an output shape whose sides are not 2^ups times the inputs', or channels that do not halve.
        """
        require_doublings(inputs, output_shape, self.ups)
        conv, norm = convolution(self.dtype), normalization(self.norm, mode)
        hidden = inputs.astype(self.dtype)
        for _ in range(self.blocks):
            hidden = residual(hidden, conv, (norm, norm))
        return doublings(hidden, conv, self.ups, output_shape[2])


class MultiScaleDiscriminator(nn.Module):
    """Scores of patches of an image, of its half, of its quarter: a network for each size."""

    channels: int = 64  # of the first map; doubled at each halving
    layers: int = 4  # halvings
    scales: int = 3  # sizes of the image
    norm: Norm = "none"  # of all maps but the first
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> tuple[jax.Array, ...]:
        """(batch, height, width, channels) to a map (batch, rows, columns) for each scale, float32.

        Raises:
            ValueError: another output shape than `()`, or images too small for the last scale.
        """
        require(output_shape == (), "output_shape", output_shape, "(): the maps of scores follow from the images")
        require(self.layers >= 1 and self.scales >= 1, "layers, scales", (self.layers, self.scales), "at least 1")
        multiple = 2 ** (self.layers + self.scales - 1)
        height, width = images.shape[1:3]
        fits = height % multiple == width % multiple == 0
        require(fits, "size of the images", f"{height}x{width}", f"a multiple of {multiple}x{multiple}")
        norm = normalization(self.norm, mode)
        conv = functools.partial(Conv, padding="VALID", dtype=jnp.dtype(self.dtype), kernel_init=NORMAL)
        scores = []
        for scale in range(self.scales):
            hidden = images.astype(self.dtype)
            for level in range(self.layers):
                hidden = conv(self.channels * 2**level, 4, strides=2)(reflected(hidden, 1))
                hidden = nn.leaky_relu(norm(hidden) if level else hidden, SLOPE)
            scores.append(conv(1, 1)(hidden)[..., 0].astype(jnp.float32))
            images = half(images) if scale < self.scales - 1 else images
        return tuple(scores)


class UnbiasedLayerNorm(nn.Module):
    """(x - mean) / (s + 1e-5), with a scale that begins as U(0, 1) and an offset, in float32.

    Mean and s are over all places and channels of an example, s^2 being the unbiased variance.
    """

    @nn.compact
    def __call__(self, inputs: Images) -> jax.Array:
        """(batch, height, width, channels) to the same shape."""
        whole, channels = inputs.astype(jnp.float32), inputs.shape[-1:]
        centred = whole - whole.mean(axis=(1, 2, 3), keepdims=True)
        num = max(2, math.prod(inputs.shape[1:]))
        variance = (centred**2).sum(axis=(1, 2, 3), keepdims=True) / (num - 1)
        zero = variance == 0  # where a root has no slope; a NaN stays NaN
        deviation = jnp.where(zero, 0.0, jnp.sqrt(jnp.where(zero, 1.0, variance)))
        scale = self.param("scale", nn.initializers.uniform(1.0), channels, jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, channels, jnp.float32)
        normal = centred / (deviation + 1e-5)
        return (normal * scale[None, None, None] + bias[None, None, None]).astype(inputs.dtype)


def convolution(dtype: str) -> Callable[..., Any]:
    """A layer of `features, kernel_size`, to be given maps with their borders."""
    return functools.partial(Conv, padding="VALID", dtype=jnp.dtype(dtype), kernel_init=to_flax(HeNormal()))


def normalization(norm: Norm, mode: Mode) -> Callable[[jax.Array], jax.Array]:
    """A norm of maps, without scale and offset where it is of each image."""
    return lambda hidden: normalize(hidden, norm, mode, affine=norm != "instance")


def halvings(
    images: jax.Array, conv: Callable[..., Any], norm: Callable[[jax.Array], jax.Array], widths: list[int]
) -> jax.Array:
    """A 7x7 convolution to the first width, then one of stride 2 to each other; a norm and a ReLU behind each."""
    hidden = nn.relu(norm(conv(widths[0], 7)(reflected(images, 3))))
    for width in widths[1:]:
        hidden = nn.relu(norm(conv(width, 4, strides=2)(reflected(hidden, 1))))
    return hidden


def residual(
    hidden: jax.Array, conv: Callable[..., Any], norms: tuple[Callable[[jax.Array], jax.Array], ...]
) -> jax.Array:
    """x + norm(conv(relu(norm(conv(x))))), with 3x3 kernels."""
    first, second = norms
    branch = nn.relu(first(conv(hidden.shape[-1], 3)(reflected(hidden, 1))))
    return hidden + second(conv(hidden.shape[-1], 3)(reflected(branch, 1)))


def doublings(hidden: jax.Array, conv: Callable[..., Any], num: int, channels: int) -> jax.Array:
    """Each of `num` doubles the size and halves the channels; a 7x7 convolution makes the image of the last map."""
    for _ in range(num):
        hidden = reflected(upsample_nearest(hidden), 2)
        hidden = nn.relu(UnbiasedLayerNorm()(conv(hidden.shape[-1] // 2, 5)(hidden)))
    return conv(channels, 7)(reflected(hidden, 3)).astype(jnp.float32)


def half(images: jax.Array) -> jax.Array:
    """Means of 3x3 pixels at every second place; those at the border are of the pixels that there are."""
    border: Any = ((1, 1), (1, 1))
    return nn.avg_pool(images, (3, 3), (2, 2), border, count_include_pad=False)


def require_sides(inputs: Images, downs: int) -> None:
    """ValueError unless both sides can be halved so often, and be reflected at the smallest size."""
    height, width = inputs.shape[1:3]
    multiple, least = 2**downs, max(4, 2 * 2**downs)
    fits = height % multiple == width % multiple == 0 and min(height, width) >= least
    wanted = f"a multiple of {multiple}x{multiple}, at least {least}x{least}, for {downs} halvings"
    require(fits, "size of the images", f"{height}x{width}", wanted)


def require_doublings(inputs: Points, output_shape: Shape, ups: int) -> None:
    """ValueError unless so many doublings of the map give the output's sides, and halvings of its channels a width."""
    rows, columns, channels = inputs.shape[1:]
    sides = rows * 2**ups, columns * 2**ups
    require(output_shape[:2] == sides, "output_shape", output_shape, f"{sides[0]}x{sides[1]} after {ups} doublings")
    require(channels % 2**ups == 0, "channels of the content", channels, f"a multiple of {2**ups}")
