"""Synthesis network and discriminator of StyleGAN 2.

Karras et al.: Analyzing and Improving the Image Quality of StyleGAN, 2019, arXiv 1912.04958; with classes, and without
skips for CIFAR-10: Karras et al.: Training Generative Adversarial Networks with Limited Data, 2020, arXiv 2006.06676.

A map of side r has min(channel_base / r, channel_max) channels. The maps double from the smallest, 4x4 for images whose
side is a power of two and 7x7 for 28x28, to the image's size. Weights are equalised, and every activation is
a(h) = sqrt(2) leaky ReLU(h).

    StyleGAN2Synthesis(), StyleGAN2Discriminator()                     configuration F, 1024x1024
    channel_base=16384                                                 configuration E, and 256x256
    StyleGAN2Discriminator(residual=False, group=32)                   CIFAR-10, with a mapping of 2 layers
"""

import functools
import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.equalized import EqualizedConv, EqualizedDense
from jaxgen.nets.hook_point import Features, HookPoint
from jaxgen.nets.image_shapes import image_shape
from jaxgen.nets.mapping import SLOPE, Mapping
from jaxgen.nets.minibatch_stddev import append_stddev
from jaxgen.nets.modulated import Form, ModulatedConv
from jaxgen.nets.noise_maps import STRENGTH, map_of
from jaxgen.nets.resampling import downsample, smooth, upsample
from jaxgen.typing import Images, Shape

SMALLEST = 4
"""Least side of the smallest map."""


class StyledLayer(nn.Module):
    """a(modulated convolution + strength * noise + bias), the strength one number that begins at 0."""

    features: int
    number: int  # of the layer, for its noise
    up: bool = False  # doubles both sides
    clamp: float | None = None  # largest size of an output
    form: Form = "scaled"
    dtype: Literal["float32", "bfloat16"] = "float32"

    @nn.compact
    def __call__(self, images: Images, w: jax.Array, mode: Mode = EVALUATION) -> Outputs:
        """(batch, height, width, channels) and w, (batch, styles), to (batch, ..., features)."""
        hidden = ModulatedConv(self.features, up=self.up, form=self.form, dtype=self.dtype)(images, w)
        strength = self.param(STRENGTH, nn.initializers.zeros, ())
        noise = strength * map_of(self, hidden.shape[1:3], hidden.shape[0], self.number, mode)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        hidden = hidden + noise.astype(hidden.dtype) + bias.astype(hidden.dtype)[None, None, None]
        return activate(hidden, self.clamp)


class StyleGAN2Synthesis(nn.Module):
    """A learned smallest map, styled layers, and from each map an image that is added to the doubled one before.

    Of the styles the layer of the smallest map takes the first and its image the second; each further map's two layers
    and image take three, the first of which is that of the image before.
    """

    channel_base: int = 32768
    channel_max: int = 512
    clamp: float | None = None  # largest size of each layer's outputs: 256 for bfloat16
    form: Form = "scaled"  # of the modulated convolutions
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.nowrap
    def num_styles(self, output_shape: Shape) -> int:
        """Two for each size of the maps."""
        return 2 * len(map_sizes(output_shape))

    @nn.compact
    def __call__(self, ws: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> Images:
        """(batch, num_styles, features) to (batch, *output_shape), float32, without bounds.

        Hook point i comes after all that style i changes, its image included.
        """
        sizes = map_sizes(output_shape)
        wanted = (ws.shape[0], 2 * len(sizes), ws.shape[-1])
        require(ws.shape == wanted, "shape of the styles", ws.shape, f"{wanted}")
        channels = [_width(self, size) for size in sizes]
        layer = functools.partial(StyledLayer, clamp=self.clamp, form=self.form, dtype=self.dtype)
        constant = self.param("constant", nn.initializers.normal(1.0), (*sizes[0], channels[0]))
        hidden = jnp.broadcast_to(constant.astype(jnp.dtype(self.dtype)), (ws.shape[0], *constant.shape))
        hidden = layer(channels[0], 0)(hidden, ws[:, 0], mode)
        hidden, _ = HookPoint(0)(Features(hidden, None))
        image = self._image(hidden, ws[:, 1], sizes[0], output_shape[-1])
        for number, width in enumerate(channels[1:], 1):
            hidden = layer(width, 2 * number - 1, up=True)(hidden, ws[:, 2 * number - 1], mode)
            hidden, image = HookPoint(2 * number - 1)(Features(hidden, upsample(image)))
            hidden = layer(width, 2 * number)(hidden, ws[:, 2 * number], mode)
            hidden, image = HookPoint(2 * number)(Features(hidden, image))
            image = image + self._image(hidden, ws[:, 2 * number + 1], sizes[number], output_shape[-1])
        return HookPoint(2 * len(sizes) - 1)(Features(hidden, image)).image

    def _image(self, hidden: jax.Array, w: jax.Array, size: tuple[int, int], channels: int) -> Images:
        """1x1, modulated without demodulation, and a bias; named by the height of maps that no hook has changed."""
        conv = ModulatedConv(channels, 1, demodulate=False, form=self.form, dtype=self.dtype, name=f"image_{size[0]}")
        bias = self.param(f"bias_{size[0]}", nn.initializers.zeros, (channels,))
        return clamped(conv(hidden, w).astype(jnp.float32) + bias[None, None, None], self.clamp)


class StyleGAN2Discriminator(nn.Module):
    """Blocks of two convolutions, the second of stride 2, down to the smallest map, and two dense layers.

    With a class the score is the product of a vector of the image and one of the class, over the root of their length.
    """

    channel_base: int = 32768
    channel_max: int = 512
    residual: bool = True  # whether a block is (main + skip) / sqrt(2), the skip a linear 1x1; False for CIFAR-10
    group: int = 4  # examples whose standard deviation is a feature; 0 for none
    mapping_layers: int = 8  # of the class
    clamp: float | None = None  # largest size of each layer's outputs: 256 for bfloat16
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
        require(self.group >= 0, "group", self.group, "at least 0")
        *larger, smallest = map_sizes(images.shape[1:])[::-1]
        conv = functools.partial(EqualizedConv, gain=1.0, dtype=self.dtype)
        dense = functools.partial(EqualizedDense, dtype=self.dtype)
        act = functools.partial(activate, clamp=self.clamp)
        hidden = act(conv(_width(self, images.shape[1:3]), 1)(images.astype(jnp.dtype(self.dtype))))
        for size in larger:
            hidden = self._block(hidden, _width(self, (size[0] // 2, size[1] // 2)))
        if self.group:
            hidden = append_stddev(hidden, self.group, axis_name=mode.axis_name)
        width = _width(self, smallest)
        hidden = act(conv(width)(hidden)).reshape(images.shape[0], -1)
        hidden = act(dense(width)(hidden))
        if condition is None:
            outputs = dense(math.prod(output_shape))(hidden).astype(jnp.float32)
            return outputs.reshape(images.shape[0], *output_shape)
        require(output_shape == (), "output_shape", output_shape, "() where there is a class")
        mapping = Mapping(self.mapping_layers, width, scaled_activation=True)
        mapped = mapping(jnp.zeros((images.shape[0], 0)), condition=condition)  # of the class alone
        return (dense(width)(hidden).astype(jnp.float32) * mapped).sum(1) / math.sqrt(width)

    def _block(self, hidden: jax.Array, width: int) -> jax.Array:
        """At half the size; both branches are filtered before stride 2."""
        conv = functools.partial(EqualizedConv, gain=1.0, dtype=self.dtype)
        skip = downsample(hidden) if self.residual else hidden
        hidden = activate(conv(hidden.shape[-1])(hidden), self.clamp)
        hidden = conv(width, strides=2, padding="VALID")(smooth(hidden, 2))
        if not self.residual:
            return activate(hidden, self.clamp)
        return (activate(hidden, self.clamp) + conv(width, 1, use_bias=False)(skip)) * math.sqrt(0.5)


def map_sizes(shape: Shape) -> list[tuple[int, int]]:
    """Height and width of each map, the smallest first: halved while both sides are even and stay 4 or more.

    >>> map_sizes((28, 28, 1))
    [(7, 7), (14, 14), (28, 28)]
    """
    height, width, _ = image_shape(shape)
    require(min(height, width) >= SMALLEST, "image shape", shape, f"of sides of at least {SMALLEST}")
    sizes = [(height, width)]
    while height % 2 == width % 2 == 0 and min(height, width) >= 2 * SMALLEST:
        height, width = height // 2, width // 2
        sizes.insert(0, (height, width))
    return sizes


def activate(hidden: jax.Array, clamp: float | None = None) -> jax.Array:
    """sqrt(2) leaky ReLU(h), whose outputs have the variance of a normal h up to 4 percent, clamped."""
    return clamped(math.sqrt(2) * nn.leaky_relu(hidden, SLOPE), clamp)


def clamped(hidden: jax.Array, clamp: float | None) -> jax.Array:
    """Values up to `clamp` in size."""
    return hidden if clamp is None else jnp.clip(hidden, -clamp, clamp)


def _width(net: StyleGAN2Synthesis | StyleGAN2Discriminator, size: tuple[int, ...]) -> int:
    """Channels of a map."""
    require(net.channel_max >= 1, "channel_max", net.channel_max, "at least 1")
    least = f"at least {max(size)}, the side of the image"
    require(net.channel_base >= max(size), "channel_base", net.channel_base, least)
    return min(net.channel_base // max(size), net.channel_max)
