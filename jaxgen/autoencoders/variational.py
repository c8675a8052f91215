"""A Gaussian encoder and a decoder as variational autoencoders apply them, with or without a condition.

A model's config has `encoder`, `decoder`, `latent_dim`, `image_shape`, `value_range` and `likelihood`; its state has
the player `autoencoder`, with the parts "encoder" and "decoder".
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.autoencoders import bounds
from jaxgen.autoencoders.bounds import Diagonal, Terms
from jaxgen.images import content_keys, scale
from jaxgen.mode import EVALUATION, Mode
from jaxgen.parallel import example_keys
from jaxgen.priors import normal_noise
from jaxgen.sampling import sampler
from jaxgen.train_state import TrainState, apply, blank, training_mode
from jaxgen.typing import AxisName, Batch, Evidence, Key, Keys, Latents, Points, Shape, Variables


def coders(config: Any, *conditions: Shape) -> dict[str, tuple[Any, ...]]:
    """Encoder and decoder as `create_parts` takes them, with conditions of these shapes."""
    given, output_shape = [blank(shape) for shape in conditions], config.likelihood.output_shape(config.image_shape)
    return {
        "encoder": (config.encoder, blank(config.image_shape), *given, (config.latent_dim, 2)),
        "decoder": (config.decoder, blank((config.latent_dim,)), *given, output_shape),
    }


def encode(
    config: Any, variables: Variables, targets: Points, *conditions: jax.Array, mode: Mode = EVALUATION
) -> tuple[Diagonal, Variables]:
    """q(z|x), or q(z|x, y), and the variables after the pass."""
    outputs, variables = encoder_outputs(config, variables, targets, *conditions, (config.latent_dim, 2), mode=mode)
    return bounds.diagonal(outputs), variables


def encoder_outputs(
    config: Any, variables: Variables, *inputs: jax.Array | Shape, mode: Mode
) -> tuple[jax.Array, Variables]:
    """What the encoder gives for x, conditions and the shape of its outputs, and the variables after the pass."""
    return apply(config.encoder, variables, *inputs, mode=mode.stream(0), part="encoder")


def decode(
    config: Any, variables: Variables, latents: Latents, *conditions: jax.Array, mode: Mode = EVALUATION
) -> tuple[Points, Variables]:
    """What the likelihood takes for p(x|z), or p(x|z, y), and the variables after the pass."""
    return _decode(config, variables, latents, *conditions, mode=mode.stream(1))


def decode_each(
    config: Any, variables: Variables, latents: jax.Array, *conditions: jax.Array, mode: Mode
) -> tuple[Points, Variables]:
    """`decode` of K latents for each example, (B, K, latent), all in one batch of B K."""
    num, mode = latents.shape[1], mode.stream(1)
    keys = None if mode.keys is None else keys_of_each(mode, num)
    repeated = [jnp.repeat(condition, num, axis=0) for condition in conditions]
    flat = latents.reshape(-1, latents.shape[2])
    return _decode(config, variables, flat, *repeated, mode=mode.with_keys(keys))


def _decode(
    config: Any, variables: Variables, latents: Latents, *conditions: jax.Array, mode: Mode
) -> tuple[Points, Variables]:
    """The decoder's pass in a mode that has the decoder's keys already."""
    inputs = latents, *conditions, config.likelihood.output_shape(config.image_shape)
    return apply(config.decoder, variables, *inputs, mode=mode, part="decoder")


def keys_of_each(mode: Mode, num: int) -> jax.Array:
    """A key for each of `num` latents of each example; those of the examples themselves for one latent.

    `jax.random.split(key, num)[i]` is `fold_in(key, i)`: keys that are folded elsewhere must be streams of their own.
    """
    keys = mode.example_keys("dropout")
    return keys if num == 1 else jax.vmap(lambda key: jax.random.split(key, num))(keys).reshape(-1)


def nll_of_each(config: Any, outputs: Float[Array, "outputs ..."], targets: Points) -> Float[Array, "batch samples"]:
    """-log p(x|z_k), (B, K), of the decoder's outputs for K latents of each example."""
    num = len(outputs) // len(targets)
    return config.likelihood.nll(outputs, jnp.repeat(targets, num, axis=0), config.value_range).reshape(-1, num)


def terms_of(
    config: Any, variables: Variables, q: Diagonal, targets: Points, noise: jax.Array, mode: Mode
) -> tuple[Terms, Variables]:
    """-log p(x|z), log p(z) / q(z|x) and the divergence from p(z) = N(0, I), at z = mean + exp(logvar / 2) noise.

    Args:
        config: settings.
        variables: of the networks, after the pass that gave q(z|x).
        q: q(z|x).
        targets: x, as the likelihood observes the images.
        noise: from N(0, I), (B, K, latent): K latents for each image.
        mode: of the pass.
    """
    prior = bounds.standard_normal(q.mean)
    latents = bounds.reparametrize(q, noise)
    outputs, variables = decode_each(config, variables, latents, mode=mode)
    nll = nll_of_each(config, outputs, targets)
    return Terms(nll, bounds.log_ratio(q, prior, latents), bounds.kl_of_each_latent(q, prior)), variables


def terms(
    config: Any, variables: Variables, targets: Points, noise: jax.Array, mode: Mode = EVALUATION
) -> tuple[Terms, Variables]:
    """`terms_of` with the encoder's q(z|x)."""
    q, variables = encode(config, variables, targets, mode=mode)
    return terms_of(config, variables, q, targets, noise, mode)


def noise(config: Any, key: Keys, num: int, samples: int, axis_name: AxisName = None) -> jax.Array:
    """eps ~ N(0, I), (num, samples, latent)."""
    return normal_noise((samples, config.latent_dim), key, num, axis_name)


def observed(config: Any, images: Points) -> Points:
    """x, as the likelihood observes it; pixels that it draws are drawn from the image's own noise, always the same."""
    return config.likelihood.observe(images, content_keys(images, config.value_range), config.value_range)


def drawn(config: Any, images: Points, key: Key, axis_name: AxisName = None) -> Points:
    """x, as the likelihood observes images in range; pixels that it draws are drawn anew from each image's key."""
    return config.likelihood.observe(images, example_keys(key, len(images), axis_name), config.value_range)


def drawn_inputs(
    config: Any, state: TrainState, batch: Batch, keys: Sequence[Key], axis_name: AxisName = None
) -> tuple[Points, jax.Array, Mode]:
    """What an update takes from keys: x as the likelihood observes it, the noise of its latents (B, K, d), the mode.

    Args:
        config: settings.
        state: the player, before the update.
        batch: uint8 or floats in range.
        keys: of the pixels, of the latents and of the pass.
        axis_name: of the devices that share the batch, or None.
    """
    targets = drawn(config, scale(batch, config.value_range), keys[0], axis_name)
    latent_noise = noise(config, keys[1], len(batch), config.objective.num_samples, axis_name)
    return targets, latent_noise, training_mode(state, keys[2], len(batch), axis_name)


def evidence(
    terms_of: Callable[[jax.Array], Terms], config: Any, targets: Points, key: Key, samples: tuple[int, int]
) -> Evidence:
    """The ELBO and the importance-weighted bound of each image.

    Args:
        terms_of: noise from N(0, I), (B, K, latent), to the terms.
        config: settings.
        targets: x, as the likelihood observes it.
        key: of the noise.
        samples: latents of an image, and how many of them are in memory at a time.
    """
    return bounds.evidence(lambda key, num: terms_of(noise(config, key, len(targets), num)), key, *samples)


def evidence_by(terms: Callable[..., tuple[Terms, Variables]]) -> Callable[..., Evidence]:
    """The `evidence` of a model with these terms of its settings, variables, observed images and noise."""

    def of_images(config: Any, state: Any, batch: Batch, key: Key, samples: tuple[int, int]) -> Evidence:
        """The ELBO and the importance-weighted bound of each image; binary pixels are drawn from the image's own noise.

        `samples` are the number of latents of an image, and how many of them are in memory at a time.
        """
        targets, variables = observed(config, scale(batch, config.value_range)), state.autoencoder.variables
        return evidence(lambda eps: terms(config, variables, targets, eps)[0], config, targets, key, samples)

    return of_images


def from_latents(config: Any, state: Any, latents: Latents, condition: None = None) -> Points:
    """E[x|z]."""
    outputs, _ = decode(config, state.autoencoder.variables, latents)
    return config.likelihood.mean(outputs, config.value_range)


def to_latents(config: Any, state: Any, images: Points, condition: None = None) -> Latents:
    """E[z|x]; pixels that the likelihood draws are drawn from the image's own noise, the same each time."""
    return encode(config, state.autoencoder.variables, observed(config, images))[0].mean


def draw_posterior(config: Any, state: Any, key: Keys, images: Points, condition: None = None) -> Latents:
    """One draw of q(z|x) for each image; pixels that the likelihood draws are drawn from the image's own noise."""
    q, _ = encode(config, state.autoencoder.variables, observed(config, images))
    return bounds.reparametrize(q, noise(config, key, images.shape[0], 1))[:, 0]


def posterior_means(config: Any, state: Any, batch: Batch) -> Latents:
    """E[z|x]."""
    return to_latents(config, state, scale(batch, config.value_range))


sample = sampler(from_latents)
