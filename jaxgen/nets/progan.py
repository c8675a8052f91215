"""Generator and discriminator of ProGAN, which grow: layers of all sizes, called at one of them.

Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and Variation, 2017, arXiv
1710.10196, appendix A and the authors' code. All layers have an equalised learning rate (`jaxgen.nets.equalized`).

Maps double from the smallest one, s = 0, to the image's size, with min(base / 2^(s + 1), maximum) channels each. Any
shape will do whose height is `smallest` times a power of 2, and whose width halves as often: 28x28 from 7x7, for one.

    ProGANGenerator(), ProGANDiscriminator()      512 channels up to 32x32, 16 at 1024x1024
    base 2048, maximum 128                        a quarter as wide

A call at a smaller size uses the layers of that size and those of the smaller ones. With alpha, the size fades in:

    G: alpha rgb_s(h_s) + (1 - alpha) up(rgb_(s-1)(h_(s-1)))
    D: alpha down(block_s(from_s(x))) + (1 - alpha) from_(s-1)(down(x))

`init` makes the layers of the size that it is given and of all smaller ones.
"""

import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution import mean_pool, upsample_nearest
from jaxgen.nets.equalized import EqualizedConv, EqualizedDense, scaled_bias
from jaxgen.nets.growing import channels_at, doublings, fade, require_smaller
from jaxgen.nets.image_shapes import halved
from jaxgen.nets.mapping import SLOPE
from jaxgen.nets.minibatch_stddev import append_stddev
from jaxgen.nets.norm import pixel_norm
from jaxgen.nets.resampling import BLUR, smooth
from jaxgen.typing import Shape


class ProGANGenerator(nn.Module):
    """A dense layer to the smallest map, then two convolutions a map, each followed by leaky ReLU and pixel norm."""

    base: int = 8192  # channels of a map are base / 2^(s + 1), or `maximum` if that is less
    maximum: int = 512
    smallest: int = 4  # height of the smallest map
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(
        self,
        latents: jax.Array,
        output_shape: Shape,
        alpha: Float[Array, ""] | None = None,
        *,
        mode: Mode = EVALUATION,
    ) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), float32, without activation; alpha is a number in [0, 1]."""
        last = doublings(output_shape, self.smallest)
        require_smaller(alpha, last)
        height, width, channels = halved(output_shape, last)

        def to_rgb(level: int, hidden: jax.Array) -> jax.Array:
            colours = EqualizedConv(channels, 1, gain=1.0, dtype=self.dtype, name=f"to_rgb_{level}")
            return colours(hidden).astype(jnp.float32)

        first = self._first(latents, (height, width))
        maps = [self._convolve(first, 0, 1)]
        for level in range(1, last + 1):
            hidden = self._convolve(maps[-1], level, 0, upsample=True)
            maps.append(self._convolve(hidden, level, 1))
        if self.is_initializing():
            for level in range(last - (alpha is not None)):  # the fade makes the next one
                to_rgb(level, maps[level])
        images = to_rgb(last, maps[last])
        return images if alpha is None else fade(images, upsample_nearest(to_rgb(last - 1, maps[last - 1])), alpha)

    def _first(self, latents: jax.Array, size: tuple[int, int]) -> jax.Array:
        """The smallest map: one dense layer of a quarter of the usual gain, a bias for each channel."""
        channels, dtype = channels_at(0, self.base, self.maximum), jnp.dtype(self.dtype)
        num, gain = math.prod(size) * channels, math.sqrt(2) / 4
        dense = EqualizedDense(num, gain, use_bias=False, dtype=self.dtype, name="dense")
        hidden = dense(pixel_norm(latents.astype(jnp.float32))).reshape(latents.shape[0], *size, channels)
        return _activate(hidden + scaled_bias(self, channels).astype(dtype)[None, None, None])

    def _convolve(self, hidden: jax.Array, level: int, number: int, *, upsample: bool = False) -> jax.Array:
        channels, name = channels_at(level, self.base, self.maximum), f"conv_{level}_{number}"
        return _activate(EqualizedConv(channels, upsample=upsample, dtype=self.dtype, name=name)(hidden))


class ProGANDiscriminator(nn.Module):
    """Two convolutions and a halving a map, then the deviation over the minibatch, a convolution, two dense layers."""

    base: int = 8192  # channels of a map are base / 2^(s + 1), or `maximum` if that is less
    maximum: int = 512
    smallest: int = 4  # height of the smallest map
    group: int = 4  # examples over which the deviation is taken
    blurred: bool = False  # a blur before the convolution that halves, its activation after the mean: StyleGAN
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(
        self,
        images: jax.Array,
        output_shape: Shape = (),
        alpha: Float[Array, ""] | None = None,
        *,
        mode: Mode = EVALUATION,
    ) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32; alpha is a number in [0, 1]."""
        last = doublings(images.shape[1:], self.smallest)
        require_smaller(alpha, last)

        def from_rgb(level: int, images: jax.Array) -> jax.Array:
            layer = EqualizedConv(
                channels_at(level, self.base, self.maximum), 1, dtype=self.dtype, name=f"from_rgb_{level}"
            )
            return nn.leaky_relu(layer(images), SLOPE)

        hidden = from_rgb(last, images)
        if self.is_initializing():
            for level in range(last - (alpha is not None)):  # the fade makes the next one
                from_rgb(level, mean_pool(images, 1 << (last - level)))
        for level in range(last, 0, -1):
            hidden = self._halve(hidden, level)
            if level == last and alpha is not None:
                hidden = fade(hidden, from_rgb(level - 1, mean_pool(images)), alpha)
        return self._score(hidden, output_shape, mode)

    def _halve(self, hidden: jax.Array, level: int) -> jax.Array:
        first = EqualizedConv(channels_at(level, self.base, self.maximum), dtype=self.dtype, name=f"conv_{level}_0")
        second = EqualizedConv(
            channels_at(level - 1, self.base, self.maximum), dtype=self.dtype, name=f"conv_{level}_1"
        )
        hidden = nn.leaky_relu(first(hidden), SLOPE)
        if self.blurred:
            return nn.leaky_relu(mean_pool(second(smooth(hidden, 1, BLUR))), SLOPE)
        return mean_pool(nn.leaky_relu(second(hidden), SLOPE))

    def _score(self, hidden: jax.Array, output_shape: Shape, mode: Mode) -> jax.Array:
        hidden = append_stddev(hidden, self.group, axis_name=mode.axis_name)
        conv = EqualizedConv(channels_at(0, self.base, self.maximum), dtype=self.dtype, name="conv_0")
        hidden = nn.leaky_relu(conv(hidden), SLOPE).reshape(hidden.shape[0], -1)
        dense = EqualizedDense(channels_at(-1, self.base, self.maximum), math.sqrt(2), dtype=self.dtype, name="dense_0")
        outputs = EqualizedDense(math.prod(output_shape), dtype=self.dtype, name="dense_1")
        scores = outputs(nn.leaky_relu(dense(hidden), SLOPE))
        return scores.astype(jnp.float32).reshape(hidden.shape[0], *output_shape)


def _activate(hidden: jax.Array) -> jax.Array:
    return pixel_norm(nn.leaky_relu(hidden, SLOPE))
