"""Layers that keep the magnitude of what they are given: activations of mean square 1 stay so at every depth.

Karras, Aittala, Lehtinen, Hellsten, Aila, Laine: Analyzing and Improving the Training Dynamics of Diffusion Models
(EDM2), 2023, arXiv 2312.02696, section 2 and appendix B.

With w the stored weights of one output, of n numbers, a layer computes with

    w' = w / (|w| / sqrt(n) + eps) / sqrt(n),    |w'| = 1                                                  (47)

so that the length of w has no effect, and no layer has a bias: a channel of ones in the inputs of the network takes
their place. Gradients are then orthogonal to w, which grows with every step and learns ever more slowly; the authors'
code therefore overwrites w by sqrt(n) w' in every pass of training: forced weight normalisation (66). Here a pass
changes no weights; an optimiser does it after each step, `Optimizer(..., normalized=True)`. That differs before the
first step alone, where weights are those drawn, and in moving averages, which are of normalised weights here.
"""

import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.nets.convolution import conv
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.typing import Images

SILU_RMS = 0.596
"""Root mean square of swish of N(0, 1), as the paper rounds 0.5964692111."""

EPSILON = 1e-4


class MagnitudePreservingDense(nn.Module):
    """A dense layer on the last axis, (..., inputs) to (..., features), without biases."""

    features: int
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: jax.Array, gain: jax.Array | float = 1.0) -> jax.Array:
        """The linear map of each row, times `gain`."""
        dtype = jnp.dtype(self.dtype)
        kernel = _kernel(self, (inputs.shape[-1], self.features))
        return inputs.astype(dtype) @ (kernel * gain).astype(dtype)


class MagnitudePreservingConv(nn.Module):
    """A convolution that keeps the sides, (batch, height, width, channels) to (..., features), without biases."""

    features: int
    kernel_size: int = 3
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, gain: jax.Array | float = 1.0) -> Outputs:
        """The convolution of the images, times `gain`."""
        dtype = jnp.dtype(self.dtype)
        kernel = _kernel(self, (self.kernel_size, self.kernel_size, images.shape[-1], self.features))
        return conv(images.astype(dtype), (kernel * gain).astype(dtype))


def normalize(array: Float[Array, "..."], axes: tuple[int, ...], epsilon: float = EPSILON) -> Float[Array, "..."]:
    """The array over its root mean square along some axes, plus epsilon; zeros stay zeros, with gradients of 0.

    Along the channels of maps, the pixel norm; along all but the outputs of a kernel, weight normalisation to
    |w| = sqrt(n). The mean square is of float32, the result of the array's type.
    """
    square = (array.astype(jnp.float32) ** 2).mean(axes, keepdims=True)
    there = square > 0
    length = jnp.where(there, jnp.sqrt(jnp.where(there, square, 1.0)), 0.0)
    return array / (length + epsilon).astype(array.dtype)


def mp_silu(inputs: Float[Array, "..."]) -> Float[Array, "..."]:
    """swish(x) / 0.596: its mean square is 1 for x from N(0, 1) (81)."""
    return nn.swish(inputs) / SILU_RMS


def mp_sum(
    first: Float[Array, "*shape"], second: Float[Array, "*shape"], balance: float = 0.5
) -> Float[Array, "*shape"]:
    """((1 - t) a + t b) / sqrt((1 - t)^2 + t^2), t the balance (88).

    Of mean square 1 where a and b are, and do not correlate.
    """
    return ((1.0 - balance) * first + balance * second) / math.hypot(1.0 - balance, balance)


def mp_cat(
    first: Float[Array, "*rest first"], second: Float[Array, "*rest second"], balance: float = 0.5
) -> Float[Array, "*rest both"]:
    """a and b beside each other on the last axis, each with its share of the whole, however many channels it has (103).

    With t the balance and N_a, N_b the channels: `sqrt((N_a + N_b) / ((1 - t)^2 + t^2))` times
    `(1 - t) / sqrt(N_a) a` and `t / sqrt(N_b) b`.
    """
    channels = first.shape[-1], second.shape[-1]
    scale = math.sqrt(sum(channels)) / math.hypot(1.0 - balance, balance)
    weights = scale * (1.0 - balance) / math.sqrt(channels[0]), scale * balance / math.sqrt(channels[1])
    return jnp.concatenate([weights[0] * first, weights[1] * second], axis=-1)


def _kernel(layer: nn.Module, shape: tuple[int, ...]) -> jax.Array:
    """w' of the layer's param `kernel`, whose last axis is that of the outputs, in float32."""
    kernel = layer.param("kernel", nn.initializers.normal(1.0), shape)
    return normalize(kernel, tuple(range(len(shape) - 1))) / math.sqrt(math.prod(shape[:-1]))
