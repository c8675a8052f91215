"""Our side of two trainings whose blocks of updates alternate, and the seconds of an update over the blocks so far."""

import functools
import statistics
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from experiments.runs.experiment import model_of
from jaxgen import parallel


class Blocks:
    """A training on one device; each update has a key of its own."""

    def __init__(self, config: Any, seed: int):
        key_init, self._key = jax.random.split(jax.random.key(seed))
        self._model, self._config, self._done = model_of(config), config, 0
        self.state: Any = jax.jit(functools.partial(self._model.init, config))(key_init)
        self.metrics: Any = {}  # of each update of the last block
        self._driver = functools.cache(self._compiled)

    def __call__(self, batches: Any) -> None:
        """Updates with batches, arrays of (updates, ...), in one dispatch; returns when they are done."""
        count = len(jax.tree.leaves(batches)[0])
        numbers = np.arange(self._done, self._done + count)
        keys = jax.vmap(functools.partial(jax.random.fold_in, self._key))(numbers)
        self.state, self.metrics = self._driver(count)(self.state, batches, keys)
        self._done += count
        jax.block_until_ready(self.state)

    def _compiled(self, steps: int) -> Any:
        return parallel.jit(self._model.update, self._config, steps=steps, devices=jax.devices()[:1])


def seconds_per_update(blocks: Sequence[float]) -> float:
    """The median of what an update took in each block, the first left out where there are others: it compiles."""
    return statistics.median(blocks[1:] or blocks)
