"""Normalisation layers by name, as a network's setting, and batch normalisation that is told a condition."""

from typing import Literal, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.mode import EVALUATION, Mode

Norm: TypeAlias = Literal["none", "batch", "layer"]
"""The names that `normalize` knows, as a network's setting."""


def normalize(inputs: jax.Array, norm: str, mode: Mode) -> jax.Array:
    """Apply one normalisation layer, computed in float32, to be called inside a compact module.

    batch: statistics per channel over the batch, of all devices; running averages out of training.
    layer: statistics per example over all its axes, with scale and offset per channel (as in WGAN-GP's code).
    """
    match norm:
        case "none":
            return inputs
        case "batch":
            layer = _batch_norm(mode)
        case "layer":
            layer = nn.LayerNorm(reduction_axes=range(1, inputs.ndim), feature_axes=-1)
        case _:
            raise ValueError(f"norm is {norm!r}, but must be 'none', 'batch' or 'layer'")
    return layer(inputs.astype(jnp.float32)).astype(inputs.dtype)


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation with a scale and an offset for each class: as `normalize`, but for those two.

    Dumoulin, Shlens, Kudlur: A Learned Representation For Artistic Style, 2016, arXiv 1610.07629, normalise each
    image; over the batch, as here, in the code of Gulrajani et al., 2017, arXiv 1704.00028.
    """

    @nn.compact
    def __call__(self, inputs: jax.Array, condition: jax.Array, mode: Mode = EVALUATION) -> jax.Array:
        """Normalise (batch, ..., channels); `condition` is (batch, classes), rows of the unit matrix for classes."""
        channels = inputs.shape[-1]
        hidden = _batch_norm(mode, affine=False)(inputs.astype(jnp.float32))
        per_example = (len(inputs), *(1,) * (inputs.ndim - 2), channels)
        scale = nn.Dense(channels, use_bias=False, kernel_init=nn.initializers.ones, name="scale")
        offset = nn.Dense(channels, use_bias=False, kernel_init=nn.initializers.zeros, name="offset")
        condition = condition.astype(jnp.float32)
        outputs = hidden * scale(condition).reshape(per_example) + offset(condition).reshape(per_example)
        return outputs.astype(inputs.dtype)


def _batch_norm(mode: Mode, *, affine: bool = True) -> nn.BatchNorm:
    return nn.BatchNorm(
        use_running_average=not mode.train,
        momentum=0.9,
        axis_name=mode.axis_name,
        use_fast_variance=False,  # E[x^2] - E[x]^2 loses all digits where the mean is large
        use_scale=affine,
        use_bias=affine,
    )
