"""Averages of any width after a run, from averages that it kept now and then: post-hoc EMA.

Karras, Aittala, Lehtinen, Hellsten, Aila, Laine: Analyzing and Improving the Training Dynamics of Diffusion Models
(EDM2), 2023, arXiv 2312.02696, section 3 and appendix C.

An average by a power function (`moving_averages.PowerFunction`) at time t gives what the weights were at time s <= t
the weight p(s) = (gamma + 1) s^gamma / t^(gamma + 1), its profile. The profile that is wanted is fitted, by least
squares, by a sum of those of the snapshots: with the inner products <p_a, p_b>

    A x = b,    A_ij = <p_i, p_j>,    b_i = <p_i, target>.

x is divided by its sum. All of it is float64 of NumPy: entries of x are large, of either sign.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Float64

from jaxgen.checks import require
from jaxgen.moving_averages import WIDEST, exponent


class Profile(NamedTuple):
    """Of an average: how much each update until `time` counts."""

    time: float  # t, updates
    width: float  # sigma_rel

    @property
    def mean_time(self) -> float:
        """The time of the updates on average, by their weights: `t (gamma + 1) / (gamma + 2)`."""
        gamma = exponent(self.width)
        return self.time * (gamma + 1.0) / (gamma + 2.0)


def inner_products(first: Sequence[Profile], second: Sequence[Profile]) -> Float64[np.ndarray, "first second"]:
    """<p_a, p_b>, the integral of the product of two profiles over time, of each pair.

    >>> inner_products([Profile(2.0, 0.05)], [Profile(2.0, 0.1)]).round(4).tolist()
    [[2.8634]]
    """
    times_a, gammas_a = (column[:, None] for column in _columns(first))
    times_b, gammas_b = (column[None, :] for column in _columns(second))
    ratio = np.minimum(times_a, times_b) / np.maximum(times_a, times_b)
    overlap = ratio ** np.where(times_a < times_b, gammas_b, gammas_a)
    products = (gammas_a + 1.0) * (gammas_b + 1.0) * overlap
    return products / ((gammas_a + gammas_b + 1.0) * np.maximum(times_a, times_b))


def coefficients(snapshots: Sequence[Profile], target: Profile) -> Float64[np.ndarray, "snapshots"]:
    """How much each snapshot counts in the average that is wanted; their sum is 1.

    ValueError without snapshots, for two of one time and width, and for a target later than all of them.

    >>> coefficients([Profile(50.0, 0.05), Profile(100.0, 0.05)], Profile(100.0, 0.05)).round(6).tolist()
    [0.0, 1.0]
    """
    require(len(snapshots) > 0, "snapshots", "empty", "one average or more")
    require(len(set(snapshots)) == len(snapshots), "snapshots", list(snapshots), "of different times or widths")
    for name, one in (*(("a snapshot", one) for one in snapshots), ("the target", target)):
        require(one.time > 0, f"time of {name}", one.time, "above 0: the average of no update has no profile")
        require(0 < one.width <= WIDEST, f"width of {name}", one.width, f"in (0, {WIDEST:.4f}]")
    last = max(one.time for one in snapshots)
    require(target.time <= last, "time of the target", target.time, f"at most {last}, that of the last snapshot")
    found = np.linalg.solve(inner_products(snapshots, snapshots), inner_products(snapshots, [target])[:, 0])
    return found / found.sum()


def profile_error(snapshots: Sequence[Profile], target: Profile, shares: Float[np.ndarray, "snapshots"]) -> float:
    """`|sum_i x_i p_i - target| / |target|`: how far the combined profile is from the one wanted; 0 for the same."""
    square = shares @ inner_products(snapshots, snapshots) @ shares
    length = inner_products([target], [target])[0, 0]
    square += length - 2.0 * shares @ inner_products(snapshots, [target])[:, 0]
    return float(np.sqrt(max(square, 0.0) / length))


def combine(trees: Iterable[Any], shares: Float[np.ndarray, "snapshots"]) -> Any:
    """`sum_i x_i tree_i`, summed in float64, leaf by leaf, each in its own type; counts are those of the last tree.

    Trees may come one at a time, as from a generator: two of them are in memory. The leaves are of NumPy.
    ValueError for another number of trees than of shares.
    """
    total: Any = None
    for tree, share in zip(trees, shares, strict=True):
        part = jax.tree.map(lambda leaf, share=share: _scaled(leaf, share), tree)
        total = part if total is None else jax.tree.map(_added, total, part)
        types = jax.tree.map(lambda leaf: np.asarray(leaf).dtype, tree)
    require(total is not None, "trees", "empty", "one tree or more")
    return jax.tree.map(lambda leaf, dtype: leaf.astype(dtype), total, types)


def _scaled(leaf: Any, share: float) -> np.ndarray:
    array = np.asarray(leaf)
    return array if _is_count(array) else np.asarray(share * array.astype(np.float64))


def _added(total: np.ndarray, part: np.ndarray) -> np.ndarray:
    return part if _is_count(part) else np.asarray(total + part)


def _is_count(array: np.ndarray) -> bool:
    return not jax.numpy.issubdtype(array.dtype, jax.numpy.floating)


def _columns(profiles: Sequence[Profile]) -> tuple[np.ndarray, np.ndarray]:
    times = np.array([one.time for one in profiles], np.float64)
    return times, np.array([exponent(one.width) for one in profiles], np.float64)
