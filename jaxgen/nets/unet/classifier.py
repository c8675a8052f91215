"""A classifier of noisy images, for classifier guidance: the first half of a U-Net, and one vector of its last maps.

Dhariwal, Nichol: Diffusion Models Beat GANs on Image Synthesis, 2021, arXiv 2105.05233, and the authors' code.

    NoisyClassifier()                                                        64x64, ImageNet
    NoisyClassifier(32, (1, 2, 2), blocks=1, attention=(14,), head_features=32)    28x28, a small one
"""

import itertools
import math
from typing import Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.attention import attend
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.unet.blocks import (
    GLOROT,
    NEARLY_ZERO,
    AttentionBlock,
    GroupNorm,
    Resampling,
    ResidualBlock,
    Style,
    check_maps,
)
from jaxgen.nets.unet.embeddings import Features, Sinusoid, TimeEmbedding
from jaxgen.typing import Images, PerExample, Shape


class NoisyClassifier(nn.Module):
    """Noisy images and their times to logits."""

    channels: int = 128  # of the largest maps
    multipliers: tuple[int, ...] = (1, 2, 3, 4)  # of the channels, for each size of maps; the largest first
    blocks: int = 4  # residual blocks of each size, and one between sizes
    attention: tuple[int, ...] = (32, 16, 8)  # heights of maps with attention; those in the middle have it always
    head_features: int = 64  # of each head of attention
    pool: Literal["attention", "mean"] = "attention"  # how the last maps become one vector
    dropout: float = 0.0
    features: Features = Sinusoid(endpoint=False, cosines_first=True)  # of the time
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32
    remat: bool = False  # compute blocks again in the backward pass, for less memory

    @nn.compact
    def __call__(
        self, inputs: Images, times: PerExample, output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> Float[Array, "batch ..."]:
        """(batch, height, width, channels) and (batch,) to float32 logits (batch, *output_shape).

        Raises:
            ValueError: sides that do not halve for each size, heights of attention that no maps have, channels that do
                not divide into heads, or dropout in training without keys.
        """
        check_maps(inputs.shape[1:], self.multipliers, self.attention)
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        require(self.pool in ("attention", "mean"), "pool", self.pool, "attention or mean")
        dtype = jnp.dtype(self.dtype)
        style = Style(self.dropout, scale_shift=True, dtype=self.dtype)
        embedding = TimeEmbedding(self.features, self.channels, 4 * self.channels, self.dtype, name="time")(times)
        residual = nn.remat(ResidualBlock) if self.remat else ResidualBlock
        attentive = nn.remat(AttentionBlock) if self.remat else AttentionBlock
        numbers = itertools.count()

        def block(hidden, features, name, *, attends=False, resample: Resampling = "none"):
            hidden = residual(features, style, resample, next(numbers), name=name)(hidden, embedding, mode)
            if not attends:
                return hidden
            return attentive(style, num_heads(features, self.head_features), name=f"{name}_attention")(hidden)

        hidden = Conv(self.channels, 3, dtype=dtype, kernel_init=GLOROT, name="inputs")(inputs.astype(dtype))
        for level, multiplier in enumerate(self.multipliers):
            if level > 0:
                hidden = block(hidden, hidden.shape[-1], f"down_{level}", resample="down")
            for i in range(self.blocks):
                attends = hidden.shape[1] in self.attention
                hidden = block(hidden, multiplier * self.channels, f"down_{level}_{i}", attends=attends)
        hidden = block(hidden, hidden.shape[-1], "middle_0", attends=True)
        hidden = GroupNorm(name="norm")(block(hidden, hidden.shape[-1], "middle_1"))

        num = math.prod(output_shape)
        if self.pool == "attention":
            logits = AttentionPool(num, num_heads(hidden.shape[-1], self.head_features), self.dtype, name="pool")(
                hidden
            )
        else:
            logits = nn.Dense(num, dtype=dtype, kernel_init=NEARLY_ZERO, name="outputs")(hidden.mean((1, 2)))
        return logits.astype(jnp.float32).reshape(inputs.shape[0], *output_shape)


class AttentionPool(nn.Module):
    """The mean of all places attends to itself and to the places, each with a learned vector of its position."""

    features: int
    heads: int
    dtype: str = "float32"

    @nn.compact
    def __call__(self, maps: Images) -> Float[Array, "batch features"]:
        """(batch, height, width, channels) to (batch, features)."""
        batch, rows, columns, channels = maps.shape
        dtype = jnp.dtype(self.dtype)
        tokens = maps.reshape(batch, rows * columns, channels)
        tokens = jnp.concatenate([tokens.mean(1, keepdims=True), tokens], axis=1)
        positions = self.param(
            "positions", nn.initializers.normal(channels**-0.5), (rows * columns + 1, channels), jnp.float32
        )
        tokens = tokens + positions.astype(dtype)[None]

        def project(name: str, tokens):
            hidden = nn.Dense(channels, dtype=dtype, kernel_init=GLOROT, name=name)(tokens)
            return hidden.reshape(*tokens.shape[:2], self.heads, channels // self.heads)

        pooled = attend(project("queries", tokens[:, :1]), project("keys", tokens), project("values", tokens))
        last = nn.Dense(self.features, dtype=dtype, kernel_init=GLOROT, name="outputs")
        return last(pooled.reshape(batch, channels))


def num_heads(channels: int, head_features: int) -> int:
    """Heads of so many features each; ValueError unless the channels divide into them."""
    fits = head_features >= 1 and channels % head_features == 0
    require(fits, "head_features", head_features, f"a divisor of {channels} channels")
    return channels // head_features
