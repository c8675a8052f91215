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


def assert_agree(found: Any, wanted: Any, tolerance: float) -> None:
    """That two trees are equal but for rounding: the same structure, shapes, dtypes, and whole numbers.

    A number with a fraction may be off by `tolerance` times the largest magnitude of its leaf, or times 1 where that is
    larger: rounding of a sum goes with its terms, of which a sum that comes out near zero shows nothing. AssertionError
    with each leaf that is further off.
    """
    assert jax.tree.structure(found) == jax.tree.structure(wanted), "another structure"
    wanted_leaves = leaves(wanted)
    off = {}
    for path, leaf in leaves(found).items():
        other = wanted_leaves[path]
        if (leaf.shape, leaf.dtype) != (other.shape, other.dtype):
            off[path] = f"{leaf.dtype}{leaf.shape} is not {other.dtype}{other.shape}"
            continue
        if np.array_equal(leaf, other):
            continue
        if not np.issubdtype(leaf.dtype, np.floating):
            off[path] = "whole numbers differ"
            continue
        scale = max(1.0, float(np.abs(other).max()))
        error = float(np.abs(leaf - other).max()) / scale
        if not error <= tolerance:  # not a number is never close
            off[path] = f"off by {error:.2g} of {scale:.3g}"
    assert not off, f"further off than {tolerance:g}: {off}"
