"""Networks that are told a condition, a class for one, beside their input: wrappers around networks that are not.

Where the network inside drops values in training, the keys of its dropout are handed on.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.nets.dropout import drops, keys_for
from jaxgen.typing import Shape


class _Around(nn.Module):
    """What the wrappers have in common."""

    net: nn.Module

    @property
    def drops(self) -> bool:
        """Whether the network inside drops values in training, for which it needs keys."""
        return drops(self.net)


class Beside(_Around):
    """The condition is appended to the flattened input: for latents, and for MLPs."""

    @nn.compact
    def __call__(
        self,
        inputs: jax.Array,
        condition: jax.Array,
        output_shape: Shape,
        *,
        train: bool = False,
        axis_name: str | None = None,
        keys: jax.Array | None = None,
    ) -> jax.Array:
        """(batch, ...) and (batch, condition) to (batch, *output_shape)."""
        joined = jnp.concatenate([inputs.reshape(len(inputs), -1), condition.astype(inputs.dtype)], axis=1)
        return self.net(joined, output_shape, train=train, axis_name=axis_name, **keys_for(self.net, keys))


class AsChannel(_Around):
    """A dense layer makes of the condition one more channel of the image: for convolutional networks."""

    @nn.compact
    def __call__(
        self,
        inputs: jax.Array,
        condition: jax.Array,
        output_shape: Shape,
        *,
        train: bool = False,
        axis_name: str | None = None,
        keys: jax.Array | None = None,
    ) -> jax.Array:
        """(batch, height, width, channels) and (batch, condition) to (batch, *output_shape)."""
        if inputs.ndim != 4:
            raise ValueError(f"inputs have shape {inputs.shape}, but must be images: use Beside for other data")
        batch, height, width, _ = inputs.shape
        channel = nn.Dense(height * width)(condition.astype(inputs.dtype)).reshape(batch, height, width, 1)
        joined = jnp.concatenate([inputs, channel], axis=-1)
        return self.net(joined, output_shape, train=train, axis_name=axis_name, **keys_for(self.net, keys))


class Within(_Around):
    """The network takes the condition itself, by its keyword `condition`: in its normalisation layers, for one."""

    @nn.compact
    def __call__(
        self,
        inputs: jax.Array,
        condition: jax.Array,
        output_shape: Shape,
        *,
        train: bool = False,
        axis_name: str | None = None,
        keys: jax.Array | None = None,
    ) -> jax.Array:
        """(batch, ...) and (batch, condition) to (batch, *output_shape)."""
        return self.net(
            inputs, output_shape, condition=condition, train=train, axis_name=axis_name, **keys_for(self.net, keys)
        )
