"""StackGAN: a sketch of a text, and from sketch and text a larger image.

Zhang, Xu, Li, Zhang, Wang, Huang, Metaxas: StackGAN: Text to Photo-realistic Image Synthesis with Stacked Generative
Adversarial Networks, 2016, arXiv 1612.03242, with the authors' code.

The code of a text of embedding t is drawn around it, c = mu(t) + sigma(t) e with e from N(0, I) (conditioning
augmentation), the network of mu and sigma learning with the generator. For images x, others x' and fakes G the players
minimise

    L_D = -E[log D(x, t)] - c' E[log(1 - D(x', t))] - (1 - c') E[log(1 - D(G, t))]                    (1)
    L_G = -E[log D(G, t)] + lambda KL(N(mu(t), sigma(t)^2) || N(0, I))                                (2)

with c' = 1/2 (`mismatch`), a step of D, then one of G. In stage I G = G(z, c). In stage II G = G(s, c) of a sketch s
of stage I, which was trained before and stays as it is, with a code c of its own and no other noise: `stage_one`, read
with `--pretrained stage_one=RUN:ema`.

In equation 2 the KL is the mean over the numbers of a code, as in the code, where lambda = 2; in the paper, lambda = 1,
it is their sum. e beyond two deviations is drawn again, as in the code.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen import parallel
from jaxgen.batches import Captioned
from jaxgen.checks import NonNegativeFloat, PositiveInt
from jaxgen.gans.diagnostics import diversity
from jaxgen.gans.discrimination import GENERATOR
from jaxgen.gans.networks import generator_step
from jaxgen.images import scale, squash
from jaxgen.losses import standard_normal_kl
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.gan_cls import TextDiscriminator
from jaxgen.nets.stackgan import StageOneGenerator, TextAugmentation
from jaxgen.text_to_image.embedding import create_encoder, embed
from jaxgen.text_to_image.game import GameDefaults, fakes_loss, matching_loss, suited
from jaxgen.train_state import (
    Frozen,
    LossOutput,
    TrainState,
    apply,
    blank,
    create,
    create_parts,
    descend,
    freeze_parts,
    training_mode,
)
from jaxgen.typing import (
    AxisName,
    Captions,
    Embeddings,
    Images,
    Key,
    Keys,
    Latents,
    Metrics,
    PerExample,
    Points,
    Shape,
    Variables,
)

STAGE_ONE = "stage_one"
"""Name of the frozen generator."""

AUGMENTATION = 8
"""Stream of the keys of a pass: of the network of mu and sigma."""


@dataclass(frozen=True)
class StageOne:
    """The settings of a stage I that was trained: its images and networks."""

    image_shape: Shape = (64, 64, 3)
    augmentation: nn.Module = TextAugmentation()
    generator: nn.Module = StageOneGenerator()


@dataclass(frozen=True)
class Config(GameDefaults):
    """Settings; the defaults are stage I of the authors' code."""

    code_features: PositiveInt = 128  # numbers of c
    augmentation: nn.Module = TextAugmentation()  # t to mu and log sigma
    generator: nn.Module = StageOneGenerator()  # z, or the sketch, and c to image
    discriminator: nn.Module = TextDiscriminator(text=128)  # image and t to score
    stage_one: StageOne | None = None  # of which stage II gets its sketches; None in stage I
    kl_weight: NonNegativeFloat = 2.0  # lambda


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState  # of the networks `augmentation` and `generator`
    discriminator: TrainState
    ema: Variables  # moving average of the generator's
    encoder: Frozen
    stage_one: Frozen | None  # None in stage I


class Noise(NamedTuple):
    """What an image is drawn from besides its text."""

    latents: Latents  # z
    code: Points  # e
    sketch: Points | None  # e of stage I; None in stage I


def init(config: Config, key: Key) -> State:
    """Fresh players, a random encoder and, in stage II, a random stage I."""
    key_generator, key_discriminator, key_encoder, key_first = jax.random.split(key, 4)
    source, first = blank(config.prior.shape), None
    if config.stage_one is not None:
        first = freeze_parts(_parts(config, config.stage_one, source), STAGE_ONE, key_first)
        source = blank(config.stage_one.image_shape)
    generator = create_parts(_parts(config, config, source), config.generator_optimizer, key_generator)
    inputs = blank(config.image_shape), blank((config.text_features,)), ()
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, *inputs)
    encoder = create_encoder(config, key_encoder)
    return State(generator, suited(config, discriminator), generator.variables, encoder, first)


def _parts(config: Config, stage: Config | StageOne, source: jax.Array) -> dict[str, tuple[Any, ...]]:
    """The networks of a stage, and what each is first called with."""
    augmentation = stage.augmentation, blank((config.text_features,)), (2 * config.code_features,)
    generator = stage.generator, source, blank((config.code_features,)), stage.image_shape
    return {"augmentation": augmentation, "generator": generator}


def draw_noise(config: Config, key: Keys, num: int, axis_name: AxisName = None) -> Noise:
    """z from the prior, and e of each stage from N(0, I) within two deviations."""

    def truncated(key: Key) -> jax.Array:
        return jax.random.truncated_normal(key, -2.0, 2.0, (config.code_features,))

    codes = [parallel.draw(truncated, parallel.pass_key(key, number), num, axis_name) for number in (0, 1)]
    return Noise(config.prior.draw(key, num, axis_name), codes[0], codes[1] if config.stage_one else None)


def generate(
    config: Config,
    stage: Config | StageOne,
    variables: Variables,
    given: tuple[Points, Embeddings, Latents],
    mode: Mode = EVALUATION,
) -> tuple[Images, PerExample, Variables]:
    """What a stage makes of z or a sketch, t and e; the KL of equation 2 of each text; the variables after the pass."""
    source, texts, noise = given
    passed = mode.stream(AUGMENTATION)
    shape = (2 * config.code_features,)
    outputs, variables = apply(stage.augmentation, variables, texts, shape, mode=passed, part="augmentation")
    mean, log_deviation = jnp.split(outputs, 2, axis=1)
    code = mean + jnp.exp(log_deviation) * noise
    kl = standard_normal_kl(mean, 2.0 * log_deviation) / config.code_features
    inputs = source, code, stage.image_shape
    images, variables = apply(stage.generator, variables, *inputs, mode=mode.stream(GENERATOR), part="generator")
    return squash(images, config.value_range), kl, variables


def sources(config: Config, first: Frozen | None, noise: Noise, texts: Embeddings) -> Points:
    """What the generator begins with: z in stage I, in stage II the sketches of the stage I that was trained."""
    if first is None or config.stage_one is None or noise.sketch is None:
        return noise.latents
    return generate(config, config.stage_one, first.variables, (noise.latents, texts, noise.sketch))[0]


discriminator_loss = matching_loss
"""Equation 1; shown are x, x' and G."""


def generator_loss(
    config: Config,
    variables: Variables,
    opponent: Variables,
    images: Images,
    given: tuple[Points, Embeddings, Latents],
    mode: Mode,
) -> LossOutput:
    """Equation 2, of z or sketches, t and e; the images x are seen by a relativistic objective alone."""
    fakes, kl, variables = generate(config, config, variables, given, mode)
    loss = fakes_loss(config, opponent, images, fakes, given[1], mode)
    return loss + config.kl_weight * kl.mean(), ({"generator_loss": loss, "kl": kl.mean()}, variables)


def update(
    config: Config, state: State, batch: Captioned, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator, with the same z, sketches and codes.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: two minibatches, interleaved (`parallel.split`): images, uint8 or floats in range, with their captions;
            of the second only the images are used.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_noise, key_discriminator, key_generator = jax.random.split(key, 3)
    images, others = parallel.split(scale(batch.images, config.value_range), 2)
    texts, num = embed(config, state.encoder, parallel.split(batch.captions, 2)[0]), len(images)
    noise = draw_noise(config, key_noise, num, axis_name)
    given = sources(config, state.stage_one, noise, texts), texts, noise.code
    mode = training_mode(state.generator, key_discriminator, num, axis_name)
    fakes = generate(config, config, state.generator.variables, given, mode)[0]
    loss, inputs = partial(discriminator_loss, config), ((images, others, fakes), texts, mode)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")
    mode = mode.with_keys(parallel.example_keys(key_generator, num, axis_name))
    inputs = discriminator.variables, images, given, mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    metrics = metrics_d | metrics_g | diversity(images, fakes, axis_name)
    return State(generator, discriminator, ema, state.encoder, state.stage_one), metrics


def sample(config: Config, state: State, key: Keys, num: int, condition: Captions | None = None) -> Images:
    """`num` images of captions (batch, caption_length), of empty ones without."""
    return _drawn(config, state, draw_noise(config, key, num), embed(config, state.encoder, condition, num))


def embed_captions(config: Config, state: State, captions: Captions) -> Embeddings:
    """t of captions (batch, caption_length)."""
    return embed(config, state.encoder, captions)


def from_embeddings(config: Config, state: State, latents: Latents, embeddings: Embeddings) -> Images:
    """The image of each z and t with the mean codes, e = 0."""
    mean = jnp.zeros((latents.shape[0], config.code_features))
    return _drawn(config, state, Noise(latents, mean, mean), embeddings)


def from_latents(config: Config, state: State, latents: Latents, condition: Captions | None = None) -> Images:
    """The image of each z with the mean codes of its caption, e = 0; of the empty one without."""
    return from_embeddings(config, state, latents, embed(config, state.encoder, condition, latents.shape[0]))


def _drawn(config: Config, state: State, noise: Noise, texts: Embeddings) -> Images:
    source = sources(config, state.stage_one, noise, texts)
    return generate(config, config, state.ema, (source, texts, noise.code))[0]
