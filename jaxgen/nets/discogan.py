"""Networks of DiscoGAN.

Kim, Cha, Kim, Lee, Kim: Learning to Discover Cross-Domain Relations with Generative Adversarial Networks, 2017, arXiv
1703.05192, and the authors' code.

    DiscoGANTranslator(), DiscoGANTranslator(bottleneck=100)    64x64 pixels
    DiscoGANDiscriminator()                                     one score for an image of 64x64 pixels

No convolution has a bias. Weights begin as N(0, 0.02^2).
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
from jaxgen.nets.pix2pix import NORMAL, SLOPE
from jaxgen.typing import Images, Shape


class DiscoGANTranslator(nn.Module):
    """Halvings, then as many doublings, without connections between them."""

    channels: int = 64  # of the largest map inside; doubled at each halving, up to eight times as many
    downs: int = 4  # halvings
    bottleneck: int = 0  # channels in which a window of 4x4 of the smallest map is encoded; 0: it is not
    norm: Norm = "batch"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32 and without output activation.

        Raises:
            ValueError: sides that are no multiples of 2^downs, or other sides of the outputs than of the inputs.
        """
        require_halvings(inputs, self.channels, self.downs, 4 if self.bottleneck else 1)
        sides = inputs.shape[1:3]
        require(output_shape[:2] == sides, "output_shape", output_shape, f"{sides[0]}x{sides[1]} as the inputs are")
        dtype = jnp.dtype(self.dtype)
        conv = functools.partial(Conv, kernel_size=4, use_bias=False, dtype=dtype, kernel_init=NORMAL)
        grow = functools.partial(ConvTranspose, kernel_size=4, use_bias=False, dtype=dtype, kernel_init=NORMAL)
        widths = widths_of(self.channels, self.downs)
        hidden = nn.leaky_relu(conv(widths[0], strides=2)(inputs.astype(dtype)), SLOPE)
        for width in widths[1:]:
            hidden = nn.leaky_relu(normalize(conv(width, strides=2)(hidden), self.norm, mode), SLOPE)
        if self.bottleneck:
            code = normalize(conv(self.bottleneck, padding="VALID")(hidden), self.norm, mode)
            hidden = grow(widths[-1], strides=1, padding="VALID")(nn.leaky_relu(code, SLOPE))
            hidden = nn.relu(normalize(hidden, self.norm, mode))
        for width in reversed(widths[:-1]):
            hidden = nn.relu(normalize(grow(width)(hidden), self.norm, mode))
        return grow(output_shape[2])(hidden).astype(jnp.float32)


class DiscoGANDiscriminator(nn.Module):
    """A score, and the maps inside that feature matching compares."""

    channels: int = 64  # of the first map; doubled at each halving, up to eight times as many
    downs: int = 4  # halvings
    norm: Norm = "batch"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(
        self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION
    ) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        """(batch, height, width, channels) to scores (batch, rows, columns) and all maps but the first, float32.

        Raises:
            ValueError: another output shape than `()`, or images too small for one score.
        """
        require(output_shape == (), "output_shape", output_shape, "(): the map of scores follows from the images")
        require_halvings(images, self.channels, self.downs, 4)
        conv = functools.partial(Conv, kernel_size=4, use_bias=False, dtype=jnp.dtype(self.dtype), kernel_init=NORMAL)
        widths, features = widths_of(self.channels, self.downs), []
        hidden = nn.leaky_relu(conv(widths[0], strides=2)(images.astype(self.dtype)), SLOPE)
        for width in widths[1:]:
            hidden = nn.leaky_relu(normalize(conv(width, strides=2)(hidden), self.norm, mode), SLOPE)
            features.append(hidden.astype(jnp.float32))
        scores = conv(1, padding="VALID")(hidden)[..., 0]
        return scores.astype(jnp.float32), tuple(features)


def widths_of(channels: int, downs: int) -> list[int]:
    """Channels after each halving: doubled at each, up to eight times as many as at the first."""
    return [channels * min(2**level, 8) for level in range(downs)]


def require_halvings(images: Images, channels: int, downs: int, smallest: int = 1) -> None:
    """ValueError unless both sides can be halved so often, to `smallest` or more."""
    require(channels >= 1 and downs >= 2, "channels, downs", (channels, downs), "at least 1 and 2")
    (height, width), multiple = images.shape[1:3], 2**downs
    fits = height % multiple == width % multiple == 0 and min(height, width) >= smallest * multiple
    least = f"a multiple of {multiple}x{multiple}, at least {smallest * multiple}x{smallest * multiple}"
    require(fits, "size of the images", f"{height}x{width}", f"{least}, for {downs} halvings")
