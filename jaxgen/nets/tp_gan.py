"""Networks of TP-GAN: a global pathway from a turned face to a frontal one, one of its parts, and a discriminator.

Huang, Zhang, Li, He: Beyond Face Rotation: Global and Local Perception GAN for Photorealistic and Identity Preserving
Frontal View Synthesis, 2017, arXiv 1704.04086, and the authors' code.

    GlobalPathway()          128x128 pixels, or other sides that halve four times
    LocalPathway()           a part of a face: 40x40, 32x40, 32x48
    CoarseDiscriminator()    a score for each quarter of an image; side=4 is the authors' code
    IdentityHead()           who a code shows

Residual blocks are as wide as what they take. Convolutions that a batch norm follows have no bias. All weights begin as
N(0, 0.02^2) and biases as 0, where the authors' dense layers begin with biases of 0.1. What passes on to a larger size
is enlarged by repetition, in the code by bilinear interpolation.
"""

import functools
from typing import Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution import mean_pool, upsample_nearest
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.dropout import dropout
from jaxgen.nets.image_shapes import halved
from jaxgen.nets.maxout import largest_piece
from jaxgen.nets.norm import Norm, normalize
from jaxgen.nets.pix2pix import NORMAL, SLOPE
from jaxgen.typing import Images, Latents, Points, Shape

HALVINGS = 4
"""Of the images of the global pathway."""

LEAST = 8
"""Channels of the global pathway are a multiple of it: its narrowest map has an eighth of them."""


class Synthesis(NamedTuple):
    """What the global pathway makes of a turned face; images without output activation."""

    images: tuple[jax.Array, jax.Array, jax.Array]  # of full size, half of it and a quarter
    code: jax.Array  # (batch, numbers), of who it is


class Rotated(NamedTuple):
    """What the local pathway makes of a part of a turned face."""

    maps: jax.Array  # (batch, height, width, channels)
    image: jax.Array  # the part as it is to be, without output activation


class GlobalPathway(nn.Module):
    """Four halvings of the image beside its mirror image, a code, four doublings joined by the maps of their size.

    The outputs of a quarter and half of the size go through a tanh and on to the next size.
    """

    channels: int = 64  # of the two largest maps; doubled from the second halving on
    code: int = 256  # numbers of the code, each the larger of two
    kernels: tuple[int, int] = (7, 5)  # at full and at half the size, below 3
    norm: Norm = "batch"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(
        self, images: Images, noise: Latents, parts: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> Synthesis:
        """Turned faces, z, and the fused maps of their parts to frontal faces and codes, float32.

        Args:
            images: (batch, height, width, channels).
            noise: (batch, numbers).
            parts: (batch, height, width, channels), of the size of the images.
            output_shape: of an image.
            mode: of the pass.

        Raises:
            ValueError: sides that do not halve four times, other sides of the outputs or parts than of the inputs, or
                a number of channels that is no multiple of 8.
        """
        halved(images.shape[1:], HALVINGS)
        sides = images.shape[1:3]
        require(output_shape[:2] == sides, "output_shape", output_shape, f"{sides[0]}x{sides[1]} as the inputs are")
        require(parts.shape[1:3] == sides, "sides of the parts", parts.shape[1:3], f"{sides}, as of the inputs")
        fits = self.channels >= LEAST and self.channels % LEAST == 0
        require(fits, "channels", self.channels, f"a multiple of {LEAST}")
        dtype = jnp.dtype(self.dtype)
        both = jnp.concatenate([images, images[:, :, ::-1]], axis=3).astype(dtype)
        maps = _encoded(self, both, mode)
        flat = maps[-1].reshape(images.shape[0], -1)
        code = largest_piece(nn.Dense(2 * self.code, dtype=dtype, kernel_init=NORMAL)(flat), 2)
        start = _side_branch(self, jnp.concatenate([code, noise.astype(dtype)], axis=1), maps[-1].shape)
        outputs = _decoded(self, _Given(both, maps, start, parts.astype(dtype)), output_shape[2], mode)
        return Synthesis(outputs, code.astype(jnp.float32))


def _encoded(net: GlobalPathway, both: jax.Array, mode: Mode) -> list[jax.Array]:
    """Maps of each size, the largest first; called inside a compact module, as the two functions below."""
    conv = functools.partial(Conv, strides=2, use_bias=net.norm != "batch", dtype=both.dtype, kernel_init=NORMAL)
    hidden = nn.leaky_relu(Conv(net.channels, net.kernels[0], dtype=both.dtype, kernel_init=NORMAL)(both), SLOPE)
    maps = [_block(hidden, net.kernels[0], net.norm, mode)]
    for level, kernel in enumerate((net.kernels[1], 3, 3, 3)):
        hidden = nn.leaky_relu(normalize(conv(net.channels << level, kernel)(maps[-1]), net.norm, mode), SLOPE)
        maps.append(_block(hidden, kernel, net.norm, mode))
    for _ in range(3):
        maps[-1] = _block(maps[-1], 3, net.norm, mode)
    return maps


def _side_branch(net: GlobalPathway, code: jax.Array, smallest: Shape) -> list[jax.Array]:
    """Maps of code and noise alone, of the smallest size, and of a quarter, half and all of the full one."""
    grow = functools.partial(ConvTranspose, kernel_size=3, dtype=code.dtype, kernel_init=NORMAL)
    _, rows, columns, _ = smallest
    dense = nn.Dense(rows * columns * net.channels, dtype=code.dtype, kernel_init=NORMAL)
    found = [nn.relu(dense(code)).reshape(-1, rows, columns, net.channels)]
    for halvings, strides in ((1, 4), (2, 2), (3, 2)):
        found.append(nn.relu(grow(net.channels >> halvings, strides=strides)(found[-1])))
    return found


class _Given(NamedTuple):
    """What the doublings are joined by."""

    both: jax.Array  # the image and its mirror image
    maps: list[jax.Array]  # of the halvings, the largest first
    start: list[jax.Array]  # of the side branch, the smallest first
    parts: jax.Array


def _decoded(net: GlobalPathway, given: _Given, channels: int, mode: Mode) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The outputs of full size, half of it and a quarter."""
    both, maps, start, parts = given
    conv = functools.partial(Conv, dtype=both.dtype, kernel_init=NORMAL)

    def block(hidden: list[jax.Array], *kernels: int) -> jax.Array:
        joined = jnp.concatenate(hidden, axis=3)
        for kernel in kernels:
            joined = _block(joined, kernel, net.norm, mode)
        return joined

    def activate(hidden: jax.Array, features: int, kernel: int) -> jax.Array:
        layer = conv(features, kernel, use_bias=net.norm != "batch")
        return nn.leaky_relu(normalize(layer(hidden), net.norm, mode), SLOPE)

    def doubled(hidden: jax.Array, level: int) -> jax.Array:
        width, use_bias = net.channels << level, net.norm != "batch"
        grow = ConvTranspose(width, 3, use_bias=use_bias, dtype=both.dtype, kernel_init=NORMAL)
        return nn.relu(normalize(grow(hidden), net.norm, mode))

    def passed_on(output: jax.Array) -> jax.Array:
        return upsample_nearest(jnp.tanh(output))

    large, middle = net.kernels
    hidden = block([start[0], maps[4]], 2, 2, 2)
    hidden = block([doubled(hidden, 3), block([maps[3]], 3)], 3, 3)
    chosen = block([maps[2], mean_pool(both, 4), start[1]], 3)
    hidden = block([doubled(hidden, 2), chosen], 3, 3)
    quarter = conv(channels)(hidden)
    chosen = block([maps[1], mean_pool(both, 2), start[2]], middle)
    hidden = block([doubled(hidden, 1), chosen, passed_on(quarter)], 3, 3)
    half = conv(channels)(hidden)
    chosen = block([maps[0], both, start[3]], large)
    hidden = block([doubled(hidden, 0), chosen, parts, passed_on(half)], middle)
    hidden = block([activate(hidden, net.channels, middle)], 3)
    full = conv(channels)(activate(hidden, net.channels // 2, 3))
    full, half, quarter = (output.astype(jnp.float32) for output in (full, half, quarter))
    return full, half, quarter


class LocalPathway(nn.Module):
    """A U-Net of a part of a face: halvings and as many doublings, a residual block at each size."""

    channels: int = 64  # of the largest map; doubled at each halving
    downs: int = 3  # halvings
    norm: Norm = "batch"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> Rotated:
        """(batch, height, width, channels) to maps and images of that size, float32.

        Raises:
            ValueError: sides that do not halve so often, or other sides of the outputs than of the inputs.
        """
        require(min(self.channels, self.downs) >= 1, "channels, downs", (self.channels, self.downs), "at least 1")
        halved(images.shape[1:], self.downs)
        sides = images.shape[1:3]
        require(output_shape[:2] == sides, "output_shape", output_shape, f"{sides[0]}x{sides[1]} as the inputs are")
        dtype = jnp.dtype(self.dtype)
        conv = functools.partial(Conv, dtype=dtype, kernel_init=NORMAL)
        inner = functools.partial(conv, use_bias=self.norm != "batch")
        grow = functools.partial(
            ConvTranspose, kernel_size=3, use_bias=self.norm != "batch", dtype=dtype, kernel_init=NORMAL
        )

        def activate(hidden: jax.Array) -> jax.Array:
            return nn.leaky_relu(normalize(hidden, self.norm, mode), SLOPE)

        hidden = nn.leaky_relu(conv(self.channels)(images.astype(dtype)), SLOPE)
        maps = [_block(hidden, 3, self.norm, mode)]
        for level in range(1, self.downs + 1):
            hidden = activate(inner(self.channels << level, strides=2)(maps[-1]))
            maps.append(_block(hidden, 3, self.norm, mode))
        hidden = _block(maps.pop(), 3, self.norm, mode)
        for level in reversed(range(self.downs)):
            width = self.channels << level
            joined = jnp.concatenate([activate(grow(width)(hidden)), maps.pop()], axis=3)
            hidden = _block(activate(inner(width)(joined)), 3, self.norm, mode)
        return Rotated(hidden.astype(jnp.float32), conv(output_shape[2])(hidden).astype(jnp.float32))


class CoarseDiscriminator(nn.Module):
    """Halvings down to a small map, residual blocks at the last two sizes, a score for each place of the map."""

    channels: int = 64  # of the first map; doubled at each halving, up to eight times as many
    side: int = 2  # shorter side of the map of scores
    norm: Norm = "batch"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, rows, columns), float32.

        Raises:
            ValueError: another output shape than `()`, or a shorter side that is not `side` times 4, 8, 16, ...
        """
        require(output_shape == (), "output_shape", output_shape, "(): the map of scores follows from the images")
        require(min(self.channels, self.side) >= 1, "channels, side", (self.channels, self.side), "at least 1")
        shorter = min(images.shape[1:3])
        num = max((shorter // self.side).bit_length() - 1, 0)
        require(shorter == self.side << num and num >= 2, "shorter side", shorter, f"{self.side} times 4, 8, 16, ...")
        halved(images.shape[1:], num)
        conv = functools.partial(Conv, kernel_size=3, strides=2, dtype=jnp.dtype(self.dtype), kernel_init=NORMAL)
        hidden = nn.leaky_relu(conv(self.channels)(images.astype(self.dtype)), SLOPE)
        for level in range(1, num):
            hidden = conv(self.channels * min(2**level, 8), use_bias=self.norm != "batch")(hidden)
            hidden = nn.leaky_relu(normalize(hidden, self.norm, mode), SLOPE)
            if level >= num - 2:
                hidden = _block(hidden, 3, self.norm, mode)
        return conv(1, kernel_size=1, strides=1)(hidden)[..., 0].astype(jnp.float32)


class IdentityHead(nn.Module):
    """Dropout and one dense layer."""

    rate: float = 0.7  # of dropout
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, codes: Points, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, numbers) to logits, (batch, *output_shape), float32. ValueError for another shape than (classes,)."""
        require(len(output_shape) == 1, "output_shape", output_shape, "(classes,)")
        dtype = jnp.dtype(self.dtype)
        hidden = dropout(codes.astype(dtype), self.rate, mode, 0)
        return nn.Dense(output_shape[0], dtype=dtype, kernel_init=NORMAL)(hidden).astype(jnp.float32)


def _block(hidden: jax.Array, kernel_size: int, norm: Norm, mode: Mode) -> jax.Array:
    """x + f(x), then a leaky ReLU; f has two convolutions as wide as x. Called inside a compact module."""
    width, use_bias = hidden.shape[3], norm != "batch"
    conv = functools.partial(Conv, width, kernel_size, use_bias=use_bias, dtype=hidden.dtype, kernel_init=NORMAL)
    branch = nn.leaky_relu(normalize(conv()(hidden), norm, mode), SLOPE)
    return nn.leaky_relu(hidden + normalize(conv()(branch), norm, mode), SLOPE)
