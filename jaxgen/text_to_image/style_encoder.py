"""Style encoder: the latents of an image whose text is known, and the style of one image under other texts.

Reed, Akata, Yan, Logeswaran, Schiele, Lee: Generative Adversarial Text to Image Synthesis, 2016, arXiv 1605.05396,
section 4.4.

The generator G of `jaxgen.text_to_image.gan_cls` and the encoder of texts are trained before, and frozen. With the
embeddings t of texts of the data, a network S learns to invert G,

    L = E ||z - S(G(z, t))||^2,   z ~ p(z),                                                               (1)

so that z keeps what the text does not say, the style: place, pose, ground. The style of an image x with the text of
embedding t is

    G(S(x), t).                                                                                           (2)

No code of it is published. S is a trunk like a discriminator's here. The images of a batch are not used.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax

from jaxgen.batches import Captioned
from jaxgen.checks import require
from jaxgen.gans.diagnostics import latent_error
from jaxgen.gans.networks import generate
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.conv import ConvCritic
from jaxgen.nets.gan_cls import TextGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal, Prior
from jaxgen.sampling import sampler
from jaxgen.text_to_image.embedding import TextDefaults, create_encoder, embed
from jaxgen.train_state import Frozen, LossOutput, TrainState, apply, blank, create, descend, freeze, training_mode
from jaxgen.typing import AxisName, Captions, Embeddings, Images, Key, Latents, Metrics, Variables

GENERATOR = "generator"
"""Name of the frozen generator."""


@dataclass(frozen=True)
class Config(TextDefaults):
    """Settings; prior, generator and encoder of texts are those of the run of GAN-CLS that is inverted."""

    prior: Prior = Normal(100)  # of z
    generator: nn.Module = TextGenerator()  # G, frozen: `--pretrained generator=RUN:ema`
    style_encoder: nn.Module = ConvCritic(64, norm="batch")  # S: image to z
    optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))


class State(NamedTuple):
    """What the next update needs."""

    style_encoder: TrainState
    generator: Frozen
    encoder: Frozen  # of texts


def init(config: Config, key: Key) -> State:
    """A fresh style encoder, and random weights of what is frozen."""
    key_style, key_generator, key_encoder = jax.random.split(key, 3)
    style = create(config.style_encoder, config.optimizer, key_style, blank(config.image_shape), config.prior.shape)
    inputs = blank(config.prior.shape), blank((config.text_features,)), config.image_shape
    generator = freeze(config.generator, GENERATOR, key_generator, *inputs)
    return State(style, generator, create_encoder(config, key_encoder))


def encode(config: Config, variables: Variables, images: Images, mode: Mode = EVALUATION) -> tuple[Latents, Variables]:
    """S(x), and the variables after the pass."""
    return apply(config.style_encoder, variables, images, config.prior.shape, mode=mode)


def style_loss(config: Config, variables: Variables, fakes: Images, latents: Latents, mode: Mode) -> LossOutput:
    """Equation 1, of fakes G(z, t) and their z."""
    found, variables = encode(config, variables, fakes, mode)
    loss, recovered = latent_error(found, latents, mode.axis_name)
    return loss, ({"style_loss": loss, "recovered": recovered}, variables)


def update(
    config: Config, state: State, batch: Captioned, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the style encoder.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: captions, for each of which a fake is drawn; its images are not used.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Raises:
        ValueError: a batch without captions.
    """
    require(batch.captions.shape[0] > 0, "batch size", 0, "at least 1")
    key_latents, key_style = jax.random.split(key)
    texts = embed(config, state.encoder, batch.captions)
    latents = config.prior.draw(key_latents, texts.shape[0], axis_name)
    fakes = from_embeddings(config, state, latents, texts)
    mode = training_mode(state.style_encoder, key_style, texts.shape[0], axis_name)
    inputs = fakes, latents, mode
    style, metrics = descend(state.style_encoder, partial(style_loss, config), inputs, axis_name, "style_encoder")
    return state._replace(style_encoder=style), metrics


def embed_captions(config: Config, state: State, captions: Captions) -> Embeddings:
    """t of captions (batch, caption_length)."""
    return embed(config, state.encoder, captions)


def from_embeddings(config: Config, state: State, latents: Latents, embeddings: Embeddings) -> Images:
    """G(z, t)."""
    return generate(config, state.generator.variables, latents, embeddings)[0]


def from_latents(config: Config, state: State, latents: Latents, condition: Captions | None = None) -> Images:
    """G(z, t), t of captions (batch, caption_length); of empty ones without."""
    return from_embeddings(config, state, latents, embed(config, state.encoder, condition, latents.shape[0]))


def to_latents(config: Config, state: State, images: Images, condition: Captions | None = None) -> Latents:
    """S(x) of images in the value range; the captions are not used."""
    return encode(config, state.style_encoder.variables, images)[0]


sample = sampler(from_latents)
