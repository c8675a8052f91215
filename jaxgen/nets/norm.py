"""Normalisation layers by name, as a network's setting."""

from typing import Literal, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

Norm: TypeAlias = Literal["none", "batch", "layer"]
"""The names that `normalize` knows, as a network's setting."""


def normalize(inputs: jax.Array, norm: str, *, train: bool, axis_name: str | None) -> jax.Array:
    """Apply one normalisation layer, computed in float32, to be called inside a compact module.

    batch: statistics per channel over the batch, of all devices along `axis_name`; running averages if not `train`.
    layer: statistics per example over all its axes, with scale and offset per channel (as in WGAN-GP's code).
    """
    match norm:
        case "none":
            return inputs
        case "batch":
            layer = nn.BatchNorm(
                use_running_average=not train,
                momentum=0.9,
                axis_name=axis_name,
                use_fast_variance=False,  # E[x^2] - E[x]^2 loses all digits where the mean is large
            )
        case "layer":
            layer = nn.LayerNorm(reduction_axes=range(1, inputs.ndim), feature_axes=-1)
        case _:
            raise ValueError(f"norm is {norm!r}, but must be 'none', 'batch' or 'layer'")
    return layer(inputs.astype(jnp.float32)).astype(inputs.dtype)
