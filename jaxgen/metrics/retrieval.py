"""How often the right partner is found among candidates: images by text, texts by image.

Share of queries whose right candidate has the highest score, R@1: Karpathy, Fei-Fei: Deep Visual-Semantic Alignments
for Generating Image Descriptions, 2014, arXiv 1412.2306.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats, arrays, ranked
from jaxgen.metrics._samples import unless_nan
from jaxgen.typing import PerExample


def retrieval_accuracy(scores: Floats, right: Bool[Array, "..."], *, among: int | None = None) -> PerExample:
    """How probable it is that a right candidate of each query scores above all wrong ones; equal scores are misses.

    Among all candidates it is 1 or 0: a query is answered if any of its right candidates is above all wrong ones. Among
    n, one right candidate stands beside n - 1 wrong ones, all drawn at random without repetition; with b of the W wrong
    ones below it the probability is the product of (b - k) / (W - k) over k < n - 1, the mean over its right ones. By
    chance it is 1 / n. The mean over queries is the top-1 accuracy.

    Args:
        scores: of each query (rows) and candidate (columns), the higher the better the two match, (Q, C).
        right: which candidates belong to the query, (Q, C); at least one in each row, else the row's value is NaN.
        among: n, from 2 on; a row with fewer than n - 1 wrong candidates is NaN. All candidates if not given.

    Returns:
        One value for each query, (Q,), from 0 to 1.

    Raises:
        ValueError: unless scores are (Q, C), right is bool of the same shape, and n from 2 to C.

    >>> import jax.numpy as jnp
    >>> scores, right = jnp.array([[0.9, 0.1, 0.2], [0.5, 0.4, 0.3], [0.1, 0.7, 0.7]]), jnp.eye(3, dtype=bool)
    >>> retrieval_accuracy(scores, right)
    Array([1., 0., 0.], dtype=float32)
    >>> retrieval_accuracy(scores, right, among=2)
    Array([1. , 0.5, 0.5], dtype=float32)
    """
    (scores,) = ranked("Q, C", scores=scores)
    arrays(right=right)
    if right.shape != scores.shape or right.dtype != jnp.bool_:
        raise ValueError(f"right is {right.dtype} {right.shape}, but must be bool {scores.shape}, one for each pair")
    if among is None:
        best, rival = (jnp.where(kept, scores, -jnp.inf).max(axis=1) for kept in (right, ~right))
        found = jnp.where(right.any(axis=1), (best > rival).astype(scores.dtype), jnp.nan)
        return unless_nan(found, scores)
    require(2 <= among <= scores.shape[1], "among", among, f"from 2 to the {scores.shape[1]} candidates")
    wrong = jnp.sort(jnp.where(right, jnp.inf, scores), axis=1)
    below = jax.vmap(jnp.searchsorted)(wrong, scores).astype(scores.dtype)
    there = (~right).sum(axis=1).astype(scores.dtype)[:, None]

    def drawn(chance: Floats, place: Floats) -> tuple[Floats, None]:
        return chance * jnp.maximum(below - place, 0.0) / jnp.where(there > place, there - place, jnp.nan), None

    chance, _ = jax.lax.scan(drawn, jnp.ones_like(scores), jnp.arange(among - 1, dtype=scores.dtype))
    counts = right.sum(axis=1).astype(scores.dtype)
    values = jnp.where(right, chance, 0.0).sum(axis=1) / jnp.where(counts > 0, counts, jnp.nan)
    return unless_nan(values, scores)
