"""Directions in a latent space along which one thing changes in the images.

From examples of two groups:

- the difference of their means: Larsen et al.: Autoencoding beyond pixels, 2015, arXiv 1512.09300;
- the normal of the plane between them: Shen, Gu, Tang, Zhou: Interpreting the Latent Space of GANs for Semantic Face
  Editing, 2019, arXiv 1907.10786 (InterFaceGAN), theirs by a support vector machine, here by logistic regression.

From the generator alone:

- SeFa: Shen, Zhou: Closed-Form Factorization of Latent Semantics in GANs, 2020, arXiv 2007.06600. With y = A z + b its
  first affine map, the n of unit length with the largest |A n|, each row of A scaled to unit length first;
- GANSpace: Härkönen, Hertzmann, Lehtinen, Paris: GANSpace: Discovering Interpretable GAN Controls, 2020, arXiv
  2004.02546. The principal components of styles w, or of the features of an early layer, carried back to z by least
  squares.

A direction has unit length, but for the difference of means, whose strength 1 leads from the one group to the other. An
edit is `jaxgen.latents.arithmetic.along`.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax.nn import softplus
from jaxtyping import Array, Bool, Float

from jaxgen.checks import require
from jaxgen.latents.arithmetic import mean_vectors
from jaxgen.latents.principal_components import principal_components, project, upright
from jaxgen.losses._arrays import Floats
from jaxgen.losses.penalties import unit_length
from jaxgen.minimization import LBFGS, minimize
from jaxgen.typing import Latents, Points


class Directions(NamedTuple):
    """Directions of unit length, those that change most first."""

    axes: Float[Array, "num latent"]
    strengths: Float[Array, "num"]  # SeFa: |A n|^2; GANSpace: the share of the variance along the component


def difference_of_means(latents: Latents, positive: Bool[Array, "batch"]) -> Float[Array, "latent"]:
    """The mean of the latents that are `positive` less that of the others: (latent,).

    >>> difference_of_means(jnp.array([[1.0], [3.0], [7.0]]), jnp.array([False, False, True]))
    Array([5.], dtype=float32)
    """
    without, having = mean_vectors(latents, positive.astype(jnp.int32), 2)
    return having - without


def logistic_normal(
    latents: Latents, positive: Bool[Array, "batch"], *, penalty: float = 1.0
) -> Float[Array, "latent"]:
    """The normal of the plane of logistic regression, of unit length, towards those that are `positive`: (latent,).

    The minimum over w, b of |w|^2 penalty / 2 + sum log(1 + exp(-s (w z + b))), s = +-1, as scikit-learn has it with
    C = 1 / penalty. Zeros if no plane is better than none.

    Args:
        latents: (B, latent).
        positive: which of them are of the one group.
        penalty: above 0, so that groups which a plane separates have a minimum.

    >>> latents = jnp.array([[-1.0, 0.0], [-2.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    >>> logistic_normal(latents, jnp.array([False, False, True, True])).round(3)
    Array([1., 0.], dtype=float32)
    """
    require(penalty > 0, "penalty", penalty, "above 0")
    signs = jnp.where(positive, 1.0, -1.0).astype(latents.dtype)

    def objective(planes: Points) -> Float[Array, "1"]:
        normals, offsets = planes[:, :-1], planes[:, -1:]
        losses = softplus(-signs[None] * (normals @ latents.T + offsets))
        return 0.5 * penalty * (normals**2).sum(axis=1) + losses.sum(axis=1)

    start = jnp.zeros((1, latents.shape[1] + 1), latents.dtype)
    return unit_length(minimize(LBFGS(steps=500), objective, start).points[:, :-1])[0]


def without(direction: Float[Array, "latent"], others: Float[Array, "others latent"]) -> Float[Array, "latent"]:
    """The direction less its part in the span of others, of unit length: an edit that leaves alone what those change.

    Zeros if nothing is left.

    >>> without(jnp.array([3.0, 4.0]), jnp.array([[2.0, 0.0]]))
    Array([0., 1.], dtype=float32)
    """
    basis = jnp.linalg.qr(others.T)[0]
    left = direction - basis @ (basis.T @ direction)
    return unit_length(left[None])[0]


def sefa(matrix: Float[Array, "outputs latent"], num: int) -> Directions:
    """SeFa: the first `num` eigenvectors of A^T A, the rows of A scaled to unit length first; rows of zeros count 0.

    Signs are fixed as in `principal_components`.

    Args:
        matrix: A, of the first affine map, or of several that take the same latent, stacked.
        num: how many.

    Raises:
        ValueError: for more than there are numbers in a latent.

    >>> found = sefa(jnp.array([[0.0, 2.0], [0.0, 1.0], [5.0, 0.0]]), 1)
    >>> found.axes + 0.0, found.strengths.round(4)
    (Array([[0., 1.]], dtype=float32), Array([2.], dtype=float32))
    """
    require(1 <= num <= matrix.shape[1], "num", num, f"in [1, {matrix.shape[1]}], as the latent has numbers")
    rows = unit_length(matrix)
    values, vectors = jnp.linalg.eigh(rows.T @ rows)
    return Directions(upright(vectors[:, ::-1].T[:num]), values[::-1][:num])


def ganspace(latents: Latents, features: Floats, num: int) -> Directions:
    """GANSpace: the first `num` principal components of features, each with its least-squares direction in z.

    With the latents themselves for features, styles w for one, these are their principal components.

    Args:
        latents: z or w, (B, latent).
        features: of the same examples, (B, features).
        num: how many.

    Raises:
        ValueError: for more components than examples, features or numbers in a latent.

    >>> latents = jnp.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    >>> ganspace(latents, latents, 1).axes + 0.0
    Array([[0., 1.]], dtype=float32)
    """
    same = latents.shape[0] == features.shape[0]
    require(same, "number of features", features.shape[0], f"that of the latents, {latents.shape[0]}")
    components = principal_components(features, num)
    places = project(components, features)
    spread = places.std(axis=0)
    scaled = places / jnp.where(spread > 0, spread, 1.0)[None]
    axes = jnp.linalg.lstsq(scaled, latents - latents.mean(axis=0, keepdims=True))[0]
    return Directions(unit_length(axes), components.explained)
