"""The two networks of a GAN as every model of the family applies them, and images from its latents.

A model's config names its networks and shapes alike: `generator`, `prior`, `image_shape`, `value_range`, and
`num_classes` where there are labels. Its state holds `ema`, the moving average of the generator's variables.
"""

from typing import Any

import flax.linen as nn
import jax

from jaxgen.conditions import in_turn, one_hot
from jaxgen.gans.discrimination import GENERATOR, Network
from jaxgen.images import squash
from jaxgen.mode import EVALUATION, Mode
from jaxgen.sampling import sampler
from jaxgen.train_state import TrainState, apply, blank, create
from jaxgen.typing import Key, Labels, Latents, Points, Shape, Variables


def create_generator(config: Any, key: Key, *conditions: Shape) -> TrainState:
    """A fresh generator of latents, and of conditions of these shapes."""
    inputs = (blank(shape) for shape in (config.prior.shape, *conditions))
    return create(config.generator, config.generator_optimizer, key, *inputs, config.image_shape)


def generate(
    config: Any, variables: Variables, latents: Latents, *conditions: jax.Array, mode: Mode = EVALUATION
) -> tuple[Points, Variables]:
    """G(z), or G(z|y), in the value range, and the generator's variables after the pass."""
    inputs = latents, *conditions, config.image_shape
    outputs, variables = apply(config.generator, variables, *inputs, mode=mode.stream(GENERATOR))
    return squash(outputs, config.value_range), variables


def scorer(net: nn.Module, output_shape: Shape = ()) -> Network:
    """A discriminator or critic as a function of its inputs: images alone, or a tuple of images and conditions."""

    def network(variables: Variables, inputs: Any, mode: Mode = EVALUATION) -> tuple[Any, Variables]:
        inputs = inputs if isinstance(inputs, tuple) else (inputs,)
        return apply(net, variables, *inputs, output_shape, mode=mode)

    return network


def two_headed(net: nn.Module, num_outputs: int) -> Network:
    """A discriminator or critic of `num_outputs` beside its score, the score first: `(scores, outputs)`."""
    network = scorer(net, (1 + num_outputs,))

    def heads(variables: Variables, inputs: Any, mode: Mode = EVALUATION) -> tuple[Any, Variables]:
        outputs, variables = network(variables, inputs, mode)
        return (outputs[:, 0], outputs[:, 1:]), variables

    return heads


def from_latents(config: Any, state: Any, latents: Latents, condition: None = None) -> Points:
    """G(z) of the moving average of the generator."""
    return generate(config, state.ema, latents)[0]


def from_latents_and_labels(config: Any, state: Any, latents: Latents, condition: Labels | None = None) -> Points:
    """G(z|y) of the moving average of the generator; without labels y, image i is of class i mod `num_classes`."""
    labels = in_turn(condition, len(latents), config.num_classes)
    return generate(config, state.ema, latents, one_hot(labels, config.num_classes))[0]


sample = sampler(from_latents)
sample_labelled = sampler(from_latents_and_labels)
