"""Networks of BicycleGAN: a U-Net that is given a code, an encoder of codes, and a discriminator of two scales.

Zhu, Zhang, Pathak, Darrell, Efros, Wang, Shechtman: Toward Multimodal Image-to-Image Translation, 2017, arXiv
1711.11586, section 4 and the authors' code.

    CodedUNetTranslator(downs=8)      256x256 pixels or a multiple
    CodeEncoder(blocks=4)             256x256 pixels; with 3 blocks 128x128
    ScaledDiscriminator(scales=2)     patches of the image and of its half, with half as many channels

Instance norms have neither scale nor offset. The convolutions before them have biases all the same. Weights begin as
Glorot's, N(0, gain^2 2 / (inputs + outputs)) with a gain of 0.02 in the authors' code, and as N(0, 0.02^2) here.
"""

import functools
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.conditioning import with_channels
from jaxgen.nets.convolution import mean_pool
from jaxgen.nets.convolution_layers import Conv, ConvMeanPool
from jaxgen.nets.norm import Norm, normalize
from jaxgen.nets.pix2pix import NORMAL, SLOPE, PatchDiscriminator, u_net
from jaxgen.nets.unit import half
from jaxgen.typing import Images, Latents, Points, Shape


class CodedUNetTranslator(nn.Module):
    """The U-Net of pix2pix, with a code in further channels of the maps that each convolution on the way down takes."""

    channels: int = 64  # of the largest map inside; doubled at each halving, up to eight times as many
    downs: int = 8  # halvings
    rate: float = 0.0  # of dropout
    norm: Norm = "instance"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: Points, codes: Latents, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) and (batch, numbers) to (batch, *output_shape), float32, not squashed.

        Raises:
            ValueError: sides that are no multiples of 2^downs, or other sides of the outputs than of the inputs.
        """
        return u_net(self, inputs, output_shape, mode, lambda maps: with_channels(maps, codes))


class CodeEncoder(nn.Module):
    """An image to numbers that describe its code: a halving, residual blocks that halve, the mean over all places."""

    channels: int = 64  # of the first map; two, three and four times as many behind the first three blocks
    blocks: int = 4
    norm: Norm = "instance"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32.

        Raises:
            ValueError: sides that are no multiples of 2^(blocks + 1), or an output shape that is not (numbers,).
        """
        require(len(output_shape) == 1, "output_shape", output_shape, "(numbers,)")
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        multiple, (height, width) = 2 ** (self.blocks + 1), images.shape[1:3]
        fits = height % multiple == width % multiple == 0 and min(height, width) >= 2 * multiple
        wanted = f"a multiple of {multiple}, at least {2 * multiple}, for {self.blocks} blocks"
        require(fits, "size of the images", f"{height}x{width}", wanted)
        dtype = jnp.dtype(self.dtype)
        hidden = Conv(self.channels, 4, strides=2, dtype=dtype, kernel_init=NORMAL)(images.astype(dtype))
        for number in range(self.blocks):
            hidden = self._block(hidden, self.channels * min(number + 2, 4), mode)
        means = nn.leaky_relu(hidden, SLOPE).astype(jnp.float32).mean((1, 2)).astype(dtype)
        return nn.Dense(output_shape[0], dtype=dtype, kernel_init=NORMAL)(means).astype(jnp.float32)

    def _block(self, hidden: jax.Array, features: int, mode: Mode) -> jax.Array:
        settings = {"dtype": jnp.dtype(self.dtype), "kernel_init": NORMAL}
        conv, norm = functools.partial(Conv, **settings), functools.partial(normalize, norm=self.norm, mode=mode)
        affine = self.norm != "instance"
        branch = conv(hidden.shape[-1])(nn.leaky_relu(norm(hidden, affine=affine), SLOPE))
        branch = ConvMeanPool(features, **settings)(nn.leaky_relu(norm(branch, affine=affine), SLOPE))
        return branch + conv(features, 1)(mean_pool(hidden))


class ScaledDiscriminator(nn.Module):
    """The PatchGAN of pix2pix for an image, and for its half with half as many channels; and so on."""

    channels: int = 64  # of the first map of the largest scale
    layers: int = 3  # halvings
    scales: int = 2
    norm: Norm = "instance"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> tuple[jax.Array, ...]:
        """(batch, height, width, channels) to a map of scores, (batch, rows, columns), for each scale, float32.

        Raises:
            ValueError: another output shape than `()`, channels that do not halve so often, or images too small.
        """
        require(self.scales >= 1, "scales", self.scales, "at least 1")
        multiple = 2 ** (self.scales - 1)
        require(self.channels % multiple == 0, "channels", self.channels, f"a multiple of {multiple}")
        maps = []
        for scale in range(self.scales):
            net = PatchDiscriminator(self.channels >> scale, self.layers, self.norm, self.dtype)
            maps.append(net(images, output_shape, mode=mode))
            images = half(images) if scale < self.scales - 1 else images
        return tuple(maps)
