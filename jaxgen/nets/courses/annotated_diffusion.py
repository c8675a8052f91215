"""The U-Net of ConvNeXt blocks of "The Annotated Diffusion Model" (Rogge, Rasul, 2022), as FIDLE teaches it.

FIDLE: Formation Introduction au Deep Learning, CNRS and UGA, notebook on DDPM. The blocks are after Liu et al.: A
ConvNet for the 2020s, 2022, arXiv 2201.03545; the linear attention is that of Shen et al.: Efficient Attention, 2021,
arXiv 1812.01243.
"""

from typing import Literal, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.attention import attend
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.unet.blocks import GroupNorm, check_maps, check_outputs
from jaxgen.nets.unet.condition import Classes, Condition, only_classes
from jaxgen.nets.unet.embeddings import Sinusoid, Vectors
from jaxgen.typing import Images, PerExample, Shape

Kind: TypeAlias = Literal["full", "linear"]
"""Of attention."""

HALVING = ((1, 1), (1, 1))
"""Zeros on each side of a 4x4 convolution of stride 2."""


class ConvNeXtBlock(nn.Module):
    """A 7x7 convolution of each channel, plus the embedding; norm, conv3, GELU, norm, conv3; plus the inputs."""

    features: int
    expansion: int = 2  # of the features, between the 3x3 convolutions
    dtype: Literal["float32", "bfloat16"] = "float32"

    @nn.compact
    def __call__(self, inputs: Images, embedding: Vectors | None = None) -> Outputs:
        """(batch, height, width, channels) to (batch, height, width, features)."""
        channels, dtype = inputs.shape[-1], jnp.dtype(self.dtype)
        hidden = Conv(channels, 7, feature_groups=channels, dtype=dtype, name="depthwise")(inputs)
        if embedding is not None:
            hidden = hidden + nn.Dense(channels, dtype=dtype, name="time")(gelu(embedding))[:, None, None, :]
        hidden = Conv(self.expansion * self.features, 3, dtype=dtype, name="conv_0")(norm(hidden, "norm_0"))
        hidden = Conv(self.features, 3, dtype=dtype, name="conv_1")(norm(gelu(hidden), "norm_1"))
        if channels == self.features:
            return inputs + hidden
        return Conv(self.features, 1, dtype=dtype, name="shortcut")(inputs) + hidden


class SelfAttention(nn.Module):
    """norm, attention, a dense layer; plus the inputs. "linear" costs a multiple of the places, not of their square.

    Linear attention takes the softmax of the queries over the features and that of the keys over the places,

        softmax(Q) softmax(K)^T V / sqrt(d),

    multiplies from the right, and has one more norm behind the dense layer.
    """

    kind: Kind
    heads: int = 4
    head_features: int = 32
    dtype: Literal["float32", "bfloat16"] = "float32"

    @nn.compact
    def __call__(self, inputs: Images) -> Images:
        """The shape of the inputs."""
        batch, rows, columns, channels = inputs.shape
        dtype, features = jnp.dtype(self.dtype), self.heads * self.head_features
        hidden = norm(inputs, "norm").reshape(batch, rows * columns, channels)
        hidden = nn.Dense(3 * features, use_bias=False, dtype=dtype, name="queries_keys_values")(hidden)
        heads = (batch, rows * columns, self.heads, self.head_features)
        queries, keys, values = (part.reshape(heads) for part in jnp.split(hidden, 3, axis=2))
        attended = attend(queries, keys, values) if self.kind == "full" else linear_attention(queries, keys, values)
        outputs = nn.Dense(channels, dtype=dtype, name="outputs")(attended.reshape(batch, rows, columns, features))
        return inputs + (outputs if self.kind == "full" else norm(outputs, "last_norm"))


def linear_attention(
    queries: Float[Array, "batch tokens heads features"],
    keys: Float[Array, "batch tokens heads features"],
    values: Float[Array, "batch tokens heads features"],
) -> Float[Array, "batch tokens heads features"]:
    """softmax(Q) softmax(K)^T V / sqrt(d), for each head; the softmax in float32."""
    of_features = nn.softmax(queries.astype(jnp.float32), axis=3) / queries.shape[3] ** 0.5
    of_places = nn.softmax(keys.astype(jnp.float32), axis=1)
    context = jnp.einsum("bthk,bthv->bhkv", of_places.astype(values.dtype), values)
    return jnp.einsum("bthk,bhkv->bthv", of_features.astype(values.dtype), context)


class ConvNeXtUNet(nn.Module):
    """Noisy images and their times to what is predicted of them."""

    channels: int = 28  # times the multipliers; the first convolution has two thirds of it
    multipliers: tuple[int, ...] = (1, 2, 4)  # for each size of maps; the largest first
    expansion: int = 2  # of the features inside a block
    heads: int = 4
    head_features: int = 32
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32
    remat: bool = False  # compute blocks again in the backward pass, for less memory

    @nn.compact
    def __call__(
        self,
        inputs: Images,
        times: PerExample,
        condition: Condition | Classes | None,
        output_shape: Shape,
        *,
        mode: Mode = EVALUATION,
    ) -> Outputs:
        """(batch, height, width, channels), (batch,), classes or None to (batch, *output_shape), float32.

        Raises:
            ValueError: sides that do not halve for each size, or outputs of another size than the inputs.
        """
        check_maps(inputs.shape[1:], self.multipliers, ())
        check_outputs(inputs.shape, output_shape)
        require(self.channels >= 4 and self.channels % 2 == 0, "channels", self.channels, "even and at least 4")
        dtype = jnp.dtype(self.dtype)
        embedding = self._embedding(times, only_classes(condition))
        next_block = nn.remat(ConvNeXtBlock) if self.remat else ConvNeXtBlock
        attention = nn.remat(SelfAttention) if self.remat else SelfAttention

        def block(hidden: Images, features: int, name: str) -> Outputs:
            return next_block(features, self.expansion, self.dtype, name=name)(hidden, embedding)

        def attend_to_all(hidden: Images, kind: Kind, name: str) -> Images:
            return attention(kind, self.heads, self.head_features, self.dtype, name=name)(hidden)

        hidden = Conv(self.channels // 3 * 2, 7, dtype=dtype, name="inputs")(inputs.astype(dtype))
        kept = []
        levels = [multiplier * self.channels for multiplier in self.multipliers]
        for level, features in enumerate(levels):
            hidden = block(hidden, features, f"down_{level}_0")
            hidden = block(hidden, features, f"down_{level}_1")
            hidden = attend_to_all(hidden, "linear", f"down_{level}_attention")
            kept.append(hidden)
            if level < len(levels) - 1:
                hidden = Conv(features, 4, strides=2, padding=HALVING, dtype=dtype, name=f"down_{level}")(hidden)

        hidden = block(hidden, levels[-1], "middle_0")
        hidden = block(attend_to_all(hidden, "full", "middle_attention"), levels[-1], "middle_1")

        for level in range(len(levels) - 1, 0, -1):
            hidden = jnp.concatenate([hidden, kept.pop()], axis=-1)
            hidden = block(hidden, levels[level - 1], f"up_{level}_0")
            hidden = block(hidden, levels[level - 1], f"up_{level}_1")
            hidden = attend_to_all(hidden, "linear", f"up_{level}_attention")
            up = ConvTranspose(levels[level - 1], 4, strides=2, padding=HALVING, dtype=dtype, name=f"up_{level}")
            hidden = up(hidden)

        hidden = next_block(self.channels, self.expansion, self.dtype, name="last")(hidden)
        return Conv(output_shape[-1], 1, dtype=dtype, name="outputs")(hidden).astype(jnp.float32)

    def _embedding(self, times: PerExample, classes: Classes | None) -> Vectors:
        """Sinusoids, dense, GELU, dense; plus a vector of the class, which the course does not have."""
        dtype, width = jnp.dtype(self.dtype), 4 * self.channels
        hidden = Sinusoid()(times, self.channels).astype(dtype)
        hidden = nn.Dense(width, dtype=dtype, name="time_0")(hidden)
        hidden = nn.Dense(width, dtype=dtype, name="time_1")(gelu(hidden))
        if classes is None:
            return hidden
        return hidden + nn.Dense(width, use_bias=False, dtype=dtype, name="classes")(classes.astype(dtype))


def norm(hidden: Images, name: str) -> Images:
    """A norm of each example, with one group of all channels."""
    return GroupNorm(1, 1e-5, activate=False, name=name)(hidden)


def gelu(hidden: jax.Array) -> jax.Array:
    """x P(N(0, 1) <= x), without the approximation by tanh that is JAX's default."""
    return nn.gelu(hidden, approximate=False)
