"""Residual generator and critics of WGAN-GP, for images of 32x32 and of 64x64.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs, 2017, arXiv 1704.00028, appendix
F and the authors' code, where they differ.

    ResNetGenerator(), ResNetCritic()                               32x32, CIFAR-10
    ResNetGenerator(GOOD_CHANNELS, inner_bias=False), FlatResNetCritic()    64x64, with layer normalisation

Means are pooled before a 1x1 convolution, where the authors do so after it: the two commute, and this is cheaper.
"""

import functools
import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution import mean_pool, upsample_nearest
from jaxgen.nets.convolution_layers import Conv, ConvMeanPool, UpsampleConv
from jaxgen.nets.image_shapes import halved
from jaxgen.nets.initializers import Initializer, to_flax
from jaxgen.nets.norm import ConditionalBatchNorm, Norm, normalize
from jaxgen.typing import Shape

# Uniform, of variance 4 / (inputs + outputs) before a ReLU's other half, and of half that elsewhere.
HE_GLOROT = nn.initializers.variance_scaling(2.0, "fan_avg", "uniform")
GLOROT = nn.initializers.glorot_uniform()

GOOD_CHANNELS = (512, 512, 256, 128, 64)  # of the 64x64 generator, the smallest map first


class ResidualBlock(nn.Module):
    """[norm] ReLU conv3 [norm] ReLU conv3 plus a shortcut, a 1x1 convolution unless nothing changes.

    "up" doubles the sides before the first convolution, "down" halves them after the second. A batch norm becomes
    conditional where there is a condition.
    """

    features: int
    resample: Literal["none", "up", "down"] = "none"
    norm: Norm = "none"
    inner_bias: bool = True  # whether the first convolution has a bias
    dtype: Literal["float32", "bfloat16"] = "float32"
    inner: int | None = None  # channels between the convolutions; None: of the inputs where it halves, else of outputs
    weights: Initializer | None = None  # how all convolutions begin; None for variances of He and Glorot
    centred: bool = False  # whether conditional norms scale by 1 + W c, with W as `weights`, else by W c with W of ones

    @nn.compact
    def __call__(self, inputs: jax.Array, condition: jax.Array | None = None, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, ..., features), of twice or half the size or the same."""
        dtype = jnp.dtype(self.dtype)
        require(condition is None or self.norm == "batch", "norm", self.norm, "batch, where there is a condition")

        def activate(hidden):
            if condition is not None:
                hidden = ConditionalBatchNorm(self.weights if self.centred else None)(hidden, condition, mode)
            else:
                hidden = normalize(hidden, self.norm, mode)
            return nn.relu(hidden)

        first, second = {
            "none": (Conv, Conv),
            "up": (UpsampleConv, Conv),
            "down": (Conv, ConvMeanPool),
        }[self.resample]
        # On the way down the second convolution changes the width, as in the authors' code.
        default = inputs.shape[-1] if self.resample == "down" else self.features
        inner = default if self.inner is None else self.inner
        kernel_init = HE_GLOROT if self.weights is None else to_flax(self.weights)
        hidden = first(inner, 3, use_bias=self.inner_bias, dtype=dtype, kernel_init=kernel_init)(activate(inputs))
        hidden = second(self.features, 3, dtype=dtype, kernel_init=kernel_init)(activate(hidden))
        return hidden + self._shortcut(inputs, dtype)

    def _shortcut(self, inputs: jax.Array, dtype: jnp.dtype) -> jax.Array:
        if self.resample == "none" and inputs.shape[-1] == self.features:
            return inputs
        kernel_init = GLOROT if self.weights is None else to_flax(self.weights)
        project = Conv(self.features, 1, dtype=dtype, kernel_init=kernel_init, name="shortcut")
        match self.resample:
            case "up":
                return upsample_nearest(project(inputs))  # the two commute
            case "down":
                return project(mean_pool(inputs))
        return project(inputs)


class FirstBlock(nn.Module):
    """The critic's first block: conv3 ReLU conv3 mean pool plus mean pool conv1; the image is not activated."""

    features: int
    dtype: Literal["float32", "bfloat16"] = "float32"
    weights: Initializer | None = None  # how all convolutions begin; None for variances of He and Glorot

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """(batch, height, width, channels) to (batch, height / 2, width / 2, features)."""
        dtype = jnp.dtype(self.dtype)
        inside, outside = (HE_GLOROT, GLOROT) if self.weights is None else (to_flax(self.weights),) * 2
        hidden = nn.relu(Conv(self.features, 3, dtype=dtype, kernel_init=inside)(images))
        hidden = ConvMeanPool(self.features, 3, dtype=dtype, kernel_init=inside)(hidden)
        return hidden + Conv(self.features, 1, dtype=dtype, kernel_init=outside, name="shortcut")(mean_pool(images))


class ResNetGenerator(nn.Module):
    """A dense layer to the smallest map, a block for each doubling, and batch norm, ReLU and a 3x3 convolution.

    Given a condition, its blocks have conditional batch norm; the last batch norm is plain, as in the authors' code.
    """

    channels: tuple[int, ...] = (128, 128, 128, 128)  # of each map, the smallest first
    inner_bias: bool = True  # whether the first convolution of a block has a bias
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(
        self, latents: jax.Array, output_shape: Shape, *, condition: jax.Array | None = None, mode: Mode = EVALUATION
    ) -> jax.Array:
        """(batch, latent) and perhaps (batch, classes) to (batch, *output_shape), without output activation."""
        height, width, image_channels = halved(output_shape, len(self.channels) - 1)
        require(min(self.channels) >= 1, "channels", self.channels, "positive widths")
        dtype = jnp.dtype(self.dtype)
        smallest = (height, width, self.channels[0])
        hidden = nn.Dense(math.prod(smallest), dtype=dtype, kernel_init=GLOROT)(latents.astype(dtype))
        hidden = hidden.reshape(latents.shape[0], *smallest)
        for features in self.channels[1:]:
            block = ResidualBlock(features, "up", "batch", self.inner_bias, self.dtype)
            hidden = block(hidden, condition, mode=mode)
        hidden = nn.relu(normalize(hidden, "batch", mode))
        return Conv(image_channels, 3, dtype=dtype, kernel_init=GLOROT)(hidden).astype(jnp.float32)


class ResNetCritic(nn.Module):
    """Two halvings, blocks at that size, ReLU, the mean over all places, and one dense layer for all outputs.

    SNGAN (arXiv 1802.05957, table 4) has the sum in place of the mean, and no last bias.
    """

    channels: int = 128
    blocks: int = 2  # at the smallest size
    norm: Norm = "none"  # before each activation of a block but the first block's; no "batch" under a penalty
    pool: Literal["mean", "sum"] = "mean"  # over all places, before the dense layer
    last_bias: bool = True  # whether the dense layer has a bias
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32; one score each with `()`."""
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        dtype = jnp.dtype(self.dtype)
        hidden = FirstBlock(self.channels, self.dtype)(images.astype(dtype))
        block = functools.partial(ResidualBlock, self.channels, norm=self.norm, dtype=self.dtype)
        hidden = block("down")(hidden, mode=mode)
        for _ in range(self.blocks):
            hidden = block()(hidden, mode=mode)
        hidden = nn.relu(hidden)
        pooled = hidden.mean((1, 2)) if self.pool == "mean" else hidden.sum((1, 2))
        return _outputs(pooled, output_shape, dtype, self.last_bias)


class FlatResNetCritic(nn.Module):
    """A 3x3 convolution, a halving block for each width, and one dense layer from the whole smallest map."""

    channels: tuple[int, ...] = (64, 128, 256, 512, 512)  # of each map, the largest first
    norm: Norm = "layer"  # before each activation; no "batch" under a penalty
    inner_bias: bool = False  # whether the first convolution of a block has a bias
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32; one score each with `()`."""
        halved(images.shape[1:], len(self.channels) - 1)
        dtype = jnp.dtype(self.dtype)
        hidden = Conv(self.channels[0], 3, dtype=dtype, kernel_init=GLOROT)(images.astype(dtype))
        for features in self.channels[1:]:
            block = ResidualBlock(features, "down", self.norm, self.inner_bias, self.dtype)
            hidden = block(hidden, mode=mode)
        return _outputs(hidden.reshape(images.shape[0], -1), output_shape, dtype)


def _outputs(hidden: jax.Array, output_shape: Shape, dtype: jnp.dtype, bias: bool = True) -> jax.Array:
    outputs = nn.Dense(math.prod(output_shape), bias, dtype=dtype, kernel_init=GLOROT)(hidden)
    return outputs.astype(jnp.float32).reshape(hidden.shape[0], *output_shape)
