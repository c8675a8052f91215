"""How far a number would move with other examples: the bootstrap.

Efron: Bootstrap Methods: Another Look at the Jackknife, 1979, The Annals of Statistics 7.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats, arrays, per_example
from jaxgen.typing import Key, Scalar


class Interval(NamedTuple):
    """From one percentile to another."""

    low: Scalar
    high: Scalar


def bootstrap(statistic: Callable[[Any], Any], examples: Any, key: Key, *, num: int = 1000) -> Any:
    """The statistic of `num` sets of examples drawn from the given ones with repetition, each of the same size.

    Not for a statistic that compares examples within a set (nearest neighbours, unbiased kernel distances): repeated
    examples are at distance 0 there.

    Args:
        statistic: examples to a number, or to arrays.
        examples: an array (N, ...), or a pytree of them that are drawn together.
        key: of the draws.
        num: how many sets.

    Returns:
        What the statistic returns, with a leading axis of `num`.

    Raises:
        ValueError: if there is no example, arrays differ in their number, or num is not positive.

    >>> bootstrap(jnp.mean, jnp.ones(5), jax.random.key(0), num=3)
    Array([1., 1., 1.], dtype=float32)
    """
    leaves = jax.tree.leaves(examples)
    for leaf in leaves:
        arrays(examples=leaf)
        require(leaf.ndim >= 1, "shape of examples", leaf.shape, "(N, ...)")
    sizes = sorted({len(leaf) for leaf in leaves})
    require(len(sizes) == 1 and sizes[0] >= 1, "numbers of examples", sizes, "one, at least 1, for all arrays")
    require(num >= 1, "num", num, "at least 1")

    def once(key: Key) -> Any:
        drawn = jax.random.randint(key, sizes, 0, sizes[0])
        return statistic(jax.tree.map(lambda leaf: jnp.take(leaf, drawn, axis=0), examples))

    return jax.lax.map(once, jax.random.split(key, num))


def percentile_interval(values: Floats, *, level: float = 0.95) -> Interval:
    """The middle share `level` of the values: of `bootstrap`, or of the same number over seeds.

    Args:
        values: (num,).
        level: between 0 and 1.

    Raises:
        ValueError: unless values are (num,) and level is between 0 and 1.

    >>> percentile_interval(jnp.arange(101.0), level=0.9)
    Interval(low=Array(5., dtype=float32), high=Array(95., dtype=float32))
    """
    require(0 < level < 1, "level", level, "between 0 and 1")
    (values,) = per_example(values=values)
    tail = 50 * (1 - level)
    return Interval(jnp.percentile(values, tail), jnp.percentile(values, 100 - tail))
