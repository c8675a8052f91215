"""Convolutional layers, which own a kernel and a bias; the functions behind them are in `jaxgen.nets.convolution`.

A call may be given a form, which then stands in for the layer's own.
"""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from flax.typing import Dtype, Initializer

from jaxgen.checks import require
from jaxgen.nets.convolution import Form, conv, conv_mean_pool, conv_transpose, upsample_conv
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.convolution_geometry import Padding, Pair, pair
from jaxgen.typing import Images


class Conv(nn.Module):
    """`conv` with its own kernel and bias."""

    features: int
    kernel_size: Pair = 3
    strides: Pair = 1
    padding: Padding = "SAME"
    use_bias: bool = True
    dtype: Dtype | None = None  # of the computation; the parameters are float32
    kernel_init: Initializer = nn.initializers.lecun_normal()
    bias_init: Initializer = nn.initializers.zeros
    form: Form = "auto"
    feature_groups: int = 1

    @nn.compact
    def __call__(self, images: Images, form: Form | None = None) -> Outputs:
        """(batch, height, width, channels) to (..., features)."""
        return _apply(self, images, partial(conv, strides=self.strides, padding=self.padding), form)


class ConvTranspose(nn.Module):
    """`conv_transpose` with its own kernel and bias; "SAME" multiplies the size by the stride."""

    features: int
    kernel_size: Pair = 4
    strides: Pair = 2
    padding: Padding = "SAME"
    use_bias: bool = True
    dtype: Dtype | None = None  # of the computation; the parameters are float32
    kernel_init: Initializer = nn.initializers.lecun_normal()
    bias_init: Initializer = nn.initializers.zeros
    form: Form = "auto"
    feature_groups: int = 1

    @nn.compact
    def __call__(self, images: Images, form: Form | None = None) -> Outputs:
        """(batch, height, width, channels) to (..., features)."""
        convolve = partial(conv_transpose, strides=self.strides, padding=self.padding)
        return _apply(self, images, convolve, form)


class UpsampleConv(nn.Module):
    """Nearest up-sampling by 2, then a convolution: `upsample_conv` with its own parameters."""

    features: int
    kernel_size: Pair = 3
    use_bias: bool = True
    dtype: Dtype | None = None  # of the computation; the parameters are float32
    kernel_init: Initializer = nn.initializers.lecun_normal()
    bias_init: Initializer = nn.initializers.zeros
    form: Form = "auto"
    feature_groups: int = 1

    @nn.compact
    def __call__(self, images: Images, form: Form | None = None) -> Outputs:
        """(batch, height, width, channels) to (batch, 2 height, 2 width, features)."""
        return _apply(self, images, upsample_conv, form)


class ConvMeanPool(nn.Module):
    """A convolution, then the mean of 2x2 pixels: `conv_mean_pool` with its own parameters."""

    features: int
    kernel_size: Pair = 3
    use_bias: bool = True
    dtype: Dtype | None = None  # of the computation; the parameters are float32
    kernel_init: Initializer = nn.initializers.lecun_normal()
    bias_init: Initializer = nn.initializers.zeros
    form: Form = "auto"
    feature_groups: int = 1

    @nn.compact
    def __call__(self, images: Images, form: Form | None = None) -> Outputs:
        """(batch, height, width, channels) to (batch, height / 2, width / 2, features)."""
        return _apply(self, images, conv_mean_pool, form)


def _apply(
    layer: Conv | ConvTranspose | UpsampleConv | ConvMeanPool,
    images: Images,
    convolve: Callable[..., Outputs],
    form: Form | None,
) -> Outputs:
    """The convolution with the layer's parameters, in its compute dtype."""
    rows, columns = pair(layer.kernel_size, "kernel_size")
    inputs, groups = images.shape[-1], layer.feature_groups
    divides = groups >= 1 and inputs % groups == layer.features % groups == 0
    require(divides, "feature_groups", groups, f"a divisor of {inputs} channels and of {layer.features} features")
    shape = (rows, columns, inputs // groups, layer.features)
    kernel = layer.param("kernel", layer.kernel_init, shape, jnp.float32)
    bias = None
    if layer.use_bias:
        bias = layer.param("bias", layer.bias_init, shape[-1:], jnp.float32)
    images, kernel, bias = promote_dtype(images, kernel, bias, dtype=layer.dtype)
    outputs = convolve(images, kernel, feature_groups=groups, form=layer.form if form is None else form)
    return outputs if bias is None else outputs + bias[None, None, None, :]
