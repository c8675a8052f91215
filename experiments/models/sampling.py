"""Samples of a trained model, a chunk at a time: sample i depends on the seed and on i alone."""

import functools
import math
import pathlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from experiments.command_line import system
from experiments.command_line.errors import UserError
from experiments.models import conditions, samplers
from experiments.models.conditions import Source

CHUNK = 250
"""Images drawn at a time: bounds the memory, and one compilation serves any number."""


def draw(
    folder: pathlib.Path,
    num: int,
    seed: int,
    which: int | Literal["newest", "best"] = "newest",
    sampler: Any = None,
    place: Any = None,
) -> tuple[int, np.ndarray]:
    """The step of a checkpoint, the newest good one, and `num` images from it, uint8 (num, height, width, channels).

    Samples of a model of points are float32 (num, dimensions). `sampler`: settings of the model's sampler, if others
    than the run's. `place`: where the run's data lie now, for a model that samples for examples of them.
    """
    from experiments.runs import restore, run_data

    experiment, _, step, state = restore.at(folder, which)
    experiment = samplers.replaced(experiment, sampler)
    require_memory("--num", num, experiment.model.image_shape)
    if conditions.takes_examples(experiment.model):
        experiment = run_data.placed(experiment, place or run_data.HERE)
        run_data.check(folder, experiment)
    return step, drawer(experiment.model)(state, num, seed, conditions.source(experiment))


@functools.cache
def drawer(config: Any) -> Callable[..., np.ndarray]:
    """(state, number, seed, conditions=None) to samples of a model, as `draw` has them; compiled once a config."""
    import jax

    from experiments.runs.experiment import model_of
    from jaxgen import images

    sample = jax.jit(functools.partial(model_of(config).sample, config), static_argnames="num")

    def chunk(state: Any, seed: int, index: int, source: Source | None) -> Any:
        key = jax.random.fold_in(jax.random.key(seed), index)
        given = None if source is None else source(np.arange(index * CHUNK, (index + 1) * CHUNK))
        samples = sample(state, key, num=CHUNK, condition=given)
        if len(config.image_shape) == 1:
            return np.asarray(samples)
        return np.asarray(images.to_pixels(samples, config.value_range))

    def drawn(state: Any, num: int, seed: int, source: Source | None = None) -> np.ndarray:
        return np.concatenate([chunk(state, seed, index, source) for index in range(-(-num // CHUNK))])[:num]

    return drawn


def require_memory(option: str, num: int, image_shape: tuple[int, ...]) -> None:
    """UserError unless the images that an option asks for fit into memory, where the system says how much there is."""
    needed, there = num * math.prod(image_shape), system.memory_bytes()
    if there is not None and needed > there:
        raise UserError(f"{option} {num} takes {needed / 1e9:,.1f} GB, but there are {there / 1e9:,.1f} GB of memory")
