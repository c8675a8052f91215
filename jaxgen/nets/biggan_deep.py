"""Networks of BigGAN-deep for images of 32x32 to 256x256.

Brock, Donahue, Simonyan: Large Scale GAN Training for High Fidelity Natural Image Synthesis, 2018, arXiv 1809.11096,
appendix B, with the counts of google/compare_gan and the author's PyTorch code.

The latents are not split: c = [e(y); z], with e(y) the embedding of the class, goes to the first layer and, by linear
maps without bias, to every norm of the generator's blocks. A block narrows to a quarter by a 1x1 convolution, has two
of 3x3, and widens by a 1x1. Its shortcut has no weights in the generator, where surplus channels are dropped; in the
discriminator a 1x1 convolution makes the missing ones, beside those that there are.

    Spectral(BigGANDeepGenerator(), exempt=("embedding",))      128x128, latents of 128 numbers
    Spectral(DISCRIMINATOR_128)
"""

import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.biggan import MULTIPLIERS_128, embedding
from jaxgen.nets.convolution import mean_pool, upsample_nearest
from jaxgen.nets.convolution_layers import Conv, UpsampleConv
from jaxgen.nets.image_shapes import halved
from jaxgen.nets.initializers import Initializer, Orthogonal, to_flax
from jaxgen.nets.norm import ConditionalBatchNorm, normalize
from jaxgen.nets.projection import ProjectionDiscriminator, sum_pool
from jaxgen.nets.self_attention import SelfAttention, check_heights
from jaxgen.typing import Images, Latents, Shape


class GeneratorBlock(nn.Module):
    """Norm ReLU conv1, norm ReLU [doubling] conv3, norm ReLU conv3, norm ReLU conv1, plus the first channels."""

    features: int
    up: bool = False  # whether both sides double
    initializer: Initializer = Orthogonal()
    dtype: Literal["float32", "bfloat16"] = "float32"

    @nn.compact
    def __call__(self, inputs: jax.Array, condition: jax.Array, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, ..., features), at most as many as there were."""
        channels = inputs.shape[-1]
        require(self.features <= channels, "features", self.features, f"at most the inputs' channels, {channels}")
        options = {"dtype": jnp.dtype(self.dtype), "kernel_init": to_flax(self.initializer)}

        def activate(hidden):
            return nn.relu(ConditionalBatchNorm(self.initializer)(hidden, condition, mode))

        inner, enlarge = _quarter(channels), UpsampleConv if self.up else Conv
        hidden = Conv(inner, 1, **options, name="narrow")(activate(inputs))
        hidden = enlarge(inner, 3, **options, name="first")(activate(hidden))
        hidden = Conv(inner, 3, **options, name="second")(activate(hidden))
        hidden = Conv(self.features, 1, **options, name="widen")(activate(hidden))
        kept = inputs[..., : self.features].astype(hidden.dtype)
        return hidden + (upsample_nearest(kept) if self.up else kept)


class DiscriminatorBlock(nn.Module):
    """ReLU conv1, ReLU conv3, ReLU conv3, ReLU [halving] conv1, plus all channels and, beside them, conv1 of them."""

    features: int
    down: bool = False  # whether both sides are halved, by means
    initializer: Initializer = Orthogonal()
    dtype: Literal["float32", "bfloat16"] = "float32"

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        """(batch, height, width, channels) to (batch, ..., features), at least as many as there were."""
        channels = inputs.shape[-1]
        require(self.features >= channels, "features", self.features, f"at least the inputs' channels, {channels}")
        options = {"dtype": jnp.dtype(self.dtype), "kernel_init": to_flax(self.initializer)}
        inner, pool = _quarter(self.features), mean_pool if self.down else lambda maps: maps
        hidden = Conv(inner, 1, **options, name="narrow")(nn.relu(inputs))
        hidden = Conv(inner, 3, **options, name="first")(nn.relu(hidden))
        hidden = Conv(inner, 3, **options, name="second")(nn.relu(hidden))
        hidden = Conv(self.features, 1, **options, name="widen")(pool(nn.relu(hidden)))
        kept = pool(inputs).astype(hidden.dtype)
        if self.features > channels:
            more = Conv(self.features - channels, 1, **options, name="shortcut")(kept)
            kept = jnp.concatenate([kept, more], axis=-1)
        return hidden + kept


class BigGANDeepGenerator(nn.Module):
    """A dense layer to the smallest map, for each doubling blocks of which the last doubles, and the image's layer."""

    channels: int = 128  # of the largest map, times its multiplier
    multipliers: tuple[int, ...] = MULTIPLIERS_128  # of the channels, for each map; the smallest first
    blocks: int = 2  # for each doubling
    attention: tuple[int, ...] = (64,)  # heights of maps with attention
    embedding: int = 128  # size of e(y)
    initializer: Initializer = Orthogonal()  # of all weights
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32
    remat: bool = False  # compute blocks again in the backward pass, for less memory

    @nn.compact
    def __call__(
        self, latents: Latents, classes: Float[Array, "batch classes"], output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> Images:
        """Latents and one-hot classes to (batch, *output_shape), float32 and without output activation.

        Raises:
            ValueError: sides that do not halve for each map, heights of attention that no block gives, or channels
                that grow towards the image.
        """
        doublings = len(self.multipliers) - 1
        height, width, image_channels = halved(output_shape, doublings)
        check_heights(self.attention, (height << level for level in range(1, doublings + 1)))
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        widths = [multiplier * self.channels for multiplier in self.multipliers]
        dtype, kernel_init = jnp.dtype(self.dtype), to_flax(self.initializer)
        embedded = embedding(self.embedding, self.initializer, self.dtype)(classes)
        condition = jnp.concatenate([embedded, latents.astype(embedded.dtype)], axis=1)
        smallest = (height, width, widths[0])
        hidden = nn.Dense(math.prod(smallest), dtype=dtype, kernel_init=kernel_init)(condition)
        hidden = hidden.reshape(latents.shape[0], *smallest)
        for level, features in enumerate(widths[1:]):
            hidden = self._stage(level, features, hidden, condition, mode)
            if hidden.shape[1] in self.attention:
                hidden = SelfAttention(initializer=self.initializer, dtype=self.dtype)(hidden)
        hidden = nn.relu(normalize(hidden, "batch", mode))
        return Conv(image_channels, 3, dtype=dtype, kernel_init=kernel_init)(hidden).astype(jnp.float32)

    def _stage(self, level: int, features: int, hidden: jax.Array, condition: jax.Array, mode: Mode) -> jax.Array:
        block = nn.remat(GeneratorBlock) if self.remat else GeneratorBlock
        for i in range(self.blocks):
            last = i == self.blocks - 1
            outputs = features if last else hidden.shape[-1]
            convolve = block(outputs, last, self.initializer, self.dtype, name=f"block_{level}_{i}")
            hidden = convolve(hidden, condition, mode)
        return hidden


class BigGANDeepFeatures(nn.Module):
    """A 3x3 convolution, blocks of which the first of a stage halves both sides, ReLU, and the sum over all places."""

    channels: int = 128  # of the convolution, times its multiplier
    multipliers: tuple[int, ...] = (1, 2, 4, 8, 16, 16)  # of the channels, of the convolution and of each stage
    halvings: int = 5  # stages that halve, the first ones
    blocks: int = 2  # of each stage
    attention: tuple[int, ...] = (64,)  # heights of maps with attention, behind the stage that halves to them
    initializer: Initializer = Orthogonal()  # of all weights
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, softmax and the sum are float32
    remat: bool = False  # compute blocks again in the backward pass, for less memory

    @nn.compact
    def __call__(self, images: Images, *, mode: Mode = EVALUATION) -> Float[Array, "batch features"]:
        """(batch, height, width, channels) to (batch, the last stage's channels), float32.

        Raises:
            ValueError: sides that do not halve as often, heights of attention that no stage gives, or channels that
                shrink from stage to stage.
        """
        halved(images.shape[1:], self.halvings)
        stages = len(self.multipliers) - 1
        require(0 <= self.halvings <= stages, "halvings", self.halvings, f"at most {stages}, the number of stages")
        check_heights(self.attention, (images.shape[1] >> level for level in range(1, self.halvings + 1)))
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        widths = [multiplier * self.channels for multiplier in self.multipliers]
        dtype, kernel_init = jnp.dtype(self.dtype), to_flax(self.initializer)
        block = nn.remat(DiscriminatorBlock) if self.remat else DiscriminatorBlock
        hidden = Conv(widths[0], 3, dtype=dtype, kernel_init=kernel_init)(images.astype(dtype))
        for level, features in enumerate(widths[1:]):
            halves = level < self.halvings
            for i in range(self.blocks):
                name = f"block_{level}_{i}"
                hidden = block(features, halves and i == 0, self.initializer, self.dtype, name=name)(hidden)
            if halves and hidden.shape[1] in self.attention:
                hidden = SelfAttention(initializer=self.initializer, dtype=self.dtype)(hidden)
        return sum_pool(hidden)


def _quarter(channels: int) -> int:
    """The width of a block inside."""
    require(channels >= 4 and channels % 4 == 0, "channels of a block", channels, "a multiple of 4")
    return channels // 4


DISCRIMINATOR_32 = ProjectionDiscriminator(
    BigGANDeepFeatures(multipliers=(4, 4, 4, 4), halvings=2, attention=()), initializer=Orthogonal()
)
DISCRIMINATOR_64 = ProjectionDiscriminator(
    BigGANDeepFeatures(multipliers=(1, 2, 4, 8, 16), halvings=4, attention=(32,)), initializer=Orthogonal()
)
DISCRIMINATOR_128 = ProjectionDiscriminator(BigGANDeepFeatures(), initializer=Orthogonal())
"""Of images of each size, as in the PyTorch code but for attention at 32 in the second.

`MULTIPLIERS_32` and so on of `jaxgen.nets.biggan` are the generator's.
"""
