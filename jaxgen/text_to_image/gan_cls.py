"""GAN-CLS and GAN-INT: a generator that is given a text, against a discriminator that knows whether it fits.

Reed, Akata, Yan, Logeswaran, Schiele, Lee: Generative Adversarial Text to Image Synthesis, 2016, arXiv 1605.05396, with
the authors' code.

For images x with texts of embeddings t, other real images x' and fakes G(z, t), the discriminator minimises

    -E[log D(x, t)] - c E[log(1 - D(x', t))] - (1 - c) E[log(1 - D(G(z, t), t))]                          (1)

as in algorithm 1, where c = 1/2 (`mismatch`): a real image with a text that is not its own counts as wrong, too
(GAN-CLS). The generator minimises

    (E[-log D(G(z, t), t)] + w/2 E[-log D(G(z, t'), t')]) / (1 + w/2)                                     (2)

with t' = beta t_1 + (1 - beta) t_2 halfway between two texts of the batch, beta = 1/2, of which there are half as many
(GAN-INT, equation 5); without these w = 0. D for one step, then G for one, with the fakes of the G before both.

The other images x' are those of the second minibatch of an update; the code takes images of other classes. It also
embeds four captions of an image and takes their mean; here an image comes with one of its captions at a time.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax

from jaxgen.batches import Captioned
from jaxgen.checks import NonNegativeFloat
from jaxgen.gans.diagnostics import diversity
from jaxgen.gans.networks import create_players, generate, generator_step
from jaxgen.images import scale
from jaxgen.mode import Mode
from jaxgen.nets.gan_cls import TextDiscriminator, TextGenerator
from jaxgen.parallel import example_keys, split
from jaxgen.sampling import sampler
from jaxgen.text_to_image.embedding import create_encoder, embed
from jaxgen.text_to_image.game import GameDefaults, fakes_loss, matching_loss, suited
from jaxgen.train_state import Frozen, LossOutput, TrainState, descend, training_mode
from jaxgen.typing import AxisName, Captions, Embeddings, Images, Key, Latents, Metrics, Scalar, Variables

BETWEEN = 7
"""Stream of the keys of a pass: of fakes of texts between two."""


@dataclass(frozen=True)
class Config(GameDefaults):
    """Settings; the defaults are the paper's, GAN-CLS and GAN-INT together."""

    generator: nn.Module = TextGenerator()  # z and t to image
    discriminator: nn.Module = TextDiscriminator()  # image and t to score
    interpolation: NonNegativeFloat = 1.0  # w, weight of texts between two; 0: GAN-CLS alone


class Asked(NamedTuple):
    """What fakes are made of."""

    latents: Latents  # z
    texts: Embeddings  # t


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    discriminator: TrainState
    ema: Variables  # moving average of the generator's
    encoder: Frozen


def init(config: Config, key: Key) -> State:
    """Fresh players and a random encoder."""
    key_players, key_encoder = jax.random.split(key)
    player = config.discriminator, config.discriminator_optimizer
    generator, discriminator = create_players(config, player, key_players, (config.text_features,))
    encoder = create_encoder(config, key_encoder)
    return State(generator, suited(config, discriminator), generator.variables, encoder)


discriminator_loss = matching_loss
"""Equation 1; shown are x, x' and G(z, t)."""


def generator_loss(
    config: Config,
    variables: Variables,
    opponent: Variables,
    images: Images,
    asked: tuple[Asked, Asked | None],
    mode: Mode,
) -> LossOutput:
    """Equation 2: fakes for the texts of real images, and for texts between two of them, in a batch of their own.

    The images x are seen by a relativistic objective alone.
    """
    whole, between = asked
    loss, variables = _value(config, variables, opponent, (images, whole), mode)
    if between is not None:
        half = mode.with_keys(None if mode.keys is None else split(mode.keys, 2)[0]).stream(BETWEEN)
        more, variables = _value(config, variables, opponent, (split(images, 2)[0], between), half)
        loss = (loss + config.interpolation / 2 * more) / (1 + config.interpolation / 2)
    return loss, ({"generator_loss": loss}, variables)


def _value(
    config: Config, variables: Variables, opponent: Variables, given: tuple[Images, Asked], mode: Mode
) -> tuple[Scalar, Variables]:
    """What the generator minimises of fakes that count alike, and its variables after the pass."""
    images, asked = given
    fakes, variables = generate(config, variables, *asked, mode=mode)
    return fakes_loss(config, opponent, images, fakes, asked.texts, mode), variables


def halfway(texts: Embeddings) -> jax.Array:
    """t' of equation 2: the means of neighbours, half as many."""
    return split(texts, 2).mean(axis=0)


def update(
    config: Config, state: State, batch: Captioned, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: two minibatches, interleaved (`parallel.split`): images, uint8 or floats in range, with their captions;
            of the second only the images are used, where `mismatch` is above 0.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_latents, key_between, key_discriminator, key_generator = jax.random.split(key, 4)
    images, other = split(scale(batch.images, config.value_range), 2)
    texts = embed(config, state.encoder, split(batch.captions, 2)[0])
    num = len(images)
    whole = Asked(config.prior.draw(key_latents, num, axis_name), texts)
    mode = training_mode(state.generator, key_discriminator, num, axis_name)
    fakes = generate(config, state.generator.variables, *whole, mode=mode)[0]
    loss, inputs = partial(discriminator_loss, config), ((images, other, fakes), texts, mode)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")
    between = None
    if config.interpolation:
        between = Asked(config.prior.draw(key_between, num // 2, axis_name), halfway(texts))
    mode = mode.with_keys(example_keys(key_generator, num, axis_name))
    inputs = discriminator.variables, images, (whole, between), mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    metrics = metrics_d | metrics_g | diversity(images, fakes, axis_name)
    return State(generator, discriminator, ema, state.encoder), metrics


def embed_captions(config: Config, state: State, captions: Captions) -> Embeddings:
    """t of captions (batch, caption_length)."""
    return embed(config, state.encoder, captions)


def from_embeddings(config: Config, state: State, latents: Latents, embeddings: Embeddings) -> Images:
    """G(z, t) of the moving average of the generator."""
    return generate(config, state.ema, latents, embeddings)[0]


def from_latents(config: Config, state: State, latents: Latents, condition: Captions | None = None) -> Images:
    """G(z, t) of the moving average of the generator, t of captions (batch, caption_length); of empty ones without."""
    return from_embeddings(config, state, latents, embed(config, state.encoder, condition, latents.shape[0]))


sample = sampler(from_latents)
