"""Latent diffusion: texts to images, by a diffusion model of an autoencoder's latents.

Rombach, Blattmann, Lorenz, Esser, Ommer: High-Resolution Image Synthesis with Latent Diffusion Models, 2021, arXiv
2112.10752, and the authors' code.

The autoencoder is trained before (`jaxgen.autoencoders.kl_autoencoder`) and frozen. With z = s E(x), drawn from its
posterior and scaled by s, and tau the network that reads the caption y,

    L = E ||epsilon - epsilon_theta(z_t, t, tau(y))||^2,   t uniform,                                       (3)

where z_t is z with noise as in `jaxgen.diffusion.ddpm`: any schedule, prediction, weight, sampler and guidance of
`jaxgen.diffusion` will do. In a share of the examples the caption is the empty one, for guidance without a classifier
(arXiv 2207.12598). An image is D(z / s) of a z that the sampler draws.

tau learns with the denoiser, as in the paper's model of texts, or is frozen too, as in Stable Diffusion. With
`Pixels` in place of an autoencoder the model is one of the images themselves.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct

from jaxgen import moving_averages
from jaxgen.batches import Captioned
from jaxgen.checks import PositiveInt, require
from jaxgen.diffusion import denoising, drawing
from jaxgen.diffusion.denoising import Examples, denoise, draw_corruption, draw_kept, start_deviation, wanted
from jaxgen.diffusion.guidance import ClassifierFree, Guidance, Networks
from jaxgen.diffusion.predictions import Kind, Noise, corrupt
from jaxgen.diffusion.samplers import DDIM, Point, Sampler
from jaxgen.diffusion.schedules import ScaledLinearBetas, Schedule
from jaxgen.diffusion.times import Times, UniformTimes
from jaxgen.diffusion.weights import Distance, Squared, Unweighted, Weight
from jaxgen.images import ValueRange, scale
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import Constant, MovingAverage
from jaxgen.nets.text.context import Context, dropped
from jaxgen.nets.text.given import no_captions
from jaxgen.nets.text.transformer import TextTransformer
from jaxgen.nets.unet.cross_attention import CrossAttentionUNet
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys, pass_key
from jaxgen.priors import Gaussian
from jaxgen.text_to_image import latents
from jaxgen.text_to_image.embedding import require_length
from jaxgen.text_to_image.latents import Autoencoder, Compressed, Factor, FirstBatch, Scale
from jaxgen.train_state import Frozen, LossOutput, TrainState, apply, blank, create_parts, freeze
from jaxgen.typing import AxisName, Captions, Images, Key, Keys, Metrics, Points, States, Variables

TEXT = "text"
"""Name of the network that reads captions: a part of the player, or a frozen network."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for texts, but that captions are bytes in place of 77 tokens of words."""

    image_shape: tuple[int, ...] = (256, 256, 3)
    value_range: ValueRange = (-1.0, 1.0)
    caption_length: PositiveInt = 128  # bytes; shorter captions are padded with zeros
    autoencoder: Autoencoder = Compressed()  # E and D, which want `--pretrained autoencoder=RUN:autoencoder`
    scale: Scale = FirstBatch()  # s
    text: nn.Module = TextTransformer(1280, 32, 8)  # tau: captions to their context
    text_frozen: bool = False  # tau does not learn, and wants `--pretrained text=SOURCE`
    caption_dropout: float = 0.1  # share of examples that are trained with the empty caption
    denoiser: nn.Module = CrossAttentionUNet(attention=(32, 16, 8))  # z_t, t and the context to the prediction
    schedule: Schedule = ScaledLinearBetas(first=0.0015, last=0.0195)
    prediction: Kind = Noise()  # what the network predicts
    times: Times = UniformTimes()  # at which it is trained
    weight: Weight = Unweighted()  # of a level in the loss
    distance: Distance = Squared()  # between the prediction and its target
    sampler: Sampler = DDIM(250)
    guidance: Guidance = ClassifierFree(5.0)
    optimizer: Optimizer = Optimizer(1e-4, Adam())
    average: MovingAverage = Constant(0.9999)

    batch_type: ClassVar = Captioned
    part: ClassVar[str | None] = "denoiser"
    outputs: ClassVar[int] = 1
    augmentation_labels: ClassVar[int] = 0
    prior = property(lambda self: Gaussian(latents.shape_of(self), start_deviation(self)))  # of z at the noisiest time

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.caption_dropout <= 1, "caption_dropout", self.caption_dropout, "in [0, 1]")
        plain = isinstance(self.autoencoder, Compressed) or self.scale == Factor(1.0)
        require(plain, "scale", self.scale, "Factor(1.0) with autoencoder=Pixels(): images are in the value range")
        denoising.require_kind(self)


class State(struct.PyTreeNode):
    """What the next update needs."""

    denoiser: TrainState  # the denoiser, and tau unless it is frozen
    ema: Variables  # moving average of these, from which samples are drawn
    autoencoder: Any  # Frozen; None for pixels
    text: Any  # Frozen, where tau does not learn; else None
    scale: Any  # s, a float32 number


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser, and random weights of what is frozen."""
    key_denoiser, key_autoencoder, key_text = jax.random.split(key, 3)
    captions, shape = no_captions(config.text, 1, config.caption_length), latents.shape_of(config)
    outputs = jax.eval_shape(lambda: config.text.init_with_output(key_text, captions, ())[0])
    context = jax.tree.map(lambda each: jnp.zeros(each.shape, each.dtype), outputs)
    parts: dict[str, tuple[Any, ...]] = {"denoiser": (config.denoiser, blank(shape), blank(()), context, shape)}
    text = freeze(config.text, TEXT, key_text, captions, ()) if config.text_frozen else None
    if text is None:
        parts[TEXT] = (config.text, captions, ())
    denoiser = create_parts(parts, config.optimizer, key_denoiser)
    autoencoder = latents.create_autoencoder(config, key_autoencoder)
    factor = jnp.float32(config.scale.factor if isinstance(config.scale, Factor) else 1.0)
    average = moving_averages.begin(config.average, denoiser.variables)
    return State(denoiser, average, autoencoder, text, factor)


def read(
    config: Config, variables: Variables, text: Frozen | None, captions: Captions, mode: Mode = EVALUATION
) -> tuple[Context, Variables]:
    """tau(y), and the player's variables after the pass; a frozen tau is not in training."""
    require_length(config, captions)
    if text is not None:
        return apply(config.text, text.variables, captions, ())[0], variables
    return apply(config.text, variables, captions, (), mode=mode.stream(1), part=TEXT)


def denoising_loss(
    config: Config, variables: Variables, examples: Examples, text: Frozen | None, mode: Mode
) -> LossOutput:
    """Equation 3, the mean over the numbers of z and over the batch; `examples.classes` are the captions."""
    context, variables = read(config, variables, text, examples.classes, mode)
    level = config.schedule.level(examples.times)
    noisy = corrupt(level, examples.data, examples.noise)
    process = latents.process(config)
    prediction, variables = denoise(process, variables, noisy, examples.times, context, mode)
    errors = config.distance.between(prediction.value, wanted(process, examples))
    return denoising.loss_output(config.weight.factor(config.prediction, level) * errors, variables)


def update(
    config: Config, state: State, batch: Captioned, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the denoiser, and of tau with it unless it is frozen.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: images, uint8 or floats in range, and captions.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_latents, key_times, key_noise, key_captions, key_pass = jax.random.split(key, 5)
    images = scale(batch.images, config.value_range)
    maps = latents.encode(config, state.autoencoder, images, key_latents, axis_name)
    factor = state.scale
    if isinstance(config.scale, FirstBatch):
        factor = jnp.where(state.denoiser.step == 0, latents.factor_of(maps, axis_name), factor)
    examples = draw_corruption(config, factor * maps, (key_times, key_noise), axis_name)
    kept = draw_kept(config.caption_dropout, key_captions, images.shape[0], axis_name)
    examples = examples._replace(classes=dropped(batch.captions, kept))
    loss, inputs = partial(denoising_loss, config), (examples, state.text)
    after, metrics = denoising.denoiser_step(config, state, loss, inputs, key_pass, axis_name)
    return state.replace(denoiser=after.denoiser, ema=after.ema, scale=factor), metrics | {"scale": factor}


def contexts(config: Config, state: State, captions: Captions | None, num: int) -> Context:
    """tau(y) by the moving average; without captions, that of `num` empty ones."""
    empty = no_captions(config.text, num, config.caption_length)
    return read(config, state.ema, state.text, empty if captions is None else captions)[0]


def networks(config: Config, state: State) -> drawing.At:
    """The moving average of the denoiser, and the context of the empty caption."""
    nothing, plain = contexts(config, state, None, 1), drawing.networks(latents.process(config), state.ema)

    def at(point: Point) -> Networks:
        return plain(point)._replace(nothing=nothing)

    return at


def drawn(
    config: Config, state: State, key: Keys, num: int, condition: Captions | None, *, keep: bool = False
) -> Points | States:
    """What the sampler makes of noise: scaled latents, or with `keep` all states on the way to them."""
    start, keys = config.prior.draw(key, num), pass_key(example_keys(key, num))
    given = start, keys, contexts(config, state, condition, num)
    return drawing.integrate(latents.process(config), networks(config, state), *given, keep=keep)


def sample(config: Config, state: State, key: Keys, num: int, condition: Captions | None = None) -> Images:
    """`num` images from the moving average of the denoiser.

    Args:
        config: settings, with the sampler and the guidance.
        state: of the model.
        key: one key, or one for each image.
        num: how many.
        condition: the caption of each image, (num, caption_length), UTF-8 bytes padded with zeros; without, the empty
            one.
    """
    return latents.decode(config, state, drawn(config, state, key, num, condition))


def trajectory(config: Config, state: State, key: Keys, num: int, condition: Captions | None = None) -> States:
    """The images of the states from the noise to what `sample` draws with the same key: (steps + 1, num, ...)."""
    states = drawn(config, state, key, num, condition, keep=True)
    return jax.lax.map(partial(latents.decode, config, state), states)
