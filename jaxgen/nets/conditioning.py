"""Wrappers that give a network a condition, a class label for one, in addition to its input."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.mode import EVALUATION, Mode
from jaxgen.typing import Shape


class ConcatCondition(nn.Module):
    """The condition is appended to the flattened input: for latents, and for MLPs."""

    net: nn.Module

    @nn.compact
    def __call__(
        self, inputs: jax.Array, condition: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """(batch, ...) and (batch, condition) to (batch, *output_shape)."""
        joined = jnp.concatenate([inputs.reshape(inputs.shape[0], -1), condition.astype(inputs.dtype)], axis=1)
        return self.net(joined, output_shape, mode=mode)


class ChannelCondition(nn.Module):
    """A dense layer makes of the condition one more channel of the image: for convolutional networks."""

    net: nn.Module

    @nn.compact
    def __call__(
        self, inputs: jax.Array, condition: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """(batch, height, width, channels) and (batch, condition) to (batch, *output_shape)."""
        if inputs.ndim != 4:
            raise ValueError(
                f"inputs have shape {inputs.shape}, but must be images: use ConcatCondition for other data"
            )
        batch, height, width, _ = inputs.shape
        channel = nn.Dense(height * width)(condition.astype(inputs.dtype)).reshape(batch, height, width, 1)
        return self.net(jnp.concatenate([inputs, channel], axis=-1), output_shape, mode=mode)


class TiledCondition(nn.Module):
    """Each number of the condition is one more channel of the image, of one value everywhere."""

    net: nn.Module

    @nn.compact
    def __call__(
        self, inputs: jax.Array, condition: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """(batch, height, width, channels) and (batch, condition) to (batch, *output_shape)."""
        return self.net(with_channels(inputs, condition), output_shape, mode=mode)


def with_channels(images: jax.Array, values: jax.Array) -> jax.Array:
    """The images with one more channel for each of the values, (batch, num), of that value everywhere."""
    if images.ndim != 4:
        raise ValueError(f"inputs have shape {images.shape}, but must be images: use ConcatCondition for other data")
    planes = jnp.broadcast_to(values[:, None, None, :], (*images.shape[:3], values.shape[1]))
    return jnp.concatenate([images, planes.astype(images.dtype)], axis=3)


class InnerCondition(nn.Module):
    """The network takes the condition itself, by its keyword `condition`: in its normalisation layers, for one."""

    net: nn.Module

    @nn.compact
    def __call__(
        self, inputs: jax.Array, condition: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """(batch, ...) and (batch, condition) to (batch, *output_shape)."""
        return self.net(inputs, output_shape, condition=condition, mode=mode)
