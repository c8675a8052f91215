"""Convolutions of small integers: float32 is exact, and equality is asserted without a tolerance."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

LARGEST = 2**24
"""float32 holds all integers up to here."""


def integers(*shapes: Sequence[int]) -> list[jax.Array]:
    """Arrays of -1, 0 and 1."""
    generator = np.random.default_rng(0)
    return [jnp.asarray(generator.integers(-1, 2, shape).astype(np.float32)) for shape in shapes]


def derivatives(function: Callable[..., jax.Array], x: jax.Array, w: jax.Array) -> dict[str, object]:
    """Value, gradients, and the gradients of a penalty on the gradients, of x and of w."""

    def energy(x, w):
        return (function(x, w) ** 2).sum() / 2

    def penalty(x, w):
        of_x, of_w = jax.grad(energy, (0, 1))(x, w)
        return ((of_x**2).sum() + (of_w**2).sum()) / 2

    return {
        "value": function(x, w),
        "gradient": jax.grad(energy, (0, 1))(x, w),
        "penalty gradient": jax.grad(penalty, (0, 1))(x, w),
    }


def assert_identical(actual: object, wanted: object) -> None:
    """Equal leaves, which are not all zero and small enough to be exact."""

    def check(path, a, b):
        name = jax.tree_util.keystr(path)
        assert a.dtype == b.dtype == jnp.float32, name
        assert 0 < np.abs(b).max() < LARGEST, name
        np.testing.assert_array_equal(a, b, name)

    jax.tree_util.tree_map_with_path(check, actual, wanted)
    assert jax.tree.leaves(wanted)
