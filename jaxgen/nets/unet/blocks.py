"""The blocks of which the U-Nets are built: group normalisation, residual block, attention block.

Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, 2020, arXiv 2006.11239, and its successors, which change a
`Style` each: Nichol, Dhariwal: Improved Denoising Diffusion Probabilistic Models, 2021, arXiv 2102.09672; Song et al.:
Score-Based Generative Modeling through Stochastic Differential Equations, 2021, arXiv 2011.13456; Dhariwal, Nichol:
Diffusion Models Beat GANs on Image Synthesis, 2021, arXiv 2105.05233; Karras et al.: Elucidating the Design Space of
Diffusion-Based Generative Models, 2022, arXiv 2206.00364.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.attention import attend
from jaxgen.nets.convolution import mean_pool, upsample_nearest
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.convolution_layers import Conv, UpsampleConv
from jaxgen.nets.dropout import dropout
from jaxgen.nets.unet.embeddings import Vectors
from jaxgen.typing import Images, Shape

GLOROT = nn.initializers.glorot_uniform()
NEARLY_ZERO = nn.initializers.variance_scaling(1e-10, "fan_avg", "uniform")  # 1e-5 of GLOROT: a block begins as x -> x


Resampling: TypeAlias = Literal["none", "up", "down"]
"""Of the maps, inside a residual block."""


@dataclass(frozen=True)
class Style:
    """What all blocks of one network have in common."""

    dropout: float = 0.0  # before the last convolution of each residual block
    scale_shift: bool = False  # the embedding scales and shifts the second norm, else it is added before it
    residual_scale: float = 1.0  # of each sum of a block and its shortcut
    attention_variance: float = 2.0  # of first weights to Q, K and V; with 2 each of the three is as GLOROT has it
    projected: bool = False  # whether each shortcut that resamples has a 1x1 convolution, also between equal widths
    dtype: Literal["float32", "bfloat16"] = "float32"


def num_groups(channels: int) -> int:
    """Groups of a norm: 32, or fewer of at least four channels each; as many as divide the channels.

    DDPM's code has 32 always, which for 32 channels would be a norm of each channel by itself; EDM's has this rule.
    From 128 channels on they are the same.

    >>> num_groups(128), num_groups(32), num_groups(144)
    (32, 8, 24)
    """
    most = max(min(32, channels // 4), 1)
    return next(num for num in range(most, 0, -1) if channels % num == 0)


class GroupNorm(nn.Module):
    """Group normalisation in float32, and what follows it in every block: scale and shift by the embedding, swish.

    Wu, He: Group Normalization, 2018, arXiv 1803.08494. Statistics are taken for each channel first, so that the map is
    read in the order in which it lies.
    """

    groups: int | None = None  # None for `num_groups`
    epsilon: float = 1e-6
    activate: bool = True  # whether a swish follows

    @nn.compact
    def __call__(self, inputs: Images, scale_shift: Float[Array, "batch twice"] | None = None) -> Images:
        """The type and the shape of the inputs."""
        channels = inputs.shape[-1]
        groups = num_groups(channels) if self.groups is None else self.groups
        require(groups >= 1 and channels % groups == 0, "groups", groups, f"a divisor of {channels} channels")
        scale = self.param("scale", nn.initializers.ones, (channels,), jnp.float32)[None]
        offset = self.param("bias", nn.initializers.zeros, (channels,), jnp.float32)[None]
        hidden = inputs.astype(jnp.float32)
        centred = hidden - of_groups(hidden.mean((1, 2)), groups)[:, None, None, :]
        variance = of_groups((centred**2).mean((1, 2)), groups)
        if scale_shift is not None:
            more, shift = jnp.split(scale_shift.astype(jnp.float32), 2, axis=1)
            scale, offset = scale * (1 + more), offset * (1 + more) + shift
        scale = scale * jax.lax.rsqrt(variance + self.epsilon)
        outputs = centred * scale[:, None, None, :] + offset[:, None, None, :]
        return (nn.swish(outputs) if self.activate else outputs).astype(inputs.dtype)


def of_groups(means: Float[Array, "batch channels"], groups: int) -> Float[Array, "batch channels"]:
    """Means of neighbouring channels, repeated for each channel."""
    batch, channels = means.shape
    grouped = means.reshape(batch, groups, channels // groups).mean(2, keepdims=True)
    return jnp.broadcast_to(grouped, (batch, groups, channels // groups)).reshape(batch, channels)


class ResidualBlock(nn.Module):
    """norm swish conv3, embedding, norm swish dropout conv3; plus the inputs, by a 1x1 convolution to another width.

    "up" doubles the sides before the first convolution and on the shortcut, "down" halves them by means.
    """

    features: int
    style: Style
    resample: Resampling = "none"
    layer: int = 0  # the number of its dropout in the network

    @nn.compact
    def __call__(self, inputs: Images, embedding: Vectors, mode: Mode = EVALUATION) -> Outputs:
        """(batch, height, width, channels) and (batch, width) to (batch, ..., features)."""
        style, dtype = self.style, jnp.dtype(self.style.dtype)
        hidden = GroupNorm(name="norm_0")(inputs)
        hidden = mean_pool(hidden) if self.resample == "down" else hidden
        first = UpsampleConv if self.resample == "up" else Conv
        hidden = first(self.features, 3, dtype=dtype, kernel_init=GLOROT, name="conv_0")(hidden)
        width = (2 if style.scale_shift else 1) * self.features
        told = nn.Dense(width, dtype=dtype, kernel_init=GLOROT, name="embedding")(embedding)
        if style.scale_shift:
            hidden = GroupNorm(name="norm_1")(hidden, told)
        else:
            hidden = GroupNorm(name="norm_1")(hidden + told[:, None, None, :])
        hidden = dropout(hidden, style.dropout, mode, self.layer)
        hidden = Conv(self.features, 3, dtype=dtype, kernel_init=NEARLY_ZERO, name="conv_1")(hidden)
        return add(self._shortcut(inputs), hidden, style)

    def _shortcut(self, inputs: jax.Array) -> jax.Array:
        """The mean is pooled before a 1x1 convolution, and pixels are repeated after it: both commute with it."""
        if self.resample == "down":
            inputs = mean_pool(inputs)
        if inputs.shape[-1] != self.features or (self.style.projected and self.resample != "none"):
            dtype = jnp.dtype(self.style.dtype)
            inputs = Conv(self.features, 1, dtype=dtype, kernel_init=GLOROT, name="shortcut")(inputs)
        return upsample_nearest(inputs) if self.resample == "up" else inputs


class AttentionBlock(nn.Module):
    """norm, attention of all places to each other, a dense layer; plus the inputs."""

    style: Style
    heads: int = 1

    @nn.compact
    def __call__(self, inputs: Images) -> Images:
        """The shape of the inputs; ValueError unless the channels divide into heads."""
        batch, rows, columns, channels = inputs.shape
        require(
            self.heads >= 1 and channels % self.heads == 0, "heads", self.heads, f"a divisor of {channels} channels"
        )
        dtype = jnp.dtype(self.style.dtype)
        hidden = GroupNorm(activate=False, name="norm")(inputs).reshape(batch, rows * columns, channels)
        kernel_init = nn.initializers.variance_scaling(self.style.attention_variance, "fan_avg", "uniform")
        hidden = nn.Dense(3 * channels, dtype=dtype, kernel_init=kernel_init, name="queries_keys_values")(hidden)
        heads = (batch, rows * columns, self.heads, channels // self.heads)
        queries, keys, values = (part.reshape(heads) for part in jnp.split(hidden, 3, axis=2))
        hidden = attend(queries, keys, values).reshape(batch, rows * columns, channels)
        hidden = nn.Dense(channels, dtype=dtype, kernel_init=NEARLY_ZERO, name="outputs")(hidden)
        return add(inputs, hidden.reshape(inputs.shape), self.style)


def add(inputs: Outputs, hidden: Outputs, style: Style) -> Outputs:
    """The sum of a block and its shortcut, scaled."""
    outputs = inputs + hidden
    return outputs if style.residual_scale == 1 else outputs * style.residual_scale


def check_maps(shape: Shape, multipliers: tuple[int, ...], attention: tuple[int, ...]) -> None:
    """ValueError unless the maps of an image halve from level to level, and each height of `attention` is one's."""
    height, width, _ = shape
    levels = len(multipliers)
    require(min(multipliers, default=0) >= 1, "multipliers", multipliers, "one or more above 0, one for each size")
    unit = 1 << (levels - 1)
    fits = height % unit == width % unit == 0
    cure = f"a multiple of {unit}x{unit} for {levels} sizes: give fewer multipliers, or pad the images"
    require(fits, "size of images", f"{height}x{width}", cure)
    heights = tuple(height >> level for level in range(levels))
    require(set(attention) <= set(heights), "attention", attention, f"some of {heights}, the heights of the maps")


def check_outputs(inputs: Shape, output_shape: Shape) -> None:
    """ValueError unless images come out of the size that goes in."""
    fits = len(output_shape) == 3 and output_shape[:2] == inputs[1:3]
    require(fits, "output_shape", output_shape, f"(height, width, channels) for inputs of {inputs[1:3]}")
