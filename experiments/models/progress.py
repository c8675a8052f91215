"""Samples of a trained model under a bar on stderr that tells how far it is, once they take more than three seconds.

The bar counts images, or the steps of a sampler that makes a whole batch in many of them.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from experiments.models import sampling
from experiments.models.conditions import Source
from jaxgen.diffusion.samplers import SamplerLike


@dataclass(frozen=True)
class Watched:
    """A sampler, `samplers.SamplerLike`, that tells of each of its steps while the compiled program runs."""

    sampler: Any
    tell: Callable[[], Any]

    stochastic = property(lambda self: self.sampler.stochastic)
    limit = property(lambda self: self.sampler.limit)

    def rows(self, schedule: Any) -> Any:
        """Those of the sampler."""
        return self.sampler.rows(schedule)

    def memory(self, start: Any) -> Any:
        """That of the sampler."""
        return self.sampler.memory(start)

    def step(self, denoise: Any, carry: Any, row: Any, noise: Any) -> Any:
        """The sampler's step, and one call of `tell`."""
        jax.debug.callback(self.tell)
        return self.sampler.step(denoise, carry, row, noise)


def batches(
    config: Any, state: Any, indices: np.ndarray, seed: int, source: Source | None = None, *, size: int
) -> Iterator[np.ndarray]:
    """`sampling.batches` under a bar."""
    args = state, indices, seed, source
    if isinstance(getattr(config, "sampler", None), SamplerLike):
        with by_steps(config, math.ceil(len(indices) / max(1, size))) as watched:
            yield from sampling.batches(watched, *args, size=size)
        return
    with _bar(len(indices), "image") as bar:
        for batch in sampling.batches(config, *args, size=size):
            yield batch
            bar.update(len(batch))


@contextmanager
def by_steps(config: Any, num_batches: int) -> Iterator[Any]:
    """The settings of a model of `jaxgen.diffusion`, with which each step of so many batches moves a bar."""
    rows = jax.tree.leaves(config.sampler.rows(config.schedule))[0]
    with _bar(num_batches * len(rows), "step") as bar:
        yield dataclasses.replace(config, sampler=Watched(config.sampler, bar.update))
        jax.effects_barrier()  # calls of `tell` that are still to come


def _bar(total: int, unit: str) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, desc="drawing", unit=unit, delay=3.0, leave=False)
