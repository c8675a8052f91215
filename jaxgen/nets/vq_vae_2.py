"""Networks of VQ-VAE-2: encoders and decoders of two grids of vectors, and the prior of the lower grid given the upper.

Razavi, van den Oord, Vinyals: Generating Diverse High-Fidelity Images with VQ-VAE-2, 2019, arXiv 1906.00446. Sizes and
layers are those of github.com/rosinality/vq-vae-2-pytorch. All get their output shape at the call.
"""

from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.grid import GridDecoder, ResidualStack, doublings
from jaxgen.nets.pixelcnn import Grid, PixelCNN
from jaxgen.typing import Shape

TopGrid = Int[Array, "batch top_rows top_columns"]
"""One code for each position of the upper grid."""


class Features(nn.Module):
    """Strided 4x4 convolutions, the first half as wide, a 3x3 one and residual blocks: what both grids are made of."""

    residual_blocks: int = 2
    residual_channels: int = 32
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), output_shape (rows, columns, maps)."""
        num, maps = doublings(output_shape, images.shape[1:]), output_shape[2]
        dtype = jnp.dtype(self.dtype)
        hidden = images.astype(dtype)
        for level in range(num):
            hidden = nn.relu(Conv(maps if level else -(-maps // 2), 4, strides=2, dtype=dtype)(hidden))
        hidden = Conv(maps, 3, dtype=dtype)(hidden)
        return ResidualStack(self.residual_blocks, self.residual_channels, self.dtype)(hidden).astype(jnp.float32)


class TopEncoder(nn.Module):
    """The lower grid's features to the upper grid's encodings: `Features`, and a 1x1 convolution."""

    features: nn.Module = Features()

    @nn.compact
    def __call__(self, features: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, maps) to (batch, *output_shape), output_shape (rows, columns, d)."""
        hidden = self.features(features, (*output_shape[:2], features.shape[3]), mode=mode)
        return Conv(output_shape[2], 1)(hidden)


class BottomEncoder(nn.Module):
    """The lower grid's encodings, from its features and from the upper grid's vectors, decoded."""

    decoder: nn.Module = GridDecoder()  # of the upper grid's vectors, to the size of the lower

    @nn.compact
    def __call__(
        self, features: jax.Array, top: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """Features (batch, rows, columns, maps) and vectors of the upper grid to (batch, *output_shape)."""
        decoded = self.decoder(top, output_shape, mode=mode)
        return Conv(output_shape[2], 1)(jnp.concatenate([decoded, features], axis=3))


class TwoGridDecoder(nn.Module):
    """The image of the vectors of both grids: the upper ones enlarged by transposed convolutions, then both decoded."""

    decoder: nn.Module = GridDecoder()  # of the vectors of both, side by side

    @nn.compact
    def __call__(self, bottom: jax.Array, top: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """Vectors (batch, rows, columns, d) of the lower and of the upper grid to (batch, *output_shape)."""
        for _ in range(doublings(top.shape[1:], bottom.shape[1:])):
            top = ConvTranspose(top.shape[3], 4, strides=2)(top)
        return self.decoder(jnp.concatenate([top, bottom], axis=3), output_shape, mode=mode)


class GivenTop(nn.Module):
    """A network of the lower grid's codes that sees those of the upper: embedded, refined, and enlarged."""

    prior: PixelCNN = PixelCNN()
    residual_blocks: int = 2  # of the upper grid's embeddings

    @nn.compact
    def __call__(self, codes: Grid, top: TopGrid, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """Codes of both grids, (batch, rows, columns), to logits (batch, *output_shape), output_shape (..., K)."""
        channels, dtype = self.prior.channels, self.prior.dtype
        hidden = nn.Embed(output_shape[2], channels, dtype=jnp.dtype(dtype))(top)
        hidden = ResidualStack(self.residual_blocks, channels, dtype)(hidden)
        factor = codes.shape[1] // top.shape[1]
        condition = hidden.repeat(factor, axis=1).repeat(factor, axis=2)
        return self.prior(codes, output_shape, condition=condition, mode=mode)
