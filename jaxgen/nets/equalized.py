"""Layers with an equalised learning rate: weights are drawn from N(0, 1) and scaled at each call.

Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and Variation, 2017, arXiv
1710.10196, section 4.1; with a multiplier m of the learning rate: Karras, Laine, Aila, 2018, arXiv 1812.04948.

With w the stored weights and b the stored biases, a layer of `fan_in` inputs computes

    y = (m gain / sqrt(fan_in)) w x + m b,    w ~ N(0, 1 / m^2),

so that all weights move at one rate under Adam, whatever their layer's fan-in. The gain is sqrt(2) before a ReLU or
leaky ReLU that does not scale its outputs, 1 otherwise.
"""

import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.nets.convolution import conv, upsample_conv
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.convolution_geometry import Padding
from jaxgen.typing import Images


class EqualizedDense(nn.Module):
    """A dense layer on the last axis, (..., inputs) to (..., features)."""

    features: int
    gain: float = 1.0
    use_bias: bool = True
    bias: float = 0.0  # that the layer begins with
    lr_multiplier: float = 1.0  # m
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        """The linear map of each row."""
        shape, dtype = (inputs.shape[-1], self.features), jnp.dtype(self.dtype)
        outputs = inputs.astype(dtype) @ scaled_kernel(self, shape, self.gain, self.lr_multiplier).astype(dtype)
        bias = scaled_bias(self, self.features, self.bias, self.lr_multiplier).astype(dtype)
        return outputs + bias.reshape(*(1,) * (outputs.ndim - 1), -1)


class EqualizedConv(nn.Module):
    """A convolution, (batch, height, width, channels) to (..., features).

    `upsample` doubles both sides first, each pixel becoming a block of 2x2.
    """

    features: int
    kernel_size: int = 3
    gain: float = math.sqrt(2)
    use_bias: bool = True
    strides: int = 1
    padding: Padding = "SAME"
    upsample: bool = False
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images) -> Outputs:
        """The convolution of the images."""
        shape, dtype = (self.kernel_size, self.kernel_size, images.shape[-1], self.features), jnp.dtype(self.dtype)
        kernel, images = scaled_kernel(self, shape, self.gain).astype(dtype), images.astype(dtype)
        if self.upsample:
            plain = self.strides == 1 and self.padding == "SAME"
            require(plain, "strides and padding", (self.strides, self.padding), "(1, 'SAME') with upsample")
            outputs = upsample_conv(images, kernel)
        else:
            outputs = conv(images, kernel, strides=self.strides, padding=self.padding)
        return outputs + scaled_bias(self, self.features).astype(dtype)[None, None, None]


def scaled_kernel(layer: nn.Module, shape: tuple[int, ...], gain: float = 1.0, lr_multiplier: float = 1.0) -> jax.Array:
    """The layer's param `kernel`, whose last axis is that of the outputs, times m gain / sqrt(fan_in), in float32."""
    kernel = layer.param("kernel", nn.initializers.normal(1.0 / lr_multiplier), shape)
    return kernel * (lr_multiplier * gain / math.sqrt(math.prod(shape[:-1])))


def scaled_bias(layer: nn.Module, features: int, value: float = 0.0, lr_multiplier: float = 1.0) -> jax.Array:
    """The layer's param `bias` times m, `value` in a fresh layer, in float32; zeros if it has none."""
    if not getattr(layer, "use_bias", True):
        return jnp.zeros(features)
    return lr_multiplier * layer.param("bias", nn.initializers.constant(value / lr_multiplier), (features,))
