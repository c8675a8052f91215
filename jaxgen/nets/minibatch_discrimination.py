"""Minibatch discrimination: how close each example is to the rest of its batch, as features.

Salimans et al.: Improved Techniques for Training GANs, 2016, arXiv 1606.03498, section 3.2. The formula is that of
`jaxgen.losses.features`; the form of the weights is that of the authors' code.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.losses.features import minibatch_discrimination
from jaxgen.parallel import gather, share
from jaxgen.typing import AxisName, Points


class MinibatchDiscrimination(nn.Module):
    """The features f(x), and behind them o(x) + b of the whole batch, b from -1 on."""

    kernels: int = 100  # B, features that are added
    dims: int = 5  # C, of the space in which examples are compared

    @nn.compact
    def __call__(self, features: Points, axis_name: AxisName = None) -> jax.Array:
        """(batch, d) to (batch, d + kernels).

        Args:
            features: f(x), of real examples alone or of fakes alone.
            axis_name: of the devices that share the batch, or None.
        """
        require(self.kernels >= 1, "kernels", self.kernels, "at least 1")
        require(self.dims >= 1, "dims", self.dims, "at least 1")
        shape = features.shape[-1], self.kernels, self.dims
        weights = self.param("kernel", nn.initializers.normal(0.05), shape)
        scale = jnp.exp(self.param("log_scale", nn.initializers.zeros, shape[1:]))
        weights = weights * (scale / jnp.sqrt((weights**2).sum(axis=0) + 1e-6))[None]
        matrices = (features @ weights.reshape(shape[0], -1)).reshape(-1, *shape[1:])
        closeness = share(minibatch_discrimination(gather(matrices, axis_name)), axis_name)
        bias = self.param("bias", nn.initializers.constant(-1.0), (self.kernels,))
        return jnp.concatenate([features, closeness + bias[None]], axis=1)
