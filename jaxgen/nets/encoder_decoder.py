"""Encoder and decoder, and what belongs to them, as one network, trained by one optimiser."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.typing import Shape


class EncoderDecoder(nn.Module):
    """Params `{"encoder": ..., "decoder": ...}`; call one half with `apply(..., method="encode")` or `"decode"`.

    A call of the whole, with the shape of what the encoder gives and then that of what the decoder takes and gives,
    is for `init`.
    """

    encoder: nn.Module  # images to codes
    decoder: nn.Module  # codes to images

    def __call__(self, images: jax.Array, code_shape: Shape, latents: jax.Array, output_shape: Shape) -> jax.Array:
        """Both halves, one after the other: what `init` needs."""
        self.encode(images, code_shape)
        return self.decode(latents, output_shape)

    def encode(
        self, images: jax.Array, code_shape: Shape, *, train: bool = False, axis_name: str | None = None
    ) -> jax.Array:
        """(batch, ...) to (batch, *code_shape)."""
        return self.encoder(images, code_shape, train=train, axis_name=axis_name)

    def decode(
        self, latents: jax.Array, output_shape: Shape, *, train: bool = False, axis_name: str | None = None
    ) -> jax.Array:
        """(batch, ...) to (batch, *output_shape), without output activation."""
        return self.decoder(latents, output_shape, train=train, axis_name=axis_name)


class ConditionalEncoderDecoder(nn.Module):
    """An `EncoderDecoder` that is told a condition y, and may hold a prior of the codes that knows it.

    Params `{"encoder": ..., "decoder": ..., "prior": ...}`, the last where there is one.
    """

    encoder: nn.Module  # x and y to q(z|x, y)
    decoder: nn.Module  # z and y to p(x|z, y)
    prior: nn.Module | None = None  # y to p(z|y)

    def __call__(
        self, targets: jax.Array, code_shape: Shape, latents: jax.Array, output_shape: Shape, classes: jax.Array
    ) -> jax.Array:
        """All of them, one after the other: what `init` needs."""
        self.encode(targets, classes, code_shape)
        if self.prior is not None:
            self.expect(classes, code_shape)
        return self.decode(latents, classes, output_shape)

    def encode(
        self, targets: jax.Array, classes: jax.Array, shape: Shape, *, train: bool = False, axis_name: str | None = None
    ) -> jax.Array:
        """Mean and log-variance of q(z|x, y), (batch, *shape)."""
        return self.encoder(targets, classes, shape, train=train, axis_name=axis_name)

    def expect(
        self, classes: jax.Array, shape: Shape, *, train: bool = False, axis_name: str | None = None
    ) -> jax.Array:
        """Mean and log-variance of p(z|y), (batch, *shape); for a learned prior."""
        if self.prior is None:
            raise ValueError("prior is None, N(0, I), which no network gives")
        return self.prior(classes, shape, train=train, axis_name=axis_name)

    def decode(
        self, latents: jax.Array, classes: jax.Array, shape: Shape, *, train: bool = False, axis_name: str | None = None
    ) -> jax.Array:
        """What the likelihood takes for p(x|z, y), (batch, *shape)."""
        return self.decoder(latents, classes, shape, train=train, axis_name=axis_name)


class SharedScale(nn.Module):
    """A decoder of means and one learned log-scale for all pixels, in the place of a decoder of both.

    For likelihoods that take a mean and a log-scale for each channel. With the learned variance of a Gaussian this is
    the sigma-VAE of Rybkin, Daniilidis, Levine: Simple and Effective VAE Training with Calibrated Decoders, 2020,
    arXiv 2006.13202.
    """

    decoder: nn.Module  # codes to means

    @nn.compact
    def __call__(
        self, latents: jax.Array, output_shape: Shape, *, train: bool = False, axis_name: str | None = None
    ) -> jax.Array:
        """(batch, ...) to (batch, *output_shape): means in the first half of the last axis, then the log-scale."""
        *sides, channels = output_shape
        if channels % 2:
            raise ValueError(f"output_shape is {output_shape}, but its last axis must hold means and log-scales: 2 c")
        means = self.decoder(latents, (*sides, channels // 2), train=train, axis_name=axis_name)
        log_scale = self.param("log_scale", nn.initializers.zeros, ())
        return jnp.concatenate([means, jnp.broadcast_to(log_scale, means.shape)], axis=-1)
