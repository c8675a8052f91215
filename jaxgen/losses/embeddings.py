"""Losses of encoders: of an image and its text, or of two images of one thing, the vectors are to match.

Of two encoders, row i of the images v and row i of the texts t belong together. Their losses compare all pairs of a
batch: with the batch split over devices, each share has its own value.

- Reed, Akata, Lee, Schiele: Learning Deep Representations of Fine-grained Visual Descriptions, 2016, arXiv 1605.05395.
- Hadsell, Chopra, LeCun: Dimensionality Reduction by Learning an Invariant Mapping, 2006, CVPR.
- Radford et al.: Learning Transferable Visual Models From Natural Language Supervision, 2021, arXiv 2103.00020 (CLIP).
"""

import jax.numpy as jnp
from jax.nn import logsumexp
from jaxtyping import Array, Bool

from jaxgen.losses._arrays import Floats, arrays, number, ranked
from jaxgen.losses.penalties import safe_norm, unit_length
from jaxgen.typing import PerExample


def structured_joint_embedding(
    images: Floats,
    texts: Floats,
    *,
    margin: float = 1.0,
    hardest: bool = False,
    negatives: Bool[Array, "..."] | None = None,
) -> PerExample:
    """1 / B sum over j != i of [max(0, 1 + S_ij - S_ii) + max(0, 1 + S_ji - S_ii)], S_ij = v_i . t_j.

    The sum is that of Reed's code, in whose batches each example is of another class. The paper's equations 3 and 4
    have the largest of the terms, not their mean: `hardest`. 0 where each score S_ii is above all others of its row and
    its column by the margin.

    Args:
        images: v, (B, d).
        texts: t, (B, d).
        margin: 1 in the paper.
        hardest: take the largest term of each row and of each column, without the division by B.
        negatives: (B, B), which of the pairs (i, j) do not belong together; all with i != j if not given.

    Returns:
        One value for each example, (B,).

    Raises:
        ValueError: unless images and texts are (B, d) and negatives (B, B).

    >>> import jax.numpy as jnp
    >>> images, texts = jnp.array([[1.0, 0.0], [0.0, 3.0]]), jnp.array([[2.0, 0.0], [1.5, 1.0]])
    >>> structured_joint_embedding(images, texts)  # S = [[2, 1.5], [0, 3]]
    Array([0.25, 0.  ], dtype=float32)
    """
    images, texts = ranked("B, d", images=images, texts=texts)
    counted = _negatives(len(images), negatives)
    scores = jnp.matmul(images, texts.T, precision="highest")
    right = jnp.diagonal(scores)
    rows, columns = (jnp.maximum(0.0, margin + each - right[:, None]) for each in (scores, scores.T))
    terms = jnp.stack([jnp.where(counted, rows, 0.0), jnp.where(counted.T, columns, 0.0)])
    return terms.max(axis=2).sum(axis=0) if hardest else terms.sum(axis=(0, 2)) / len(images)


def contrastive_embedding(
    images: Floats,
    texts: Floats,
    scale: Floats | float,
    *,
    negatives: Bool[Array, "..."] | None = None,
) -> PerExample:
    """The mean of -log softmax_j(s S_ij)[i] and -log softmax_j(s S_ji)[i], S the cosines: figure 3 of arXiv 2103.00020.

    Args:
        images: v, (B, d); their lengths do not matter. A row of zeros has cosines of 0.
        texts: t, (B, d).
        scale: s = 1 / temperature.
        negatives: (B, B), which of the pairs (i, j) do not belong together; all with i != j if not given. Other pairs
            than those and (i, i) are left out of the softmax.

    Returns:
        One value for each example, (B,), in nats; log B where all cosines are equal.

    Raises:
        ValueError: unless images and texts are (B, d), scale is one number and negatives are (B, B).

    >>> import jax.numpy as jnp
    >>> f"{contrastive_embedding(jnp.eye(2), jnp.eye(2), 1.0)[0]:.4f}"  # log(1 + 1 / e)
    '0.3133'
    """
    images, texts = ranked("B, d", images=images, texts=texts)
    counted = _negatives(len(images), negatives) | jnp.eye(len(images), dtype=bool)
    logits = number("scale", scale, images.dtype) * jnp.matmul(
        unit_length(images), unit_length(texts).T, precision="highest"
    )
    right = jnp.diagonal(logits)
    rows, columns = (
        logsumexp(jnp.where(pairs, each, -jnp.inf), axis=1) - right
        for pairs, each in ((counted, logits), (counted.T, logits.T))
    )
    return (rows + columns) / 2


def siamese_contrastive(
    features: Floats, others: Floats, same: Bool[Array, "..."], *, margin: float = 1.0
) -> PerExample:
    """d^2 of a pair of one kind, max(0, m - d)^2 of a pair of two, d = ||v - v'||: equation 4 of Hadsell et al.

    Their code halves both. 0 for equal vectors of one kind, and for vectors of two kinds that are m apart.

    Args:
        features: v of the first of each pair, (B, d).
        others: v' of the second, (B, d).
        same: whether both are of one kind, (B,).
        margin: m > 0.

    Returns:
        One value for each pair, (B,).

    Raises:
        ValueError: unless features and others are (B, d), same is bool (B,) and margin is positive.

    >>> import jax.numpy as jnp
    >>> ones, zeros = jnp.ones((2, 1)), jnp.zeros((2, 1))
    >>> siamese_contrastive(ones, zeros, jnp.array([True, False]), margin=3.0)
    Array([1., 4.], dtype=float32)
    """
    features, others = ranked("B, d", features=features, others=others)
    arrays(same=same)
    if same.shape != features.shape[:1] or same.dtype != jnp.bool_:
        raise ValueError(
            f"same is {same.dtype} {same.shape}, but must be bool {features.shape[:1]}, one for each pair of rows"
        )
    if not margin > 0:
        raise ValueError(f"margin is {margin}, but must be positive")
    distances = safe_norm(features - others)
    return jnp.where(same, distances**2, jnp.maximum(0.0, margin - distances) ** 2)


def _negatives(num: int, negatives: Array | None) -> Array:
    """(B, B): which pairs are compared with the right ones."""
    others = ~jnp.eye(num, dtype=bool)
    if negatives is None:
        return others
    arrays(negatives=negatives)
    if negatives.shape != (num, num) or negatives.dtype != jnp.bool_:
        raise ValueError(
            f"negatives are {negatives.dtype} {negatives.shape}, but must be bool {(num, num)}, one for each pair"
        )
    return negatives & others
