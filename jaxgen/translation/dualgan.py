"""DualGAN: two translators that learn from each other, without pairs, by Wasserstein critics.

Yi, Zhang, Tan, Gong: DualGAN: Unsupervised Dual Learning for Image-to-Image Translation, 2017, arXiv 1704.02510.

G makes images of domain b from images a, F the reverse; the critics D_a and D_b score images of both domains. The
players minimise

    L_G = -E D_b(G(a)) - E D_a(F(b)) + lambda (E|F(G(a)) - a| + E|G(F(b)) - b|)                               (1)
    L_D = E D_b(G(a)) - E D_b(b) + E D_a(F(b)) - E D_a(a) + mu P                                            (2)

for n_critic steps of the critics, then a step of the generators. P is the gradient penalty of arXiv 1704.00028, as in
the authors' code, summed over domains; with `clip` the critics' weights are clipped to [-c, c] after each step, as in
the paper. Dropout in the translators is their noise, in training and afterwards. A critic of patches has their mean
score.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Unpaired
from jaxgen.checks import NonNegativeFloat, PositiveInt, require
from jaxgen.gans.diagnostics import means
from jaxgen.gans.discrimination import require_no_batch_statistics
from jaxgen.gans.networks import AdversarialState, generator_step
from jaxgen.images import ValueRange
from jaxgen.losses.adversarial import wasserstein_critic, wasserstein_generator
from jaxgen.losses.penalties import gradient_penalty, interpolate
from jaxgen.losses.weights import clip_weights
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.dualgan import DualGANCritic, DualGANTranslator
from jaxgen.optimizers import Optimizer, RMSProp
from jaxgen.parallel import split
from jaxgen.train_state import LossOutput, TrainState, descend, training_mode
from jaxgen.translation.cycles import (
    TO_A,
    TO_B,
    Both,
    create_judges,
    create_translators,
    cycles,
    distance,
    forth,
    judge,
    require_condition,
    scaled,
    translate,
)
from jaxgen.translation.patches import example_scorer
from jaxgen.translation.single_images import one_at_a_time
from jaxgen.typing import AxisName, Images, Key, Keys, Metrics, Scalar, Shape, Variables

PENALTY_A, PENALTY_B, MIX_A, MIX_B = range(10, 14)
"""Streams of the keys of an update, besides those of `cycles`."""

RMS = Optimizer(5e-5, RMSProp(decay=0.9))


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the authors' code, for single images of 256x256 pixels."""

    image_shape: Shape = (256, 256, 3)  # of both domains
    value_range: ValueRange = (-1.0, 1.0)
    generator: nn.Module = DualGANTranslator()  # of both directions
    discriminator: nn.Module = DualGANCritic()  # of both domains
    cycle_weight: NonNegativeFloat = 500.0  # lambda
    penalty_weight: NonNegativeFloat = 10.0  # mu
    clip: float | None = None  # c, or None: weights of critics are not clipped
    critic_steps: PositiveInt = 1  # n_critic
    generator_optimizer: Optimizer = RMS
    discriminator_optimizer: Optimizer = RMS
    average: MovingAverage = NoAverage()  # of the generators, by which images are translated

    batch_type: ClassVar = Unpaired
    minibatches: ClassVar = property(lambda self: self.critic_steps)

    def __post_init__(self):
        super().__post_init__()
        require(self.clip is None or self.clip > 0, "clip", self.clip, "above 0, or None")


State: TypeAlias = AdversarialState  # parts to_a and to_b of the generator, a and b of the discriminator


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for critics with batch statistics and a penalty."""
    key_generator, key_discriminator = jax.random.split(key)
    generator, critics = create_translators(config, key_generator), create_judges(config, key_discriminator)
    if config.penalty_weight > 0:
        require_no_batch_statistics(critics)
    return State(generator, critics, generator.variables)


def penalty(config: Config, variables: Variables, images: Both, fakes: Both, mode: Mode) -> Scalar:
    """P of equation 2, at points between real images and fakes."""
    found = []
    for part, stream, stream_mix in zip(Both._fields, (PENALTY_A, PENALTY_B), (MIX_A, MIX_B), strict=True):
        network, passed = example_scorer(config.discriminator, part), mode.stream(stream)
        mix = jax.vmap(jax.random.uniform)(mode.stream(stream_mix).example_keys("a gradient penalty"))
        points = interpolate(getattr(images, part), getattr(fakes, part), mix)

        def critic(points, network=network, passed=passed):
            return network(variables, points, passed)[0]

        found.append(gradient_penalty(critic, points).mean())
    return jnp.stack(found).sum()


def discriminator_loss(config: Config, variables: Variables, images: Both, fakes: Both, mode: Mode) -> LossOutput:
    """Equation 2."""
    scores, after = judge(config, variables, images, fakes, mode, example_scorer)
    loss = jnp.stack([wasserstein_critic(real, fake).mean() for real, fake in scores]).sum()
    metrics = {"wasserstein_estimate": -loss}
    if config.penalty_weight > 0:
        metrics["gradient_penalty"] = penalty(config, variables, images, fakes, mode)
        loss += config.penalty_weight * metrics["gradient_penalty"]
    return loss, (metrics | {"discriminator_loss": loss}, after)


def generator_loss(config: Config, variables: Variables, opponent: Variables, images: Both, mode: Mode) -> LossOutput:
    """Equation 1."""
    found, variables = cycles(config, variables, images, mode)
    scores, _ = judge(config, opponent, Both(None, None), found.fakes, mode, example_scorer)
    adversarial = jnp.stack([wasserstein_generator(fake).mean() for _, fake in scores]).sum()
    cycle = distance(found.reconstructions, images)
    return adversarial + config.cycle_weight * cycle, ({"generator_loss": adversarial, "cycle": cycle}, variables)


def update(
    config: Config, state: State, batch: Unpaired, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """`critic_steps` steps of the critics, each on a minibatch of its own, then one of the generators on the last.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: `critic_steps` minibatches of each domain, uint8 or floats in range, interleaved.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    images, (key_critics, key_generator) = scaled(config, batch), jax.random.split(key)
    mode = training_mode(state.generator, key_critics, len(images.a), axis_name)
    minibatches = split((images, mode.example_keys("an update")), config.critic_steps)

    def step(critics: TrainState, minibatch: tuple[Both, jax.Array]) -> tuple[TrainState, Metrics]:
        images, keys = minibatch
        fakes, _ = forth(config, state.generator.variables, images, mode.with_keys(keys))
        inputs, loss = (images, fakes, mode.with_keys(keys)), partial(discriminator_loss, config)
        critics, metrics = descend(critics, loss, inputs, axis_name, "discriminator")
        params = critics.params if config.clip is None else clip_weights(critics.params, config.clip)
        return critics.replace(params=params), metrics

    critics, metrics_d = jax.lax.scan(step, state.discriminator, minibatches)
    last = jax.tree.map(lambda leaf: leaf[-1], minibatches[0])
    inputs = critics.variables, last, training_mode(state.generator, key_generator, len(last.a), axis_name)
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, critics, ema), means(metrics_d) | metrics_g


def to_a(config: Config, state: State, keys: Keys, images: Images) -> Images:
    """F(b), in the value range, each with the dropout of its own key."""
    return _translated(config, state, keys, TO_A, images)


def to_b(config: Config, state: State, keys: Keys, images: Images) -> Images:
    """G(a), in the value range, each with the dropout of its own key."""
    return _translated(config, state, keys, TO_B, images)


def sample(config: Config, state: State, key: Keys, num: int, condition: Images | None = None) -> Images:
    """G(a) of each of `num` images, `condition`, in the value range, each with the dropout of its own key."""
    return to_b(config, state, key, require_condition(condition))


def _translated(config: Config, state: State, keys: Keys, part: str, images: Images) -> jax.Array:
    def network(images: Images, mode: Mode) -> jax.Array:
        return translate(config, state.ema, part, images, mode)[0]

    return one_at_a_time(network, state.generator.step, keys, images)
