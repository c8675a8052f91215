"""Gaussian noise on what a discriminator sees, real and fake alike, that may fall to nothing in the course of training.

Arjovsky, Bottou: Towards Principled Methods for Training Generative Adversarial Networks, 2017, arXiv 1701.04862.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode, fold

STREAM = 2**31 - 1
"""The number that sets its keys apart from those of the dropout layers, which count from 0."""


class InstanceNoise(nn.Module):
    """In training D(x + s n, ...) with n from N(0, I) and s = std max(0, 1 - step / end); else D(x, ...)."""

    discriminator: nn.Module  # not `net`, which linen keeps from the children of a network that shares its scope
    std: float  # at the first update
    end: int = 0  # update at which it has fallen, on a line, to 0; 0 for noise that stays

    def setup(self):
        """Join the scope of the network."""
        nn.share_scope(self, self.discriminator)  # the variables are those of the network alone

    def __call__(self, inputs: jax.Array, *others: Any, mode: Mode = EVALUATION) -> Any:
        """The discriminator's outputs for its own inputs, of which the first, (batch, ...), gets the noise.

        Raises:
            ValueError: in training without keys, or without a step where the noise falls.
        """
        require(self.std >= 0, "std", self.std, "at least 0")
        require(self.end >= 0, "end", self.end, "at least 0")
        if mode.train and self.std > 0:
            noise = jax.vmap(lambda key: jax.random.normal(key, inputs.shape[1:], inputs.dtype))
            keys = fold(mode.example_keys("instance noise"), STREAM)
            inputs = inputs + self._deviation(mode).astype(inputs.dtype) * noise(keys)
        return self.discriminator(inputs, *others, mode=mode)

    def _deviation(self, mode: Mode) -> jax.Array:
        if self.end == 0:
            return jnp.float32(self.std)
        if mode.step is None:
            raise ValueError(
                f"the noise falls to 0 at update {self.end}, but this pass has no step: "
                "give mode=Mode(step=state.step, ...) or end=0"
            )
        return self.std * jnp.maximum(0.0, 1.0 - mode.step.astype(jnp.float32) / self.end)
