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
