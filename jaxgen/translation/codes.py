"""Encoders and decoders of two domains: what UNIT and MUNIT share.

An image of either domain is encoded by its own domain's networks, and codes are decoded by those of the domain in which
an image is wanted. A config names `generator_optimizer`, `discriminator`, `objective` and `adversarial_weight`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
import jax

from jaxgen.gans.networks import AdversarialState, generator_step
from jaxgen.mode import Mode
from jaxgen.train_state import LossOutput, descend, training_mode
from jaxgen.translation.cycles import A, B, Both, discriminators_value
from jaxgen.typing import AxisName, Key, Metrics, Shape, Variables

OWN, OTHER = range(2)
"""Streams of the keys of two networks that a pass goes through."""

FIRST, FIRST_NOISE, SAME, FORTH, AGAIN, AGAIN_NOISE, BACK = range(10, 24, 2)
"""Streams of the keys of passes of both domains, besides those of `cycles`; the number behind each is domain b's."""


def shape_of(net: nn.Module, *inputs: Any) -> Shape:
    """The shape of an example of a network's outputs; nothing is computed."""
    return jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs)[0]).shape[1:]


def of_both(
    network: Callable[..., Any], variables: Variables, inputs: Both, mode: Mode, stream: int
) -> tuple[Both, Variables]:
    """`network(variables, domain, inputs, mode)` of both domains, and the variables after both passes."""
    of_a, variables = network(variables, A, inputs.a, mode.stream(stream))
    of_b, variables = network(variables, B, inputs.b, mode.stream(stream + 1))
    return Both(of_a, of_b), variables


def normal_of_both(shapes: Both, mode: Mode, stream: int) -> Both:
    """Numbers from N(0, I) for each example of both domains, of the shapes of one."""
    modes = Both(mode.stream(stream), mode.stream(stream + 1))
    return Both(*(normal(each.example_keys("noise"), shape) for each, shape in zip(modes, shapes, strict=True)))


def normal(keys: jax.Array, shape: Shape) -> jax.Array:
    """Numbers from N(0, I) for each key."""
    return jax.vmap(lambda key: jax.random.normal(key, shape))(keys)


def discriminator_loss(config: Any, variables: Variables, images: Both, fakes: Both, mode: Mode) -> LossOutput:
    """The objective's value for both discriminators, weighted, the sum over domains and scales."""
    value, (logged, variables) = discriminators_value(config, variables, images, fakes, mode)
    loss = config.adversarial_weight * value
    return loss, (logged | {"discriminator_loss": loss}, variables)


def discriminators_first(
    config: Any, state: AdversarialState, losses: tuple[Callable[..., Any], ...], images: Both, key: Key, axis: AxisName
) -> tuple[AdversarialState, Metrics]:
    """A step of both discriminators, then one of the generators.

    Args:
        config: settings.
        state: networks and optimisers.
        losses: `fakes(config, variables, images, mode)` that are shown to the discriminators, and the loss of the
            generators, `(config, variables, opponent, images, mode)`.
        images: of both domains, in the value range.
        key: of this iteration.
        axis: name of the devices that share the batch, or None.
    """
    fakes_of, generator_loss = losses
    first, second = (training_mode(state.generator, one, len(images.a), axis) for one in jax.random.split(key))
    fakes = fakes_of(config, state.generator.variables, images, first)
    inputs, loss = (images, fakes, first), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis, "discriminator")
    inputs = discriminator.variables, images, second
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis)
    return AdversarialState(generator, discriminator, ema), metrics_d | metrics_g
