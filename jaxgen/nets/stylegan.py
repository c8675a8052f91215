"""Synthesis network of StyleGAN, which grows: layers of all sizes, called at one of them.

Karras, Laine, Aila: A Style-Based Generator Architecture for Generative Adversarial Networks, 2018, arXiv 1812.04948,
section 2 and the authors' code. All layers have an equalised learning rate (`jaxgen.nets.equalized`). The discriminator
is `ProGANDiscriminator(blurred=True)`, the mapping `jaxgen.nets.mapping.Mapping`.

Maps double from a learned constant, s = 0, to the image's size, with min(base / 2^(s + 1), maximum) channels each. Any
shape will do whose height is `smallest` times a power of 2, and whose width halves as often. A call at a smaller size
uses the layers of that size and those of the smaller ones, and the styles of these. With alpha, the size fades in:

    alpha rgb_s(h_s) + (1 - alpha) up(rgb_(s-1)(h_(s-1)))

`init` makes the layers of the size that it is given and of all smaller ones.
"""

from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution import upsample_nearest
from jaxgen.nets.equalized import EqualizedConv, EqualizedDense, scaled_bias
from jaxgen.nets.growing import channels_at, doublings, fade, require_smaller
from jaxgen.nets.hook_point import Features, HookPoint
from jaxgen.nets.image_shapes import halved
from jaxgen.nets.mapping import SLOPE
from jaxgen.nets.noise_maps import STRENGTH, map_of
from jaxgen.nets.resampling import BLUR, smooth
from jaxgen.typing import Images, Shape


class AdaINLayer(nn.Module):
    """What follows a convolution: noise, bias, leaky ReLU, then adaptive instance normalisation (AdaIN).

    h <- (1 + y_s) (h - mean) / std + y_b, mean and deviation those of a channel of one image, y_s and y_b linear in w.
    """

    number: int  # of the layer, from 0 on: of its noise

    @nn.compact
    def __call__(self, hidden: Images, w: jax.Array, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) and (batch, features) to the former's shape and type."""
        dtype, (num, *size, channels) = hidden.dtype, hidden.shape
        strength = self.param(STRENGTH, nn.initializers.zeros, (channels,))
        noise = map_of(self, (size[0], size[1]), num, self.number, mode)
        hidden = hidden.astype(jnp.float32) + strength[None, None, None] * noise
        hidden = nn.leaky_relu(hidden + scaled_bias(self, channels)[None, None, None], SLOPE)
        style = EqualizedDense(2 * channels, name="style")(w.astype(jnp.float32))[:, None, None]
        scale, offset = style[..., :channels], style[..., channels:]
        return ((scale + 1.0) * normalized(hidden) + offset).astype(dtype)


class StyleGANSynthesis(nn.Module):
    """Two styled layers a map, the first of the smallest one after the constant, all others after a convolution."""

    base: int = 8192  # channels of a map are base / 2^(s + 1), or `maximum` if that is less
    maximum: int = 512
    smallest: int = 4  # height of the smallest map
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the convolutions; params are float32

    def num_styles(self, output_shape: Shape) -> int:
        """L, two for each map."""
        return 2 * doublings(output_shape, self.smallest) + 2

    @nn.compact
    def __call__(
        self,
        ws: jax.Array,
        output_shape: Shape,
        alpha: Float[Array, ""] | None = None,
        *,
        mode: Mode = EVALUATION,
    ) -> jax.Array:
        """(batch, layers, features) to (batch, *output_shape), float32, without activation.

        Of more styles than `num_styles(output_shape)` the first ones are used. alpha is a number in [0, 1].
        """
        last, num = doublings(output_shape, self.smallest), self.num_styles(output_shape)
        require(ws.shape[1] >= num, "number of styles", ws.shape[1], f"at least {num} for images {output_shape}")
        require_smaller(alpha, last)
        _, _, channels = halved(output_shape, last)

        def to_rgb(level: int, hidden: jax.Array) -> jax.Array:
            colours = EqualizedConv(channels, 1, gain=1.0, dtype=self.dtype, name=f"to_rgb_{level}")
            return colours(hidden).astype(jnp.float32)

        maps = [self._map(0, self._constant(ws.shape[0], output_shape, last), ws, mode)]
        for level in range(1, last + 1):
            hidden = smooth(self._conv(level, 0, upsample=True)(maps[-1]), 1, BLUR)
            maps.append(self._map(level, hidden, ws, mode))
        if self.is_initializing():
            for level in range(last - (alpha is not None)):  # the fade makes the next one
                to_rgb(level, maps[level])
        images = to_rgb(last, maps[last])
        return images if alpha is None else fade(images, upsample_nearest(to_rgb(last - 1, maps[last - 1])), alpha)

    def _constant(self, num: int, output_shape: Shape, last: int) -> jax.Array:
        """The learned map, the same for all images; it begins as 1."""
        height, width, _ = halved(output_shape, last)
        channels = channels_at(0, self.base, self.maximum)
        constant = self.param("constant", nn.initializers.ones, (height, width, channels))
        return jnp.broadcast_to(constant.astype(jnp.dtype(self.dtype))[None], (num, height, width, channels))

    def _map(self, level: int, hidden: jax.Array, ws: jax.Array, mode: Mode) -> jax.Array:
        """The two styled layers of a map, and the convolution between them."""
        for number in (2 * level, 2 * level + 1):
            hidden = self._conv(level, 1)(hidden) if number % 2 else hidden
            hidden = AdaINLayer(number, name=f"layer_{number}")(hidden, ws[:, number], mode)
            hidden = HookPoint(number)(Features(hidden, None)).hidden
        return hidden

    def _conv(self, level: int, number: int, *, upsample: bool = False) -> EqualizedConv:
        """Its bias is the styled layer's."""
        channels, name = channels_at(level, self.base, self.maximum), f"conv_{level}_{number}"
        return EqualizedConv(channels, use_bias=False, upsample=upsample, dtype=self.dtype, name=name)


def normalized(hidden: Images) -> Images:
    """(h - mean) / sqrt(variance + 1e-8) of each channel of each image."""
    centred = hidden - hidden.mean(axis=(1, 2), keepdims=True)
    return centred * jax.lax.rsqrt((centred**2).mean(axis=(1, 2), keepdims=True) + 1e-8)
