"""Networks of StackGAN: a text's code is drawn around its embedding, stage I draws a sketch, stage II a larger image.

Zhang, Xu, Li, Zhang, Wang, Huang, Metaxas: StackGAN: Text to Photo-realistic Image Synthesis with Stacked Generative
Adversarial Networks, 2016, arXiv 1612.03242, with the authors' code: convolutions have no bias. The defaults are those
for 64x64 and 256x256. The discriminator of stage I is `TextDiscriminator(text=128)` of `jaxgen.nets.gan_cls`.
"""

import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, UpsampleConv
from jaxgen.nets.gan_cls import SLOPE, Bottleneck, TextScore, beside, doublings
from jaxgen.nets.image_shapes import halved
from jaxgen.nets.initializers import Initializer, TruncatedNormal, to_flax
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Embeddings, Images, Latents, Shape


class TextAugmentation(nn.Module):
    """The dense layer, with its leaky ReLU, that gives the mean and the log deviation of a text's code."""

    initializer: Initializer = TruncatedNormal(0.02)

    @nn.compact
    def __call__(self, embeddings: Embeddings, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, features) to (batch, *output_shape), of which the first half are means."""
        hidden = nn.Dense(math.prod(output_shape), kernel_init=to_flax(self.initializer))(embeddings)
        return nn.leaky_relu(hidden, SLOPE).reshape(-1, *output_shape)


class StageOneGenerator(nn.Module):
    """Latents and a text's code to 4x4, then nearest up-sampling and 3x3 convolutions, with bottlenecks at 4x4, 8x8."""

    channels: int = 128  # of the largest hidden maps; doubled at each halving
    norm: Norm = "batch"
    initializer: Initializer = TruncatedNormal(0.02)  # of the weights

    @nn.compact
    def __call__(self, latents: Latents, codes: Embeddings, output_shape: Shape, *, mode: Mode = EVALUATION) -> Images:
        """Latents (batch, latent) and codes (batch, features) to (batch, *output_shape), no output activation."""
        (rows, columns, num), kernel_init = doublings(output_shape), to_flax(self.initializer)
        widen = functools.partial(UpsampleConv, use_bias=False, kernel_init=kernel_init)
        shape = (rows, columns, self.channels << (num - 1))
        given = jnp.concatenate([latents, codes], axis=1)
        hidden = nn.Dense(math.prod(shape), kernel_init=kernel_init, name="first")(given)
        hidden = normalize(hidden, self.norm, mode).reshape(-1, *shape)  # each unit has statistics of its own
        for level in range(num):
            if level < 2:
                hidden = Bottleneck(self.norm, self.initializer, name=f"bottleneck_{level}")(hidden, mode)
            hidden = nn.relu(hidden)
            last = level == num - 1
            hidden = widen(output_shape[-1] if last else self.channels << (num - 2 - level))(hidden)
            hidden = hidden if last else normalize(hidden, self.norm, mode)
        return hidden


class StageTwoGenerator(nn.Module):
    """A sketch, a quarter as high and wide, with a text's code beside it, through residual blocks to a larger image."""

    channels: int = 128  # of the first convolution; four times as many where the text comes in
    blocks: int = 4
    norm: Norm = "batch"
    initializer: Initializer = TruncatedNormal(0.02)  # of the weights

    @nn.compact
    def __call__(self, images: Images, codes: Embeddings, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """Images (batch, height, width, channels) and codes to (batch, *output_shape), no output activation.

        Raises:
            ValueError: images that do not halve twice, or outputs that are no doublings of what is left.
        """
        kernel_init = to_flax(self.initializer)
        height, width, _ = halved(images.shape[1:], 2)
        num = (output_shape[0] // height).bit_length() - 1
        fits = num >= 1 and (output_shape[0], output_shape[1]) == (height << num, width << num)
        require(fits, "image shape", output_shape, f"doublings of {height}x{width}, a quarter of the sketch")
        conv = functools.partial(Conv, use_bias=False, kernel_init=kernel_init)

        def activate(hidden: jax.Array) -> jax.Array:
            return nn.relu(normalize(hidden, self.norm, mode))

        hidden = nn.relu(conv(self.channels, 3)(images))
        for level in (1, 2):
            hidden = activate(conv(self.channels << level, 4, 2)(hidden))
        widest = self.channels << 2
        hidden = activate(conv(widest, 3)(beside(hidden, codes)))
        for number in range(self.blocks):
            hidden = nn.relu(hidden + WideBlock(self.norm, self.initializer, name=f"block_{number}")(hidden, mode))
        for level in range(1, num + 1):
            hidden = UpsampleConv(widest >> level, use_bias=False, kernel_init=kernel_init)(hidden)
            hidden = activate(hidden)
        return conv(output_shape[-1], 3)(hidden)


class WideBlock(nn.Module):
    """conv3, norm, ReLU, conv3, norm, without the input added."""

    norm: Norm = "batch"
    initializer: Initializer = TruncatedNormal(0.02)

    @nn.compact
    def __call__(self, maps: jax.Array, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to the same, without activation."""
        conv = functools.partial(Conv, maps.shape[-1], 3, use_bias=False, kernel_init=to_flax(self.initializer))
        return normalize(conv()(nn.relu(normalize(conv()(maps), self.norm, mode))), self.norm, mode)


class StageTwoDiscriminator(nn.Module):
    """Convolutions of stride 2 to 4x4, 1x1 ones down to eight times the first channels, then as in stage I."""

    channels: int = 64  # of the first convolution; doubled at each further one
    text: int = 128  # numbers of a text's code, a dense layer of its embedding
    norm: Norm = "batch"
    initializer: Initializer = TruncatedNormal(0.02)  # of the weights

    @nn.compact
    def __call__(
        self, images: Images, embeddings: Embeddings, output_shape: Shape = (), *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """Images (batch, height, width, channels) and embeddings (batch, features) to (batch, *output_shape)."""
        (_, _, num), kernel_init = doublings(images.shape[1:]), to_flax(self.initializer)
        layers = [(self.channels << level, 4, 2) for level in range(num)]
        layers += [(self.channels << level, 1, 1) for level in range(num - 2, 2, -1)]
        hidden = images
        for place, (features, side, stride) in enumerate(layers):
            hidden = nn.leaky_relu(hidden, SLOPE) if place else hidden
            hidden = Conv(features, side, stride, use_bias=False, kernel_init=kernel_init)(hidden)
            hidden = normalize(hidden, self.norm, mode) if place else hidden
        return TextScore(self.text, self.norm, self.initializer)(hidden, embeddings, output_shape, mode)
