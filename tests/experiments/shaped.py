"""A model whose latents are no vectors, and whose sampler has settings: its images are as bright as both say."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jaxgen import parallel
from jaxgen.images import ValueRange
from jaxgen.model import Defaults


@dataclass(frozen=True)
class Grid:
    """z ~ N(0, I), (rows, columns)."""

    rows: int = 2
    columns: int = 3

    @property
    def shape(self):
        return (self.rows, self.columns)

    def draw(self, key, num, axis_name=None):
        return parallel.draw(lambda key: jax.random.normal(key, self.shape), key, num, axis_name)


@dataclass(frozen=True)
class Sampler:
    """What `sample` does beside `from_latents`."""

    steps: int = 4  # darker by 1 / steps
    gain: float = 1.0  # of the latents


@dataclass(frozen=True)
class Config(Defaults):
    image_shape: tuple[int, ...] = (8, 8, 1)
    value_range: ValueRange = (-1.0, 1.0)
    prior: Grid = Grid()
    sampler: Sampler = Sampler()

    batch_type: ClassVar = None
    minibatches: ClassVar = 1


class State(NamedTuple):
    scale: jax.Array


def init(config, key):
    return State(jnp.ones(()))


def update(config, state, batch, key, *, axis_name=None):
    return state, {"loss": state.scale}


def from_latents(config, state, latents, condition=None):
    assert latents.shape[1:] == config.prior.shape
    means = jnp.tanh(state.scale * latents.mean(axis=(1, 2)))
    return jnp.broadcast_to(means[:, None, None, None], (len(latents), *config.image_shape))


def to_latents(config, state, images, condition=None):
    means = jnp.arctanh(images.mean(axis=(1, 2, 3)).clip(-0.99, 0.99))
    return jnp.broadcast_to(means[:, None, None], (len(images), *config.prior.shape))


def sample(config, state, key, num, condition=None):
    latents = config.sampler.gain * config.prior.draw(key, num)
    return (from_latents(config, state, latents) - 1.0 / config.sampler.steps).clip(-1.0, 1.0)
