"""Samples of a trained model under a bar on stderr that tells how far it is, once they take more than three seconds.

The bar counts images, or the steps of a sampler that makes a whole batch in many of them.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from experiments.models import sampling
from experiments.models.conditions import Source
from jaxgen.diffusion.samplers import SamplerLike


def watched(sampler: Any, tell: Callable[[], Any]) -> Any:
    """The sampler, of `jaxgen.diffusion`, which also calls `tell` at each of its steps while the program runs."""
    values = {field.name: getattr(sampler, field.name) for field in dataclasses.fields(sampler)}
    return _telling(type(sampler))(**values, tell=tell)


@functools.cache
def _telling(kind: type) -> Any:
    """A kind of samplers whose values are also of the kind that is given, as the type of a model's setting demands."""

    def step(self: Any, denoise: Any, carry: Any, row: Any, noise: Any) -> Any:
        jax.debug.callback(self.tell)
        return kind.step(self, denoise, carry, row, noise)  # pyright: ignore[reportAttributeAccessIssue]

    tell = ("tell", Any, dataclasses.field(default=None))
    return dataclasses.make_dataclass(
        f"Telling{kind.__name__}", [tell], bases=(kind,), namespace={"step": step}, frozen=True
    )


def batches(
    config: Any, state: Any, indices: np.ndarray, seed: int, source: Source | None = None, *, size: int
) -> Iterator[np.ndarray]:
    """`sampling.batches` under a bar."""
    args = state, indices, seed, source
    if _has_steps(config):
        with by_steps(config, math.ceil(len(indices) / max(1, size))) as telling:
            yield from sampling.batches(telling, *args, size=size)
        return
    with bar(len(indices), "image") as shown:
        for batch in sampling.batches(config, *args, size=size):
            yield batch
            advance(shown, len(batch))


@contextmanager
def by_steps(config: Any, num_batches: int) -> Iterator[Any]:
    """The settings of a model of `jaxgen.diffusion`, with which each step of so many batches moves a bar."""
    telling = Watched(config)
    with telling.drawing(num_batches):
        yield telling.config


class Watched:
    """Settings of a model that is drawn from again and again, each time under a bar of its sampler's steps."""

    def __init__(self, config: Any):
        self.config, self._bar, self._num = config, None, 0
        if _has_steps(config):
            self._num = len(jax.tree.leaves(config.sampler.rows(config.schedule))[0])
            self.config = dataclasses.replace(config, sampler=watched(config.sampler, self._tell))

    @contextmanager
    def drawing(self, num_batches: int = 1) -> Iterator[None]:
        """While programs of `config` draw so many batches."""
        if not self._num:
            yield
            return
        with bar(num_batches * self._num, "step") as self._bar:
            yield
            jax.effects_barrier()  # calls of `_tell` that are still to come
        self._bar = None

    def _tell(self) -> None:
        if self._bar is not None:
            advance(self._bar)


def _has_steps(config: Any) -> bool:
    return isinstance(getattr(config, "sampler", None), SamplerLike)


def advance(shown: Any, num: int = 1) -> None:
    """Move a bar; its clock starts at the first move, so that the time left does not count the compiler's."""
    if shown.n == 0:
        shown.unpause()
    shown.update(num)


def bar(total: int, unit: str, doing: str = "drawing") -> Any:
    """A bar on stderr after three seconds, which says how much is done and how long the rest will take."""
    from tqdm import tqdm

    return tqdm(total=total, desc=doing, unit=unit, delay=3.0, leave=False)
