"""Networks of BigGAN for images of 32x32 to 256x256.

Brock, Donahue, Simonyan: Large Scale GAN Training for High Fidelity Natural Image Synthesis, 2018, arXiv 1809.11096,
and the author's PyTorch code.

The class has one embedding e(y) in the whole generator. The latents z are split into chunks, one for the first layer
and one for each block k, whose norms scale and move a batch norm's outputs h by linear maps without bias,

    (1 + W_k [e(y); z_k]) h + V_k [e(y); z_k].        (1)

    Spectral(BigGANGenerator(), exempt=("embedding",))      128x128, latents of 120 numbers
    Spectral(DISCRIMINATOR_128)
    Spectral(GENERATOR_CIFAR, exempt=("scale", "offset"))   32x32, latents of 128 numbers, as in the script for CIFAR-10
    Spectral(DISCRIMINATOR_CIFAR)

Both players are spectrally normalised, but for embeddings of classes in the generator. Without a shared embedding each
norm has tables of the classes, "scale" and "offset", in the place of e(y). The discriminators have settings of their
own for initialiser, dtype and rematerialisation in `features`.
"""

import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.image_shapes import halved
from jaxgen.nets.initializers import Initializer, Normal, Orthogonal, to_flax
from jaxgen.nets.norm import normalize
from jaxgen.nets.projection import ProjectionDiscriminator
from jaxgen.nets.resnet import ResidualBlock
from jaxgen.nets.self_attention import SelfAttention, check_heights
from jaxgen.nets.sngan_resnet import ResNetFeatures
from jaxgen.typing import Images, Latents, Shape

MULTIPLIERS_32 = (4, 4, 4, 4)
MULTIPLIERS_64 = (16, 16, 8, 4, 2)
MULTIPLIERS_128 = (16, 16, 8, 4, 2, 1)
MULTIPLIERS_256 = (16, 16, 8, 8, 4, 2, 1)
"""Of a generator's channels, for images of each size; for 4x4 first."""


class BigGANGenerator(nn.Module):
    """A dense layer to the smallest map, a block for each doubling, and batch norm, ReLU and a 3x3 convolution."""

    channels: int = 96  # of the largest map, times its multiplier
    multipliers: tuple[int, ...] = MULTIPLIERS_128  # of the channels, for each map; the smallest first
    attention: tuple[int, ...] = (64,)  # heights of maps with attention
    embedding: int | None = 128  # size of e(y); None for tables of classes in each norm
    hierarchical: bool = True  # whether each block gets a chunk of the latents, else the first layer gets all
    initializer: Initializer = Orthogonal()  # of all weights
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32
    remat: bool = False  # compute blocks again in the backward pass, for less memory

    @nn.compact
    def __call__(
        self, latents: Latents, classes: Float[Array, "batch classes"], output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> Images:
        """Latents and one-hot classes to (batch, *output_shape), float32 and without output activation.

        Raises:
            ValueError: sides that do not halve for each map, heights of attention that no block gives, latents that
                do not divide into chunks, or hierarchical latents without an embedding.
        """
        doublings = len(self.multipliers) - 1
        height, width, image_channels = halved(output_shape, doublings)
        check_heights(self.attention, (height << level for level in range(1, doublings + 1)))
        widths = [multiplier * self.channels for multiplier in self.multipliers]
        require(min(widths) >= 1, "channels and multipliers", (self.channels, self.multipliers), "positive")
        dtype, kernel_init = jnp.dtype(self.dtype), to_flax(self.initializer)
        chunk, conditions = self._conditions(latents, classes)
        smallest = (height, width, widths[0])
        first = nn.Dense(math.prod(smallest), dtype=dtype, kernel_init=kernel_init)
        hidden = first(chunk.astype(dtype)).reshape(latents.shape[0], *smallest)
        for level, features in enumerate(widths[1:]):
            hidden = self._block(f"ResidualBlock_{level}", features)(hidden, conditions[level], mode=mode)
            if hidden.shape[1] in self.attention:
                hidden = SelfAttention(initializer=self.initializer, dtype=self.dtype)(hidden)
        hidden = nn.relu(normalize(hidden, "batch", mode))
        return Conv(image_channels, 3, dtype=dtype, kernel_init=kernel_init)(hidden).astype(jnp.float32)

    def _conditions(self, latents: jax.Array, classes: jax.Array) -> tuple[jax.Array, list[jax.Array]]:
        """What the first layer gets, and the condition of each block."""
        blocks = len(self.multipliers) - 1
        if self.embedding is None:
            require(not self.hierarchical, "hierarchical", True, "False where embedding is None: norms hold tables")
            return latents, [classes] * blocks
        embed = embedding(self.embedding, self.initializer, self.dtype)
        embedded = embed(classes)
        if not self.hierarchical:
            return latents, [embedded] * blocks
        size = latents.shape[-1]
        require(size % (blocks + 1) == 0, "size of latents", size, f"a multiple of {blocks + 1}: a chunk for each map")
        first, *others = jnp.split(latents.astype(embedded.dtype), blocks + 1, axis=1)
        return first, [jnp.concatenate([embedded, chunk], axis=1) for chunk in others]

    def _block(self, name: str, features: int) -> ResidualBlock:
        block = nn.remat(ResidualBlock) if self.remat else ResidualBlock
        return block(features, "up", "batch", dtype=self.dtype, weights=self.initializer, centred=True, name=name)


def embedding(size: int, initializer: Initializer, dtype: str) -> nn.Dense:
    """e(y), a layer called "embedding": vectors of classes, as a map of one-hot ones. Inside a compact module."""
    require(size >= 1, "embedding", size, "at least 1")
    return nn.Dense(size, use_bias=False, dtype=jnp.dtype(dtype), kernel_init=to_flax(initializer), name="embedding")


GENERATOR_CIFAR = BigGANGenerator(64, MULTIPLIERS_32, (), None, hierarchical=False, initializer=Normal(0.02))
"""Of the author's script for CIFAR-10."""


def _discriminator(
    channels: tuple[int, ...], halvings: int, attention: tuple[int, ...], initializer: Initializer
) -> ProjectionDiscriminator:
    features = ResNetFeatures(channels, halvings, True, attention, initializer)
    return ProjectionDiscriminator(features, initializer=initializer)


DISCRIMINATOR_CIFAR = _discriminator((256, 256, 256, 256), 2, (), Normal(0.02))
DISCRIMINATOR_64 = _discriminator((96, 192, 384, 768, 1536), 4, (32,), Orthogonal())
DISCRIMINATOR_128 = _discriminator((96, 192, 384, 768, 1536, 1536), 5, (64,), Orthogonal())
"""Of 32x32, 64x64 and 128x128. The height of attention at 64x64, half of the image's as at 128x128, is ours."""
