"""Networks of AC-GAN: a generator of 5x5 transposed convolutions, and a discriminator of six 3x3 convolutions.

Odena, Olah, Shlens: Conditional Image Synthesis with Auxiliary Classifier GANs, 2016, arXiv 1610.09585, appendix A.
The printed generator for ImageNet is short of one doubling: here 768 channels stand at 8x8. The
noise on the discriminator's activations is left out; `Discrimination.noise` of `jaxgen.gans` adds some to its images.
"""

import functools
import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.dropout import dropout
from jaxgen.nets.norm import normalize
from jaxgen.typing import Shape

INIT = nn.initializers.normal(0.02)

IMAGENET_CHANNELS = (768, 384, 256, 192)
"""Of the generator's maps for 128x128, the smallest first."""


class ACGANGenerator(nn.Module):
    """A dense layer to the smallest map, then transposed convolutions; batch norm and ReLU behind all but the last."""

    channels: tuple[int, ...] = (384, 192, 96)  # of each map, the smallest first; 32x32 from 4x4
    kernel_size: int = 5
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), float32 and without output activation."""
        dtype = jnp.dtype(self.dtype)
        height, width, image_channels = _image_shape(output_shape, 1 << len(self.channels))

        def activate(hidden):
            return nn.relu(normalize(hidden, "batch", mode))

        upsample = functools.partial(ConvTranspose, kernel_size=self.kernel_size, dtype=dtype, kernel_init=INIT)
        smallest = (height >> len(self.channels), width >> len(self.channels), self.channels[0])
        hidden = nn.Dense(math.prod(smallest), dtype=dtype, kernel_init=INIT)(latents.astype(dtype))
        hidden = activate(hidden.reshape(latents.shape[0], *smallest))
        for features in self.channels[1:]:
            hidden = activate(upsample(features, use_bias=False)(hidden))
        return upsample(image_channels)(hidden).astype(jnp.float32)


class ACGANDiscriminator(nn.Module):
    """3x3 convolutions of strides 2 and 1 in turn, and one dense layer for the score and the class logits."""

    channels: tuple[int, ...] = (16, 32, 64, 128, 256, 512)
    negative_slope: float = 0.2  # of the leaky ReLU
    dropout: float = 0.5  # behind each convolution, in training
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32."""
        _image_shape(images.shape[1:], 1)
        dtype = jnp.dtype(self.dtype)
        hidden = images.astype(dtype)
        for layer, features in enumerate(self.channels):
            convolve = Conv(features, 3, strides=2 - layer % 2, use_bias=layer == 0, dtype=dtype, kernel_init=INIT)
            norm = "batch" if layer else "none"
            hidden = normalize(convolve(hidden), norm, mode)
            hidden = dropout(nn.leaky_relu(hidden, self.negative_slope), self.dropout, mode, layer)
        outputs = nn.Dense(math.prod(output_shape), dtype=dtype, kernel_init=INIT)(hidden.reshape(images.shape[0], -1))
        return outputs.astype(jnp.float32).reshape(images.shape[0], *output_shape)


def _image_shape(shape: Shape, divisor: int) -> tuple[int, int, int]:
    require(len(shape) == 3, "image shape", shape, "(height, width, channels)")
    height, width, channels = shape
    fits = height % divisor == width % divisor == 0
    require(fits, "image shape", shape, f"of sides that divide by {divisor}")
    return height, width, channels
