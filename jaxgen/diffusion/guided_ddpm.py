"""DDPM with classifier guidance: beside the denoiser a classifier of noisy images is trained.

Dhariwal, Nichol: Diffusion Models Beat GANs on Image Synthesis, 2021, arXiv 2105.05233.

The denoiser is trained as in `jaxgen.diffusion.ddpm`; with `class_dropout=1` it is never told a class. The classifier
p(c|x_t, t) minimises

    L = E[-log p(c|x_t, t)]                                                                              (1)

on the same noisy images. Samples follow its gradient: `guidance.ByClassifier`. The paper trains the two one after the
other; here both players learn in one update, each with its own optimiser.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct

from jaxgen.batches import Labelled
from jaxgen.checks import PositiveInt
from jaxgen.diffusion import denoising, drawing, editing
from jaxgen.diffusion.denoising import DenoiserDefaults, Examples, denoise, draw_examples, wanted
from jaxgen.diffusion.guidance import ByClassifier, Guidance, Networks
from jaxgen.diffusion.predictions import Kind, Noise, corrupt
from jaxgen.diffusion.samplers import DDIM, Point, Sampler
from jaxgen.diffusion.schedules import LinearBetas, Schedule
from jaxgen.diffusion.times import Times, UniformTimes
from jaxgen.losses import cross_entropy, mean_squared_error
from jaxgen.mode import Mode
from jaxgen.moving_averages import Constant, MovingAverage
from jaxgen.nets.unet.classifier import NoisyClassifier
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import LossOutput, TrainState, apply, blank, create, descend, training_mode
from jaxgen.typing import AxisName, Key, Keys, Labels, Metrics, Points, States, Variables


@dataclass(frozen=True)
class Config(DenoiserDefaults):
    """Settings; DDPM's for CIFAR-10, with the paper's optimiser of the classifier."""

    num_classes: PositiveInt = 10
    denoiser: nn.Module = UNet()  # x_t and t to the prediction
    classifier: nn.Module = NoisyClassifier()  # x_t and t to logits of the classes
    schedule: Schedule = LinearBetas()
    prediction: Kind = Noise()  # what the network predicts
    times: Times = UniformTimes()  # at which both are trained
    sampler: Sampler = DDIM(50)
    guidance: Guidance = ByClassifier(1.0)
    optimizer: Optimizer = Optimizer(2e-4, Adam(), warm_up=5000, clip_norm=1.0)
    classifier_optimizer: Optimizer = Optimizer(3e-4, Adam(), weight_decay=0.05)
    average: MovingAverage = Constant(0.9999)


class State(struct.PyTreeNode):
    """What the next update needs."""

    denoiser: TrainState
    classifier: TrainState
    ema: Variables  # moving average of the denoiser's variables, from which samples are drawn


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_denoiser, key_classifier = jax.random.split(key)
    fresh = denoising.create_denoiser(config, key_denoiser)
    inputs = blank(config.image_shape), blank(()), (config.num_classes,)
    classifier = create(config.classifier, config.classifier_optimizer, key_classifier, *inputs)
    return State(fresh.denoiser, classifier, fresh.ema)


def denoiser_loss(config: Config, variables: Variables, examples: Examples, noisy: Points, mode: Mode) -> LossOutput:
    """E ||y - prediction||^2, the mean over pixels and over the batch; y is the noise, or what is predicted."""
    prediction, variables = denoise(config, variables, noisy, examples.times, examples.classes, mode)
    loss = mean_squared_error(prediction.value, wanted(config, examples)).mean()
    return loss, ({"denoiser_loss": loss}, variables)


def classifier_loss(
    config: Config, variables: Variables, noisy: Points, labels: Labels, examples: Examples, mode: Mode
) -> LossOutput:
    """Equation 1, the mean over the batch in nats; and how many are named right."""
    inputs = noisy, config.schedule.label(examples.times), (config.num_classes,)
    logits, variables = apply(config.classifier, variables, *inputs, mode=mode.stream(1))
    loss = cross_entropy(logits, labels).mean()
    right = (logits.argmax(axis=1) == labels).astype(jnp.float32).mean()
    return loss, ({"classifier_loss": loss, "accuracy": right}, variables)


def update(
    config: Config, state: State, batch: Labelled, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the denoiser and one of the classifier, on the same noisy images.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: images, uint8 or floats in range, and labels.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_examples, key_pass = jax.random.split(key)
    examples = draw_examples(config, batch, key_examples, axis_name)
    noisy = corrupt(config.schedule.level(examples.times), examples.data, examples.noise)
    inputs, loss = (examples, noisy), partial(denoiser_loss, config)
    after, metrics = denoising.denoiser_step(config, state, loss, inputs, key_pass, axis_name)
    mode = training_mode(state.classifier, key_pass, noisy.shape[0], axis_name)
    inputs, loss = (noisy, batch.labels, examples, mode), partial(classifier_loss, config)
    classifier, metrics_classifier = descend(state.classifier, loss, inputs, axis_name)
    return State(after.denoiser, classifier, after.ema), metrics | metrics_classifier


def guided(config: Config, state: State) -> drawing.At:
    """The denoiser's moving average, and the classifier."""
    plain = drawing.networks(config, state.ema)

    def at(point: Point) -> Networks:
        def classify(noisy: Points) -> jax.Array:
            label = config.schedule.label(jnp.broadcast_to(point.time, noisy.shape[:1]))
            return apply(config.classifier, state.classifier.variables, noisy, label, (config.num_classes,))[0]

        return plain(point)._replace(classify=classify)

    return at


def sample(config: Config, state: State, key: Keys, num: int, condition: Labels | None = None) -> Points:
    """`num` images, guided to their classes; `condition` as in `drawing.sample`."""
    return drawing.drawn(config, guided(config, state), key, num, condition)


def from_latents(config: Config, state: State, latents: Points, condition: Labels | None = None) -> Points:
    """The image of each x at the noisiest time, by the sampler without its noise."""
    return drawing.decoded(config, guided(config, state), latents, condition)


def trajectory(config: Config, state: State, key: Keys, num: int, condition: Labels | None = None) -> States:
    """The states from the noise to the images that `sample` draws with the same key: (steps + 1, num, ...)."""
    return drawing.drawn(config, guided(config, state), key, num, condition, keep=True)


def edit(
    config: Config, state: State, key: Keys, guide: editing.Guide, how: Any, condition: Labels | None = None
) -> Points:
    """Images that keep what a guide says, guided to their classes: as `editing.edit`."""
    return editing.edited(config, guided(config, state), key, guide, how, condition)
