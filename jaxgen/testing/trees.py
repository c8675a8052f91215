"""Trees of arrays, compared leaf by leaf."""

from typing import Any

import jax
import numpy as np


def leaves(tree: Any) -> dict[str, np.ndarray]:
    """Leaves by path."""
    flat = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in flat}


def stacked(batches: list[Any]) -> Any:
    """Batches along a new first axis, as a step of several updates takes them."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *batches)


def differs(one: Any, other: Any) -> bool:
    """Whether any leaf or shape differs."""
    a, b = leaves(one), leaves(other)
    return a.keys() != b.keys() or any(not np.array_equal(a[name], b[name]) for name in a)


def require_close(found: Any, wanted: Any) -> None:
    """AssertionError unless two trees agree in all leaves, within 1e-5 of a number or of the largest in its leaf.

    A leaf whose largest number is below 1 is judged as one of 1; integers are to be the same.
    """
    assert jax.tree.structure(found) == jax.tree.structure(wanted), "trees of two structures"
    for (path, leaf), other in zip(jax.tree_util.tree_leaves_with_path(found), jax.tree.leaves(wanted), strict=True):
        largest = np.abs(other).max(initial=1.0) if np.issubdtype(np.asarray(other).dtype, np.inexact) else 0.0
        np.testing.assert_allclose(leaf, other, rtol=1e-5, atol=1e-5 * largest, err_msg=jax.tree_util.keystr(path))
