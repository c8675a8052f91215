"""One log-scale for all pixels, learned with a decoder of means."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.mode import EVALUATION, Mode
from jaxgen.typing import Shape


class SharedScale(nn.Module):
    """A decoder of means and one learned log-scale for all pixels, in the place of a decoder of both.

    For likelihoods that take a mean and a log-scale for each channel. With the learned variance of a Gaussian this is
    the sigma-VAE of Rybkin, Daniilidis, Levine: Simple and Effective VAE Training with Calibrated Decoders, 2020,
    arXiv 2006.13202.
    """

    decoder: nn.Module  # codes to means

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, ...) to (batch, *output_shape): means in the first half of the last axis, then the log-scale."""
        *sides, channels = output_shape
        if channels % 2:
            raise ValueError(f"output_shape is {output_shape}, but its last axis must hold means and log-scales: 2 c")
        means = self.decoder(latents, (*sides, channels // 2), mode=mode)
        log_scale = self.param("log_scale", nn.initializers.zeros, ())
        return jnp.concatenate([means, jnp.broadcast_to(log_scale, means.shape)], axis=-1)
