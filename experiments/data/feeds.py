"""Batches for a training: from the device, from memory, or read ahead from disk. The same numbers from each."""

import functools
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeAlias

import jax
import numpy as np

from experiments.data.images import ImageSet, assemble
from experiments.data.options import StorageOptions
from experiments.data.order import Choice, Position, choose
from experiments.data.rows import LazyRows
from jaxgen import parallel

Feed: TypeAlias = Callable[[int, int], Any]
"""`(step, count)` to the batches of `count` steps from `step` on, each leaf (count, size, ...)."""

DEVICE_BYTES = 2 * 2**30
"""Sets up to this size lie on an accelerator, unless the settings say otherwise."""

CPU_BYTES = 2**28
"""Sets up to this size lie on a CPU's devices, beside the copy in memory, where windows are cut from them."""


@contextmanager
def opened(
    image_set: ImageSet,
    batch_type: type[tuple] | None,
    seed: int,
    begin: Position,
    storage: StorageOptions,
    share: tuple[int, int] = (0, 1),
) -> Iterator[Feed]:
    """A feed of batches of one size, a pure function of (seed, step); its threads end with the context.

    The first batch stands at `begin`. Process p of P, `share` (p, P), reads its piece of each batch; what the feed
    gives is the whole one over all devices.
    """
    chosen = functools.partial(_chosen, image_set, image_set.num_others(batch_type), seed, begin, share=share)
    columns = image_set.columns(batch_type)
    if lies_on_device(columns, storage, cuts=image_set.window is not None):
        yield _on_device(image_set, columns, batch_type, chosen)
    elif any(isinstance(column, LazyRows) for column in columns.values()):
        with _Ahead(lambda step: image_set.take(chosen(step), batch_type), storage) as ahead:
            yield _joined(ahead, share)
    else:
        yield _joined(_in_memory(image_set, batch_type, chosen), share)


def lies_on_device(columns: dict[str, Any], storage: StorageOptions, *, cuts: bool) -> bool:
    """Whether the columns are arrays that the settings allow on every device.

    On CPU XLA gathers whole images no faster than NumPy, but cuts windows (`cuts`) up to three times as fast.
    """
    allowed = storage.device_bytes
    if allowed is None:
        on_cpu = CPU_BYTES if cuts else 0
        allowed = on_cpu if jax.default_backend() == "cpu" else DEVICE_BYTES
    arrays = all(isinstance(column, np.ndarray) for column in columns.values())
    return arrays and sum(column.nbytes for column in columns.values()) <= allowed


def _chosen(
    image_set: ImageSet, num_others: int, seed: int, begin: Position, step: int, share: tuple[int, int] = (0, 1)
) -> Choice:
    place = Position(step, begin.first + (step - begin.step) * begin.size, begin.size)
    return choose(seed, place, len(image_set), num_others, share)


def _joined(feed: Feed, share: tuple[int, int]) -> Feed:
    """The shares of all processes as one batch."""
    _, num_processes = share
    return feed if num_processes == 1 else lambda step, count: parallel.global_batch(feed(step, count), steps=count)


def _stacked(batches: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *batches)


def _in_memory(image_set: ImageSet, batch_type: type[tuple] | None, chosen: Callable[[int], Choice]) -> Feed:
    """One gather for all the batches of a call."""

    def feed(step: int, count: int) -> Any:
        choices = [chosen(step + offset) for offset in range(count)]
        together = image_set.take(jax.tree.map(lambda *leaves: np.concatenate(leaves), *choices), batch_type)
        return jax.tree.map(lambda leaf: leaf.reshape(count, -1, *leaf.shape[1:]), together)

    return feed


def _on_device(
    image_set: ImageSet, columns: dict[str, Any], batch_type: type[tuple] | None, chosen: Callable[[int], Choice]
) -> Feed:
    """The whole set on every device; each gathers its share of a batch."""
    cut = parallel.batch_sharding(stacked=True)
    held = _held(columns)

    @functools.partial(jax.jit, out_shardings=cut)
    def gather(columns: dict[str, Any], choices: Choice) -> Any:
        return jax.vmap(lambda choice: assemble(columns, choice, batch_type, image_set.window))(choices)

    def feed(step: int, count: int) -> Any:
        choices = _stacked([chosen(step + offset) for offset in range(count)])
        narrow = jax.tree.map(lambda leaf: leaf.astype(np.int32) if leaf.dtype == np.int64 else leaf, choices)
        return gather(held.columns, parallel.global_batch(narrow, steps=count))

    return feed


class _Held:
    """A set that lies on every device."""

    def __init__(self, columns: dict[str, Any]):
        self.given = columns  # kept, as its arrays are known by their ids
        self.columns = parallel.replicate(columns)


_HELD: weakref.WeakValueDictionary[tuple, _Held] = weakref.WeakValueDictionary()
_HOLDING = threading.Lock()


def _held(columns: dict[str, Any]) -> _Held:
    """The set on every device, once for all feeds of it that are open: runs side by side have one each."""
    key = tuple((name, id(column)) for name, column in columns.items())
    with _HOLDING:
        held = _HELD.get(key)
        if held is None:
            held = _HELD[key] = _Held(columns)
    return held


class _Ahead:
    """Batches made by threads before they are asked for, a bounded number of bytes ahead. A context manager."""

    def __init__(self, make: Callable[[int], Any], storage: StorageOptions):
        self._make, self._storage = make, storage
        self._pool = ThreadPoolExecutor(storage.threads, thread_name_prefix="data")
        self._coming: dict[int, Future] = {}
        self._ahead = storage.threads

    def __enter__(self) -> "_Ahead":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __call__(self, step: int, count: int) -> Any:
        self._coming = {number: future for number, future in self._coming.items() if number >= step}
        self._submit(step, count + self._ahead)
        batches = [self._coming.pop(step + offset).result() for offset in range(count)]
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(batches[0]))
        self._ahead = min(max(2 * count, self._storage.threads), self._storage.ahead_bytes // max(size, 1))
        self._submit(step + count, self._ahead)
        return _stacked(batches)

    def _submit(self, first: int, count: int) -> None:
        for step in range(first, first + count):
            if step not in self._coming:
                self._coming[step] = self._pool.submit(self._make, step)
