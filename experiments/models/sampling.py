"""Samples of a trained model, a batch at a time: sample i depends on the seed and on i alone."""

import functools
import math
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from experiments.command_line import system
from experiments.command_line.errors import UserError
from experiments.models import classes, conditions, samplers
from experiments.models.conditions import Source
from experiments.models.samplers import NONE, Changes

BLOCK = 250
"""Samples whose keys are folded from one key. Part of what a seed means: another number would draw other samples."""

BATCH = 250
"""Images drawn at a time, if nothing else is asked for: bounds the memory, and changes no image."""


def draw(
    folder: pathlib.Path,
    num: int,
    seed: int,
    which: int | Literal["newest", "best"] = "newest",
    changes: Changes = NONE,
    place: Any = None,
) -> tuple[int, np.ndarray]:
    """The step of a checkpoint, the newest good one, and `num` images from it, uint8 (num, height, width, channels).

    Samples of a model of points are float32 (num, dimensions). `changes`: settings to draw with in place of the
    run's own. `place`: where the run's data lie now, for a model that samples for examples of them.
    """
    from experiments.runs import restore, run_data

    experiment, _, step, state = restore.at(folder, which)
    experiment = samplers.replaced(experiment, changes)
    require_memory("--num", num, experiment.model.image_shape)
    if conditions.takes_examples(experiment.model):
        experiment = run_data.placed(experiment, place or run_data.HERE)
        run_data.check(folder, experiment)
    return step, drawer(experiment.model)(state, num, seed, conditions.source(experiment))


def drawer(config: Any) -> Callable[..., np.ndarray]:
    """(state, number, seed, conditions=None) to samples of a model, as `draw` has them; compiled once a config."""

    def drawn(state: Any, num: int, seed: int, source: Source | None = None) -> np.ndarray:
        return np.concatenate(list(batches(config, state, np.arange(num), seed, source, size=BATCH)))

    return drawn


def batches(
    config: Any, state: Any, indices: np.ndarray, seed: int, source: Source | None = None, *, size: int
) -> Iterator[np.ndarray]:
    """The samples of these numbers, `size` at a time; the last batch is drawn whole and cut."""
    rows, num, size = _rows(config), len(indices), max(1, min(size, len(indices)))
    for start in range(0, num, size):
        places = indices[np.minimum(np.arange(start, start + size), num - 1)]
        yield rows(state, places, seed, source or classes.in_turn(config))[: num - start]


@functools.cache
def _rows(config: Any) -> Callable[..., np.ndarray]:
    """(state, indices, seed, conditions) to the samples of these numbers; compiled once for each count of them."""
    import jax

    from experiments.runs.experiment import model_of
    from jaxgen import images, parallel

    @parallel.compiled
    def sample(state: Any, key: Any, indices: Any, given: Any) -> Any:
        samples = model_of(config).sample(config, state, keys_of(key, indices), len(indices), given)
        return samples if len(config.image_shape) == 1 else images.to_pixels(samples, config.value_range)

    def rows(state: Any, indices: np.ndarray, seed: int, source: Source | None) -> np.ndarray:
        given = None if source is None else source(indices)
        return np.asarray(sample(state, jax.random.key(seed), indices.astype(np.uint32), given))

    return rows


def keys_of(key: Any, indices: Any) -> Any:
    """The key of each sample, (num,), from the key of the seed and the samples' numbers."""
    import jax

    return jax.vmap(lambda i: jax.random.fold_in(jax.random.fold_in(key, i // BLOCK), i % BLOCK))(indices)


def require_memory(option: str, num: int, image_shape: tuple[int, ...]) -> None:
    """UserError unless the images that an option asks for fit into memory, where the system says how much there is."""
    needed, there = num * math.prod(image_shape), system.memory_bytes()
    if there is not None and needed > there:
        raise UserError(f"{option} {num} takes {needed / 1e9:,.1f} GB, but there are {there / 1e9:,.1f} GB of memory")
