"""Samples of a trained model, a chunk at a time: sample i depends on the seed and on i alone."""

import functools
import math
import os
import pathlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from experiments.command_line.errors import UserError

CHUNK = 250
"""Images drawn at a time: bounds the memory, and one compilation serves any number."""


def draw(
    folder: pathlib.Path, num: int, seed: int, which: int | Literal["newest", "best"] = "newest"
) -> tuple[int, np.ndarray]:
    """The step of a checkpoint, the newest good one, and `num` images from it, uint8 (num, height, width, channels).

    Samples of a model of points are float32 (num, dimensions).
    """
    from experiments.runs import restore

    experiment, _, step, state = restore.at(folder, which)
    require_memory("--num", num, experiment.model.image_shape)
    return step, drawer(experiment.model)(state, num, seed)


@functools.cache
def drawer(config: Any) -> Callable[[Any, int, int], np.ndarray]:
    """(state, number, seed) to samples of a model, as `draw` has them; compiled once for each config."""
    import jax

    from experiments.runs.experiment import model_of
    from jaxgen import images

    sample = jax.jit(functools.partial(model_of(config).sample, config), static_argnames="num")

    def chunk(state: Any, seed: int, index: int) -> Any:
        key = jax.random.fold_in(jax.random.key(seed), index)
        samples = sample(state, key, num=CHUNK)
        if len(config.image_shape) == 1:
            return np.asarray(samples)
        return np.asarray(images.to_pixels(samples, config.value_range))

    def drawn(state: Any, num: int, seed: int) -> np.ndarray:
        return np.concatenate([chunk(state, seed, index) for index in range(-(-num // CHUNK))])[:num]

    return drawn


def require_memory(option: str, num: int, image_shape: tuple[int, ...]) -> None:
    """UserError unless the images that an option asks for fit into memory."""
    needed, there = num * math.prod(image_shape), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        raise UserError(f"{option} {num} takes {needed / 1e9:,.1f} GB, but there are {there / 1e9:,.1f} GB of memory")
