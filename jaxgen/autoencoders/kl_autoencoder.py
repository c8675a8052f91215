"""The autoencoder of latent diffusion with a small penalty of its latents, "KL-reg", and a game for its details.

Rombach, Blattmann, Lorenz, Esser, Ommer: High-Resolution Image Synthesis with Latent Diffusion Models, 2021, arXiv
2112.10752, appendix G and the authors' code, after VQGAN (Esser, Rombach, Ommer, 2020, arXiv 2012.09841).

The encoder gives q(z|x) = N(mean, diag(exp(logvar))), a map of latents several times as small as the image x, and the
decoder x^ of a z that is drawn from it. With features phi of a frozen network, and N the numbers of an image,

    error = mean |x - x^| + weight d(phi(x), phi(x^))
    L_rec = N (error exp(-s) + s)                                                                         (1)
    L = E[L_rec + 1e-6 KL(q(z|x) || N(0, I))] + lambda E[-D(x^)]                                          (2)

where s, one number, is learnt, and D is a discriminator of patches, a step of which follows each step of the
autoencoder. D's loss stands in `jaxgen.autoencoders.patch_game`, lambda in `adaptive_weight` beside it.

The penalty is too small to make latents of N(0, I) look like those of images: images are drawn by a model of these
latents, `jaxgen.text_to_image.latent_diffusion`.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders import latent_maps
from jaxgen.autoencoders.adaptive_weight import Adversarial
from jaxgen.autoencoders.latent_maps import Posterior, draw, latent_shape
from jaxgen.autoencoders.patch_game import Decoded, discriminator_loss, error_of, fresh_game, game_term
from jaxgen.checks import NonNegativeFloat, NonNegativeInt, PositiveInt
from jaxgen.images import ValueRange, clip, scale
from jaxgen.losses import mean_absolute_error, standard_normal_kl
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Gaussian, normal_noise
from jaxgen.sampling import sampler
from jaxgen.train_state import (
    LossOutput,
    TrainState,
    create_parts,
    descend,
    from_variables,
    training_mode,
)
from jaxgen.translation.errors import Error, SquaredError
from jaxgen.typing import AxisName, Batch, Images, Key, Keys, Metrics, Points, Shape, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of KL-f8 in the authors' code, without its feature network (LPIPS)."""

    image_shape: Shape = (256, 256, 3)
    value_range: ValueRange = (-1.0, 1.0)
    halvings: NonNegativeInt = 3  # height and width of the latents are the image's over 2^halvings
    latent_channels: PositiveInt = 4
    encoder: nn.Module = LatentEncoder()  # x to mean and logvar, one behind the other
    decoder: nn.Module = LatentDecoder()  # z to x^
    log_scale: float = 0.0  # s before the first update
    kl_weight: NonNegativeFloat = 1e-6
    features: nn.Module | None = None  # phi, of images in [-1, 1]; None: pixels alone
    feature_error: Error = SquaredError()  # d
    feature_weight: NonNegativeFloat = 1.0  # of d
    discriminator: nn.Module | None = PatchDiscriminator()  # D; None: no game
    adversarial: Adversarial = Adversarial()
    autoencoder_optimizer: Optimizer = Optimizer(5.4e-5, Adam(0.5, 0.9))  # 4.5e-6 for each image of a batch of 12
    discriminator_optimizer: Optimizer = Optimizer(5.4e-5, Adam(0.5, 0.9))

    prior = property(lambda self: Gaussian(latent_shape(self, self.image_shape)))


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState  # encoder, decoder, and s under the name `log_scale`
    discriminator: Any  # TrainState; None without
    features: Any  # Frozen; None without


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers, and random weights of the feature network.

    Raises:
        ValueError: images that do not halve so often; a game, and a decoder without a layer called `outputs`.
    """
    key_autoencoder, key_discriminator, key_features = jax.random.split(key, 3)
    optimizer = config.autoencoder_optimizer
    variables = create_parts(latent_maps.parts(config, config.image_shape), optimizer, key_autoencoder).variables
    params = variables["params"] | {"log_scale": jnp.float32(config.log_scale)}
    autoencoder = from_variables({**variables, "params": params}, optimizer)
    return State(autoencoder, *fresh_game(config, params["decoder"], key_discriminator, key_features))


def encode(
    config: Config, variables: Variables, images: Images, mode: Mode = EVALUATION
) -> tuple[Posterior, Variables]:
    """q(z|x), and the variables after the pass."""
    return latent_maps.encode(config, variables, images, mode)


def decode(config: Config, variables: Variables, latents: Points, mode: Mode = EVALUATION) -> tuple[Images, Variables]:
    """x^ without bounds, and the variables after the pass."""
    return latent_maps.decode(config, variables, latents, config.image_shape, mode)


def autoencoder_loss(
    config: Config, variables: Variables, state: State, images: Images, noise: Points, mode: Mode
) -> LossOutput:
    """Equation 2, the mean over the batch; `state` holds the discriminator and the features."""
    posterior, after = encode(config, variables, images, mode)
    latents = draw(posterior, noise)
    outputs, after = decode(config, after, latents, mode)
    log_scale, num = variables["params"]["log_scale"], images[0].size

    def reconstruction_loss(outputs: Images) -> jax.Array:
        return num * (error_of(config, state, outputs, images).mean() * jnp.exp(-log_scale) + log_scale)

    kl = standard_normal_kl(posterior.mean, posterior.logvar).mean()
    reconstruction = reconstruction_loss(outputs)
    loss = reconstruction + config.kl_weight * kl
    error = mean_absolute_error(outputs, images).mean()
    metrics = {"reconstruction_loss": reconstruction, "absolute_error": error, "kl": kl}
    fixed = jax.lax.stop_gradient(latents)
    decoded = Decoded(outputs, variables, lambda variables: decode(config, variables, fixed, mode)[0])
    term, of_game = game_term(config, state, decoded, reconstruction_loss, mode)
    return loss + term, (metrics | of_game | {"autoencoder_loss": loss + term}, after)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the autoencoder, then one of the discriminator, with the x^ of the autoencoder before its step.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: images, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_noise, key_pass = jax.random.split(key)
    images, before = scale(batch, config.value_range), state.autoencoder
    noise = normal_noise(latent_shape(config, config.image_shape), key_noise, len(images), axis_name)
    mode = training_mode(before, key_pass, len(images), axis_name)
    inputs = state, images, noise, mode
    autoencoder, metrics = descend(before, partial(autoencoder_loss, config), inputs, axis_name)
    if config.discriminator is None:
        return state._replace(autoencoder=autoencoder), metrics
    posterior, _ = encode(config, before.variables, images, mode)
    fakes, _ = decode(config, before.variables, draw(posterior, noise), mode)
    shown = images, fakes, mode
    discriminator, metrics_d = descend(state.discriminator, partial(discriminator_loss, config), shown, axis_name)
    return state._replace(autoencoder=autoencoder, discriminator=discriminator), metrics | metrics_d


def from_latents(config: Config, state: State, latents: Points, condition: None = None) -> Images:
    """x^ of each map of latents, clipped to the value range."""
    outputs, _ = decode(config, state.autoencoder.variables, latents)
    return clip(outputs, config.value_range)


def to_latents(config: Config, state: State, images: Images, condition: None = None) -> Points:
    """E[z|x] of each image."""
    return encode(config, state.autoencoder.variables, images)[0].mean


def draw_posterior(config: Config, state: State, key: Keys, images: Images, condition: None = None) -> Points:
    """One draw of q(z|x) for each image."""
    posterior, _ = encode(config, state.autoencoder.variables, images)
    return draw(posterior, normal_noise(posterior.mean.shape[1:], key, images.shape[0]))


sample = sampler(from_latents)
