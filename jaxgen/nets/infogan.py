"""Networks of InfoGAN for MNIST: a generator, and a discriminator that shares its trunk with Q.

Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel: InfoGAN, 2016, arXiv 1606.03657, appendix C.1; where paper and
authors' code leave room, the code's.
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
from jaxgen.nets.initializers import Initializer, Normal, to_flax
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Shape


class InfoGANGenerator(nn.Module):
    """Two dense layers and two transposed convolutions, batch norm and ReLU behind all but the last."""

    features: int = 1024  # of the first dense layer
    channels: int = 64  # of the map of half the size; twice as many at a quarter
    initializer: Initializer = Normal(0.02)  # of the weights; biases begin at 0
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), float32 and without output activation."""
        height, width, image_channels = _quartered(output_shape)
        dtype = jnp.dtype(self.dtype)

        def activate(hidden):
            return nn.relu(normalize(hidden, "batch", mode))

        init = to_flax(self.initializer)
        dense = functools.partial(nn.Dense, dtype=dtype, kernel_init=init)
        upsample = functools.partial(ConvTranspose, kernel_size=4, strides=2, dtype=dtype, kernel_init=init)
        smallest = (height, width, 2 * self.channels)
        hidden = activate(dense(self.features)(latents.astype(dtype)))
        hidden = activate(dense(math.prod(smallest))(hidden)).reshape(latents.shape[0], *smallest)
        hidden = activate(upsample(self.channels)(hidden))
        return upsample(image_channels)(hidden).astype(jnp.float32)


class InfoGANDiscriminator(nn.Module):
    """Two strided convolutions and a dense layer; from there D's score, and Q behind one more dense layer.

    Outputs are the score first and then Q's.
    """

    channels: int = 64  # of the map of half the size; twice as many at a quarter
    features: int = 1024  # of the trunk's dense layer
    q_features: int = 128  # of Q's own
    negative_slope: float = 0.1  # of the leaky ReLU; 0.01 in the authors' code
    norm: Norm = "batch"  # before all activations but the first
    initializer: Initializer = Normal(0.02)  # of the weights; biases begin at 0
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, 1 + codes), float32."""
        _quartered(images.shape[1:])
        require(len(output_shape) == 1 and output_shape[0] >= 2, "output_shape", output_shape, "(1 + outputs of Q,)")
        dtype, size = jnp.dtype(self.dtype), images.shape[0]

        def activate(hidden):
            hidden = normalize(hidden, self.norm, mode)
            return nn.leaky_relu(hidden, self.negative_slope)

        init = to_flax(self.initializer)
        dense = functools.partial(nn.Dense, dtype=dtype, kernel_init=init)
        downsample = functools.partial(Conv, kernel_size=4, strides=2, dtype=dtype, kernel_init=init)
        hidden = nn.leaky_relu(downsample(self.channels)(images.astype(dtype)), self.negative_slope)
        hidden = activate(downsample(2 * self.channels)(hidden))
        trunk = activate(dense(self.features)(hidden.reshape(size, -1)))
        score = dense(1, name="score")(trunk)
        hidden = activate(dense(self.q_features, name="q_hidden")(trunk))
        codes = dense(output_shape[0] - 1, name="q")(hidden)
        return jnp.concatenate([score, codes], axis=1).astype(jnp.float32)


def _quartered(shape: Shape) -> tuple[int, int, int]:
    require(len(shape) == 3, "image shape", shape, "(height, width, channels)")
    height, width, channels = shape
    require(height % 4 == width % 4 == 0, "image shape", shape, "of sides that divide by 4")
    return height // 4, width // 4, channels
