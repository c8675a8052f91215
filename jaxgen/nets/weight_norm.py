"""Layers with weight normalisation: the length of the weights of each output is a number of its own.

Salimans, Kingma: Weight Normalization: A Simple Reparameterization to Accelerate Training of Deep Neural Networks,
2016, arXiv 1602.07868.

With v the stored weights of an output, its weights are w = g v / ||v||. g is fixed, or learned for each output. The
paper sets g and the biases by the statistics of a first batch; here g begins as `gain`, and sqrt(2) keeps the mean
square of what a ReLU gives.
"""

import math
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.nets.convolution import conv, conv_transpose
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.convolution_geometry import Padding
from jaxgen.typing import Images


class WeightNormDense(nn.Module):
    """A dense layer on the last axis, (..., inputs) to (..., features)."""

    features: int
    gain: float = math.sqrt(2)  # g; that it begins as, where it is learned
    learned: bool = False  # g for each output, as the param `scale`

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        """The linear map of each row."""
        outputs = inputs @ _kernel(self, (inputs.shape[-1], self.features))
        return outputs + _bias(self, outputs.ndim)


class WeightNormConv(nn.Module):
    """A convolution, or a transposed one, (batch, height, width, channels) to (..., features)."""

    features: int
    kernel_size: int = 3
    strides: int = 1
    padding: Padding = "SAME"
    gain: float = math.sqrt(2)  # g; that it begins as, where it is learned
    learned: bool = False  # g for each output, as the param `scale`
    transposed: bool = False  # multiplies the sides by the stride

    @nn.compact
    def __call__(self, images: Images) -> Outputs:
        """The convolution of the images."""
        kernel = _kernel(self, (self.kernel_size, self.kernel_size, images.shape[-1], self.features))
        convolve: Callable[..., Outputs] = conv_transpose if self.transposed else conv
        return convolve(images, kernel, strides=self.strides, padding=self.padding) + _bias(self, 4)


def _kernel(layer: "WeightNormDense | WeightNormConv", shape: tuple[int, ...]) -> jax.Array:
    """g v / ||v|| for each output, the last axis of `shape`; v is the layer's param `kernel`."""
    kernel = layer.param("kernel", nn.initializers.normal(0.05), shape)
    lengths = jnp.sqrt((kernel**2).sum(axis=tuple(range(len(shape) - 1)), keepdims=True) + 1e-12)
    gain = layer.gain
    if layer.learned:
        gain = layer.param("scale", nn.initializers.constant(gain), shape[-1:]).reshape(*(1,) * (len(shape) - 1), -1)
    return kernel * (gain / lengths)


def _bias(layer: WeightNormDense | WeightNormConv, ndim: int) -> jax.Array:
    bias = layer.param("bias", nn.initializers.zeros, (layer.features,))
    return bias.reshape(*(1,) * (ndim - 1), -1)
