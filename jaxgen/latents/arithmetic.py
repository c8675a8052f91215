"""Sums and differences of latent vectors, which remove or add what a group of images has in common.

Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional GANs, 2015, arXiv 1511.06434: mean
vectors of a few examples each, a - b + c. Larsen et al.: Autoencoding beyond pixels, 2015, arXiv 1512.09300: attribute
vectors, the mean with the attribute less the mean without it.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.typing import Labels, Latents


def mean_vectors(latents: Latents, labels: Labels, num_groups: int) -> Float[Array, "num_groups latent"]:
    """The mean of the latents of each group, (num_groups, latent); zeros for a group without any.

    >>> mean_vectors(jnp.array([[1.0], [3.0], [5.0]]), jnp.array([1, 1, 0]), 3)
    Array([[5.], [2.], [0.]], dtype=float32)
    """
    sums = jax.ops.segment_sum(latents, labels, num_groups)
    counts = jax.ops.segment_sum(jnp.ones(len(latents), latents.dtype), labels, num_groups)
    return sums / jnp.maximum(counts, 1.0)[:, None]


def analogy(a: Latents, b: Latents, c: Latents) -> Latents:
    """a - b + c, row by row: c, changed as b is changed into a.

    >>> analogy(jnp.array([[3.0, 1.0]]), jnp.array([[1.0, 1.0]]), jnp.array([[1.0, 7.0]]))
    Array([[3., 7.]], dtype=float32)
    """
    return a - b + c


def along(
    latents: Latents, direction: Float[Array, "1 latent"], strengths: Float[Array, "strengths"]
) -> Float[Array, "moved latent"]:
    """Each latent moved by each strength of one direction, (len(latents) * len(strengths), latent), row by row.

    Args:
        latents: the starts, one for each row of the picture.
        direction: for example a difference of mean vectors.
        strengths: one for each column of the picture.

    >>> along(jnp.array([[0.0], [10.0]]), jnp.array([[2.0]]), jnp.array([0.0, 1.0])).ravel()
    Array([ 0.,  2., 10., 12.], dtype=float32)
    """
    moved = latents[:, None, :] + strengths[None, :, None] * direction[:, None, :]
    return moved.reshape(-1, latents.shape[1])
