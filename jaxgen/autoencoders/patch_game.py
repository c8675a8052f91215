"""The game of an autoencoder against a discriminator of patches, and its error of pixels and of features.

Esser, Rombach, Ommer: Taming Transformers for High-Resolution Image Synthesis (VQGAN), 2020, arXiv 2012.09841, section
3.1 and the authors' code. With x^ the images that the autoencoder makes of x and phi a frozen network,

    error = mean |x - x^| + weight d(phi(x), phi(x^))
    L_D = E[max(0, 1 - D(x)) + max(0, 1 + D(x^))] / 2,    L_G = E[-D(x^)]

and the autoencoder's loss gets L_G by the weight of `jaxgen.autoencoders.adaptive_weight`.

A model's config has `discriminator`, None for no game, `adversarial` and `discriminator_optimizer`; `features`, a
frozen network or None, `feature_error` and `feature_weight`. Its state has `discriminator` and `features`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders.adaptive_weight import adaptive_weight, at, last_weights, replaced
from jaxgen.losses import hinge_discriminator, hinge_generator, mean_absolute_error
from jaxgen.mode import Mode
from jaxgen.train_state import LossOutput, apply, blank, create, freeze
from jaxgen.translation.feature_maps import feature_maps
from jaxgen.typing import Images, Key, Metrics, PerExample, Scalar, Variables

FEATURES = "features"
"""Name of the frozen network."""


def fresh_game(config: Any, decoder: Any, key_discriminator: Key, key_features: Key) -> tuple[Any, Any]:
    """A fresh discriminator and the feature network at random, or None for each that there is not.

    Raises:
        ValueError: a game, and params of a decoder without a layer called `outputs`.
    """
    images, discriminator, features = blank(config.image_shape), None, None
    if config.discriminator is not None:
        last_weights(decoder)
        discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, images, ())
    if config.features is not None:
        features = freeze(config.features, FEATURES, key_features, images, ())
    return discriminator, features


def error_of(config: Any, state: Any, outputs: Images, images: Images) -> PerExample:
    """mean |x - x^| + weight d(phi(x), phi(x^)) of each image, phi the feature network if there is one."""
    error = mean_absolute_error(outputs, images)
    if config.features is None:
        return error
    found, wanted = (feature_maps(config, state.features.variables, each) for each in (outputs, images))
    values = [config.feature_error(*pair) for pair in zip(found, wanted, strict=True)]
    return error + config.feature_weight * jnp.stack(values).sum(0)


class Decoded(NamedTuple):
    """Images x^ as an autoencoder has made them."""

    outputs: Images  # x^
    variables: Variables  # of the autoencoder
    again: Callable[[Variables], Images]  # x^ of the same latents, which are held constant, by other variables


def game_term(
    config: Any, state: Any, decoded: Decoded, reconstruction_loss: Callable[[Images], Scalar], mode: Mode
) -> tuple[Scalar, Metrics]:
    """What the discriminator adds to an autoencoder's loss: lambda L_G and the constant weight; 0 until it begins.

    Args:
        config: settings.
        state: of the model.
        decoded: x^.
        reconstruction_loss: L_rec of x^, the mean over the batch.
        mode: of the pass.
    """
    if config.discriminator is None:
        return jnp.float32(0.0), {}
    rest = partial(generator_loss, config.discriminator, state.discriminator.variables, mode=mode)
    adversarial, fixed = rest(decoded.outputs), jax.lax.stop_gradient(decoded.variables)
    path = ("params", "decoder", *last_weights(decoded.variables["params"]["decoder"]))
    weight = adaptive_weight(
        lambda last: decoded.again(replaced(fixed, path, last)),
        at(fixed, path),
        (reconstruction_loss, rest),
        mode.axis_name,
    )
    term = config.adversarial.weight * config.adversarial.begun(mode) * weight * adversarial
    return term, {"generator_loss": adversarial, "adaptive_weight": weight}


def scores_of(net: nn.Module, variables: Variables, images: Images, mode: Mode) -> tuple[jax.Array, Variables]:
    """D of each patch of a batch, (patches,), and the variables after the pass."""
    scores, variables = apply(net, variables, images, (), mode=mode)
    return scores.reshape(-1), variables


def generator_loss(net: nn.Module, variables: Variables, fakes: Images, mode: Mode) -> Scalar:
    """L_G = E[-D(x^)], the mean over patches."""
    return hinge_generator(scores_of(net, variables, fakes, mode.stream(2))[0]).mean()


def discriminator_loss(settings: Any, variables: Variables, images: Images, fakes: Images, mode: Mode) -> LossOutput:
    """E[max(0, 1 - D(x)) + max(0, 1 + D(x^))] / 2, the mean over patches; 0 until the game begins.

    Args:
        settings: those of the model, with `discriminator` and `adversarial`.
        variables: of the discriminator.
        images: x.
        fakes: x^.
        mode: of the pass.
    """
    real, variables = scores_of(settings.discriminator, variables, images, mode.stream(2))
    fake, variables = scores_of(settings.discriminator, variables, fakes, mode.stream(3))
    loss = 0.5 * settings.adversarial.begun(mode) * hinge_discriminator(real, fake).mean()
    return loss, ({"discriminator_loss": loss, "real_score": real.mean(), "fake_score": fake.mean()}, variables)
