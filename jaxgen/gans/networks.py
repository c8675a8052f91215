"""The two networks of a GAN as every model of the family applies them, and images from its latents.

A model's config names its networks and shapes alike: `generator`, `prior`, `image_shape`, `value_range`, `num_classes`
where there are labels, and `regularization` of the opponent. Its state holds `ema`, the moving average of the
generator's variables.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax

from jaxgen.conditions import in_turn, one_hot
from jaxgen.gans.discrimination import GENERATOR, Network
from jaxgen.gans.regularization import prepared
from jaxgen.images import squash
from jaxgen.mode import EVALUATION, Mode
from jaxgen.optimizers import Optimizer
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, TrainState, apply, blank, create, descend
from jaxgen.typing import AxisName, Key, Labels, Latents, Metrics, PerExample, Points, Shape, Variables


class AdversarialState(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    discriminator: TrainState
    ema: Variables  # moving average of the generator's


class CriticState(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    critic: TrainState
    ema: Variables  # moving average of the generator's


def create_adversaries(config: Any, key: Key, *conditions: Shape, outputs: Shape = ()) -> AdversarialState:
    """Fresh networks and optimisers: `create_players` of the config's `discriminator`."""
    player = config.discriminator, config.discriminator_optimizer
    generator, discriminator = create_players(config, player, key, *conditions, outputs=outputs)
    return AdversarialState(generator, prepared(config.regularization, discriminator), ema=generator.variables)


def create_with_critic(config: Any, key: Key, *conditions: Shape, outputs: Shape = ()) -> CriticState:
    """Fresh networks and optimisers: `create_players` of the config's `critic`."""
    player = config.critic, config.critic_optimizer
    generator, critic = create_players(config, player, key, *conditions, outputs=outputs)
    return CriticState(generator, prepared(config.regularization, critic), ema=generator.variables)


def create_players(
    config: Any, discriminator: tuple[nn.Module, Optimizer], key: Key, *conditions: Shape, outputs: Shape = ()
) -> tuple[TrainState, TrainState]:
    """A fresh generator, and a fresh discriminator or critic.

    Args:
        config: settings of the model.
        discriminator: the network and its optimiser.
        key: of the weights.
        conditions: shapes of what the generator is given in addition to latents.
        outputs: shape of what the discriminator gives for each example. With `()` it scores, given the same conditions.
    """
    key_generator, key_discriminator = jax.random.split(key)
    given = [blank(shape) for shape in conditions]
    generator = create_generator(config, key_generator, *conditions)
    inputs = blank(config.image_shape), *(() if outputs else given), outputs
    return generator, create(*discriminator, key_discriminator, *inputs)


def create_generator(config: Any, key: Key, *conditions: Shape) -> TrainState:
    """A fresh generator of latents and conditions, of these shapes."""
    inputs = blank(config.prior.shape), *(blank(shape) for shape in conditions), config.image_shape
    return create(config.generator, config.generator_optimizer, key, *inputs)


def generate(
    config: Any, variables: Variables, latents: Latents, *conditions: jax.Array, mode: Mode = EVALUATION
) -> tuple[Points, Variables]:
    """G(z), or G(z|y), in the value range, and the generator's variables after the pass."""
    inputs = latents, *conditions, config.image_shape
    outputs, variables = apply(config.generator, variables, *inputs, mode=mode.stream(GENERATOR))
    return squash(outputs, config.value_range), variables


def generator_step(
    config: Any, state: Any, loss: Callable[..., LossOutput], inputs: tuple[Any, ...], axis_name: AxisName
) -> tuple[TrainState, Variables, Metrics]:
    """One step down the generator's loss; the generator after it, its moving average, and the loss's metrics."""
    generator, metrics = descend(state.generator, partial(loss, config), inputs, axis_name, "generator")
    return generator, config.average.update(state.ema, generator.variables, generator.step), metrics


def fixed_fakes(config: Any, variables: Variables, minibatches: tuple[jax.Array, ...], mode: Mode) -> Points:
    """Fakes of several minibatches from a generator that does not learn meanwhile: all from one pass.

    Each minibatch keeps its own batch statistics. `minibatches` are latents, conditions and keys of the passes, each
    with a leading axis of minibatches.
    """

    def fakes(inputs: tuple[jax.Array, ...]) -> Points:
        *given, keys = inputs
        return generate(config, variables, *given, mode=mode.with_keys(keys))[0]

    return jax.vmap(fakes)(minibatches)


def scorer(net: nn.Module, output_shape: Shape = ()) -> Network:
    """A discriminator or critic as a function of its inputs: images alone, or a tuple of images and conditions."""

    def network(variables: Variables, inputs: Any, mode: Mode = EVALUATION) -> tuple[Any, Variables]:
        inputs = inputs if isinstance(inputs, tuple) else (inputs,)
        return apply(net, variables, *inputs, output_shape, mode=mode)

    return network


def two_headed(net: nn.Module, num_outputs: int) -> Network:
    """A discriminator or critic of a score and `num_outputs` more, the score first: `(scores, outputs)`."""
    network = scorer(net, (1 + num_outputs,))

    def heads(variables: Variables, inputs: Any, mode: Mode = EVALUATION) -> tuple[Any, Variables]:
        outputs, variables = network(variables, inputs, mode)
        return (outputs[:, 0], outputs[:, 1:]), variables

    return heads


def discriminate(config: Any, state: Any, points: Points, condition: None = None) -> PerExample:
    """D's score of each point, with running statistics and without dropout."""
    return apply(config.discriminator, state.discriminator.variables, points, ())[0]


def criticize(config: Any, state: Any, points: Points, condition: None = None) -> PerExample:
    """The critic's score of each point, with running statistics and without dropout."""
    return apply(config.critic, state.critic.variables, points, ())[0]


def from_latents(config: Any, state: Any, latents: Latents, condition: None = None) -> Points:
    """G(z) of the moving average of the generator."""
    return generate(config, state.ema, latents)[0]


def from_latents_and_labels(config: Any, state: Any, latents: Latents, condition: Labels | None = None) -> Points:
    """G(z|y) of the moving average of the generator; without labels y, image i is of class i mod `num_classes`."""
    labels = in_turn(condition, latents.shape[0], config.num_classes)
    return generate(config, state.ema, latents, one_hot(labels, config.num_classes))[0]


sample = sampler(from_latents)
sample_labelled = sampler(from_latents_and_labels)
