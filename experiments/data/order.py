"""Which examples a batch holds, in which order: functions of (seed, step), whatever the number of processes."""

import functools
from typing import Any, NamedTuple

import numpy as np

DRAWS = 7
"""Random numbers for each example: top, left and mirror of its image and of the second domain's, and its caption."""

STREAM_DRAWS, STREAM_OTHERS = 1 << 32, 2 << 32
"""Seeds are below 2^32; what is added keeps the other streams apart from the order of the data."""


class Choice(NamedTuple):
    """The examples of a batch, and how each is cut and mirrored. Leaves are arrays of NumPy or of JAX."""

    indices: Any  # (size,) int
    others: Any = None  # (size,) int, of the second domain, which nothing links to the first
    draws: Any = None  # (size, DRAWS) uint32; None for what is not random: the middle, unmirrored, the first caption


class Position(NamedTuple):
    """Where a batch stands in the endless stream of examples."""

    step: int  # updates before it
    first: int  # examples before it
    size: int


def choose(seed: int, place: Position, num: int, num_others: int = 0, share: tuple[int, int] = (0, 1)) -> Choice:
    """The choice for the batch at a place; of process p of P its share, with `share` (p, P)."""
    step, first, size = place
    others = batch_indices(seed + STREAM_OTHERS, first, num_others, size, share) if num_others else None
    generator = np.random.Generator(np.random.Philox(key=[seed + STREAM_DRAWS, step]))
    draws = generator.integers(0, 2**32, (size, DRAWS), np.uint32)
    return Choice(batch_indices(seed, first, num, size, share), others, draws[_share(size, share)])


def batch_indices(seed: int, first: int, num: int, size: int, share: tuple[int, int] = (0, 1)) -> np.ndarray:
    """Which of `num` examples are in a batch of `size` after `first` others: int64, a pure function of its arguments.

    The batches cut an endless stream in which every epoch is a new permutation of all examples: each example comes
    once an epoch, and none is left out where the size does not divide the set. With `share` (p, P) it is what process
    p of P holds: the p-th of P equal pieces, as `jaxgen.parallel` cuts a batch over devices in order.
    """
    positions = np.arange(first, first + size)[_share(size, share)]
    epochs = positions // num
    return np.concatenate(
        [_permutation(seed, int(epoch), num)[positions[epochs == epoch] % num] for epoch in np.unique(epochs)]
    )


def _share(size: int, share: tuple[int, int]) -> slice:
    process, num_processes = share
    if size % num_processes:
        raise ValueError(f"batch of {size} does not divide over {num_processes} processes")
    piece = size // num_processes
    return slice(process * piece, (process + 1) * piece)


@functools.lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, num: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(num)
