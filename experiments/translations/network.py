"""A trained model as a function of pictures of any size.

A fully convolutional model is applied to the size of the picture: its settings of sizes are replaced, its weights stay.
Which sizes it takes is found by tracing shapes, without computing anything: it takes any if it takes one that is a
little larger than that of its training; the least such step is its stride. A model with weights for each place has a
single size.
"""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import flax.errors
import jax
import jax.numpy as jnp
import numpy as np

from experiments.models import conditions
from experiments.runs.experiment import model_of
from jaxgen.abilities import Inpainter
from jaxgen.images import scale
from jaxgen.parallel import compiled
from jaxgen.translation.masks import Masked

STRIDES = tuple(2**power for power in range(9))
"""That are tried, the smallest first."""

Part = Callable[..., Any]
"""(config, state, keys, images) to images: `to_a` or `to_b` of a model."""


@dataclass(frozen=True)
class Network:
    """A model and its state."""

    config: Any
    state: Any
    part: Part | None = None  # in place of `sample`
    label: np.ndarray | None = None  # () int32, the domain that is asked for, of a model that is told one

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of the pictures that it was trained with: height, width, channels."""
        return tuple(getattr(self.config, "input_shape", self.config.image_shape))

    @property
    def factor(self) -> int:
        """How many times as high and wide as its input an output is."""
        return self.config.image_shape[0] // self.input_shape[0]

    @functools.cached_property
    def stride(self) -> int | None:
        """Of which number sides are multiples; None for a model of a single size."""
        height, width = self.input_shape[:2]
        fits = (stride for stride in STRIDES if self._takes(height + stride, width + stride))
        return next(fits, None)

    @property
    def fills_holes(self) -> bool:
        """Whether a picture may have a hole, which the network fills."""
        return isinstance(model_of(self.config), Inpainter)

    def __call__(self, pixels: np.ndarray, key: jax.Array, known: np.ndarray | None = None) -> np.ndarray:
        """A picture, (height, width, channels) uint8, to floats from 0 to 255 of its translation.

        `known`: (height, width, 1) uint8, 255 outside of the hole, for a network that fills holes.
        """
        config = sized(self.config, *pixels.shape[:2])
        given = _Given(pixels, self.label, known)
        return np.asarray(_compiled(config, self.part)(self.state, given, key))

    def _takes(self, height: int, width: int) -> bool:
        config, channels = sized(self.config, height, width), self.input_shape[2]
        given = _Given(jax.ShapeDtypeStruct((height, width, channels), np.uint8), self.label)
        key = jax.eval_shape(lambda: jax.random.key(0))
        try:
            jax.eval_shape(functools.partial(_translated, config, self.part), self.state, given, key)
        except (ValueError, TypeError, flax.errors.FlaxError):  # of weights, or layers that do not meet
            return False
        return True


def sized(config: Any, height: int, width: int) -> Any:
    """The settings for inputs of a size; outputs are as much larger as they were."""
    inputs = tuple(getattr(config, "input_shape", config.image_shape))
    wanted = {
        "input_shape": (height, width, *inputs[2:]),
        "image_shape": (
            height * config.image_shape[0] // inputs[0],
            width * config.image_shape[1] // inputs[1],
            *config.image_shape[2:],
        ),
    }
    own = {field.name for field in dataclasses.fields(config) if field.init}
    return dataclasses.replace(config, **{name: value for name, value in wanted.items() if name in own})


@functools.lru_cache(maxsize=64)
def _compiled(config: Any, part: Part | None) -> Callable[..., Any]:
    return compiled(functools.partial(_translated, config, part))


class _Given(NamedTuple):
    """What a picture is translated from."""

    pixels: Any  # (height, width, channels) uint8
    label: Any = None  # () int32
    known: Any = None  # (height, width, 1) uint8


def _translated(config: Any, part: Part | None, state: Any, given: _Given, key: Any) -> Any:
    images = scale(jnp.asarray(given.pixels)[None], config.value_range)
    if part is not None:
        return _unit(part(config, state, key[None], images), config.value_range)[0]
    condition = conditions.of_images(config, images, given.label)
    if given.known is not None:
        condition = Masked(images, (jnp.asarray(given.known)[None] == 255).astype(jnp.float32))
    return _unit(model_of(config).sample(config, state, key[None], 1, condition), config.value_range)[0]


def _unit(images: Any, value_range: Any) -> Any:
    """Images in their range to floats from 0 to 255."""
    low, high = value_range
    return jnp.clip((images.astype(jnp.float32) - low) * (255.0 / (high - low)), 0.0, 255.0)
