"""Normalisation layers by name, as a network's setting, and conditional batch normalisation."""

from typing import Literal, TypeAlias, get_args

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.initializers import Initializer, to_flax

MOMENTUM = 0.9
"""Share of the running statistics that one more batch leaves."""

Norm: TypeAlias = Literal["none", "batch", "layer", "group", "instance"]
"""The names that `normalize` knows, as a network's setting."""


def normalize(inputs: jax.Array, norm: str, mode: Mode, *, groups: int = 32, affine: bool = True) -> jax.Array:
    """Apply one normalisation layer, computed in float32, to be called inside a compact module.

    batch: statistics per channel over the batch, of all devices; running averages out of training.
    layer: statistics per example over all its axes, with scale and offset per channel (as in WGAN-GP's code).
    group: statistics per example and group of neighbouring channels, of which there are `groups`, or as many as
    channels if these are fewer (Wu, He: Group Normalization, 2018, arXiv 1803.08494).
    instance: statistics per example and channel over all places (Ulyanov, Vedaldi, Lempitsky: Instance Normalization,
    2016, arXiv 1607.08022).

    Without `affine` a layer has neither scale nor offset.

    Raises:
        ValueError: for another name, channels that do not divide into groups, or an instance norm without places.
    """
    match norm:
        case "none":
            return inputs
        case "batch":
            layer = _batch_norm(mode, scale=affine, offset=affine)
        case "layer":
            axes = range(1, inputs.ndim)
            layer = nn.LayerNorm(reduction_axes=axes, feature_axes=-1, use_scale=affine, use_bias=affine)
        case "group":
            layer = _group_norm(inputs.shape, groups, affine)
        case "instance":
            require(inputs.ndim > 2, "shape of inputs", inputs.shape, "(batch, ..., channels) for an instance norm")
            layer = nn.InstanceNorm(epsilon=1e-5, use_fast_variance=False, use_scale=affine, use_bias=affine)
        case _:
            raise ValueError(f"norm is {norm!r}, but must be one of {get_args(Norm)}")
    return layer(inputs.astype(jnp.float32)).astype(inputs.dtype)


def pixel_norm(inputs: jax.Array) -> jax.Array:
    """x / sqrt(mean x^2 + 1e-8), the mean over the channels of each place, or over a vector; computed in float32.

    Karras, Aila, Laine, Lehtinen, 2017, arXiv 1710.10196, section 4.2.
    """
    whole = inputs.astype(jnp.float32)
    return (whole * jax.lax.rsqrt((whole**2).mean(axis=-1, keepdims=True) + 1e-8)).astype(inputs.dtype)


def offset_batch_norm(inputs: jax.Array, mode: Mode) -> jax.Array:
    """Batch normalisation with an offset and without a scale, its epsilon 1e-3; computed in float32.

    As TensorFlow Slim has it, to be called inside a compact module.
    """
    return _batch_norm(mode, scale=False, epsilon=1e-3)(inputs.astype(jnp.float32)).astype(inputs.dtype)


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose scale and offset are linear in a condition c: as `normalize`, but for those two.

    Dumoulin, Shlens, Kudlur: A Learned Representation For Artistic Style, 2016, arXiv 1610.07629, normalise each
    image; over the batch, as here, in the code of Gulrajani et al., 2017, arXiv 1704.00028. By default, for classes,
    the scale is W c and begins as 1, the offset begins as 0. With `weights` the scale is 1 + W c, for embeddings and
    latents: Brock, Donahue, Simonyan, 2018, arXiv 1809.11096.
    """

    weights: Initializer | None = None  # how both maps of c begin; None for a scale of W c that begins as 1

    @nn.compact
    def __call__(self, inputs: jax.Array, condition: jax.Array, mode: Mode = EVALUATION) -> jax.Array:
        """Normalise (batch, ..., channels); `condition` is (batch, size), rows of the unit matrix for classes."""
        channels = inputs.shape[-1]
        hidden = _batch_norm(mode, scale=False, offset=False)(inputs.astype(jnp.float32))
        per_example = (inputs.shape[0], *(1,) * (inputs.ndim - 2), channels)
        first, second = nn.initializers.ones, nn.initializers.zeros
        if self.weights is not None:
            first = second = to_flax(self.weights)
        condition = condition.astype(jnp.float32)
        scale = nn.Dense(channels, use_bias=False, kernel_init=first, name="scale")(condition)
        scale = scale if self.weights is None else 1.0 + scale
        offset = nn.Dense(channels, use_bias=False, kernel_init=second, name="offset")(condition)
        outputs = hidden * scale.reshape(per_example) + offset.reshape(per_example)
        return outputs.astype(inputs.dtype)


def _batch_norm(mode: Mode, *, scale: bool = True, offset: bool = True, epsilon: float = 1e-5) -> nn.BatchNorm:
    return nn.BatchNorm(
        use_running_average=not mode.train,
        momentum=MOMENTUM,
        axis_name=mode.axis_name,
        use_fast_variance=False,  # E[x^2] - E[x]^2 loses all digits where the mean is large
        use_scale=scale,
        use_bias=offset,
        epsilon=epsilon,
    )


def _group_norm(shape: tuple[int, ...], groups: int, affine: bool) -> nn.GroupNorm:
    require(groups >= 1, "groups", groups, "at least 1")
    channels = shape[-1]
    num = min(groups, channels)
    require(channels % num == 0, "channels", channels, f"a multiple of {num} for a norm of {num} groups")
    return nn.GroupNorm(num, epsilon=1e-5, use_fast_variance=False, use_scale=affine, use_bias=affine)
