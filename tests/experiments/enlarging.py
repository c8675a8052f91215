"""A model of pairs whose target is larger than its input: a sample is the input, each pixel a square."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jaxgen.batches import Paired
from jaxgen.images import ValueRange, scale
from jaxgen.model import Defaults
from jaxgen.parallel import pmean


@dataclass(frozen=True)
class Config(Defaults):
    input_shape: tuple[int, ...] = (4, 4, 1)
    image_shape: tuple[int, ...] = (8, 8, 1)
    value_range: ValueRange = (-1.0, 1.0)

    batch_type: ClassVar = Paired
    minibatches: ClassVar = 1


class State(NamedTuple):
    total: jax.Array


def init(config, key):
    return State(jnp.ones(()))


def update(config, state, batch, key, *, axis_name=None):
    inputs = scale(batch.inputs, config.value_range)
    error = jnp.abs(enlarged(config, inputs) - scale(batch.targets, config.value_range)).mean()
    return State(state.total + pmean(error, axis_name)), {"loss": pmean(error, axis_name)}


def enlarged(config, inputs):
    if inputs.shape[1:] != config.input_shape:
        raise ValueError(f"inputs have shape {inputs.shape[1:]}, but input_shape is {config.input_shape}")
    factor = config.image_shape[0] // config.input_shape[0]
    return inputs.repeat(factor, axis=1).repeat(factor, axis=2)


def sample(config, state, key, num, condition=None):
    if condition is None:
        raise ValueError("condition is None, but must be the inputs, in the value range")
    return enlarged(config, condition)
