"""Principal components: the few axes along which vectors vary most.

Pearson: On lines and planes of closest fit to systems of points in space, 1901.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.typing import Latents, Points


class PrincipalComponents(NamedTuple):
    """An affine map to a few coordinates and back."""

    mean: Float[Array, "features"]
    axes: Float[Array, "num features"]  # orthonormal, those of most variance first
    explained: Float[Array, "num"]  # share of the variance along each; zeros if there is none


def principal_components(points: Points, num: int) -> PrincipalComponents:
    """The `num` orthonormal axes along which `points` vary most, by singular values of the centred points.

    Signs are fixed: the largest entry of each axis, in magnitude, is positive. ValueError for more axes than points
    or features.

    >>> found = principal_components(jnp.array([[0.0, 1.0], [0.0, 3.0], [0.0, 5.0]]), 1)
    >>> found.mean, found.axes, found.explained
    (Array([0., 3.], dtype=float32), Array([[0., 1.]], dtype=float32), Array([1.], dtype=float32))
    """
    if points.ndim != 2 or not 1 <= num <= min(points.shape):
        raise ValueError(f"{num} axes cannot be found from points of shape {points.shape}; give (at least num, >= num)")
    mean = points.mean(axis=0)
    _, singular, axes = jnp.linalg.svd(points - mean[None], full_matrices=False)
    variances = singular**2
    total = variances.sum()
    explained = variances / jnp.where(total > 0, total, 1.0)
    return PrincipalComponents(mean, upright(axes)[:num], explained[:num])


def upright(axes: Float[Array, "num features"]) -> Float[Array, "num features"]:
    """The axes with signs such that the largest entry of each, in magnitude, is positive.

    >>> upright(jnp.array([[1.0, -2.0], [3.0, 0.0]]))
    Array([[-1., 2.], [ 3., 0.]], dtype=float32)
    """
    largest = jnp.take_along_axis(axes, jnp.abs(axes).argmax(axis=1)[:, None], axis=1)
    return axes * jnp.where(largest < 0, -1.0, 1.0)


def project(components: PrincipalComponents, points: Points) -> Latents:
    """Coordinates of points along the axes, (batch, num)."""
    return (points - components.mean[None]) @ components.axes.T


def unproject(components: PrincipalComponents, coordinates: Latents) -> Points:
    """The points of the affine plane that have these coordinates, (batch, features)."""
    return components.mean[None] + coordinates @ components.axes
