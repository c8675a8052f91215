"""Paths between latent vectors: straight lines, great circles, and paths through several points.

White: Sampling Generative Networks, 2016, arXiv 1609.04468, for great circles; Shoemake: Animating Rotation with
Quaternion Curves, SIGGRAPH 1985, for the formula. Draws of N(0, I) in d dimensions lie close to the sphere of radius
sqrt(d). The middle of a straight line between two of them is much shorter, and unlikely; a great circle stays there.
"""

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.losses.penalties import safe_norm, unit_length
from jaxgen.typing import Latents, PerExample

Interpolation: TypeAlias = Callable[[Latents, Latents, PerExample], Latents]
"""`linear`, `spherical` or another function `(start, end, t)` to the latents at t, row by row."""

PARALLEL = 1e-6
"""Below this sine of the angle between two directions, the plane that they span is lost in float32's rounding."""


def linear(start: Latents, end: Latents, t: PerExample) -> Latents:
    """(1 - t) start + t end, row by row; exactly `start` at t = 0 and `end` at t = 1.

    >>> linear(jnp.array([[0.0, 2.0]]), jnp.array([[4.0, 2.0]]), jnp.array([0.25]))
    Array([[1., 2.]], dtype=float32)
    """
    return (1.0 - t)[:, None] * start + t[:, None] * end


def spherical(start: Latents, end: Latents, t: PerExample) -> Latents:
    """Along the great circle from `start` to `end`, row by row, at a constant rate of angle and of length.

    For vectors of one length this is sin((1 - t) a) / sin(a) start + sin(t a) / sin(a) end, a being their angle. White
    uses these weights for vectors of different lengths, too; here the length is interpolated linearly, so that it stays
    between the two lengths and finite at any angle. Between opposite vectors there are many great circles: the one
    towards the coordinate axis least aligned with them is taken. A vector of zeros takes the direction of the other.

    >>> spherical(jnp.array([[2.0, 0.0]]), jnp.array([[0.0, 2.0]]), jnp.array([0.5])).round(4)
    Array([[1.4142, 1.4142]], dtype=float32)
    >>> spherical(jnp.array([[1.0, 0.0]]), jnp.array([[-1.0, 0.0]]), jnp.array([0.5])).round(4) + 0.0
    Array([[0., 1.]], dtype=float32)
    """
    length_start, length_end = safe_norm(start), safe_norm(end)
    here = jnp.where((length_start > 0)[:, None], unit_length(start), unit_length(end))
    there = jnp.where((length_end > 0)[:, None], unit_length(end), here)
    nowhere = (length_start == 0) & (length_end == 0)
    cosine = jnp.where(nowhere, 1.0, (here * there).sum(axis=1))
    across = there - cosine[:, None] * here
    sine = safe_norm(across)
    sideways = jnp.where((sine > PARALLEL)[:, None], _perpendicular(across, here), _any_perpendicular(here))
    angle = t * jnp.arctan2(sine, cosine)
    length = (1.0 - t) * length_start + t * length_end
    return length[:, None] * (jnp.cos(angle)[:, None] * here + jnp.sin(angle)[:, None] * sideways)


def path(
    points: Latents, steps: int, interpolation: Interpolation = linear, *, closed: bool = False
) -> Float[Array, "places latent"]:
    """The path through all `points` in their order, in `steps` steps from each to the next.

    Args:
        points: at least two; rows 0, `steps`, 2 `steps`, ... of the result.
        steps: from one point to the next, at least 1.
        interpolation: `linear` or `spherical`.
        closed: go on from the last point to the first, which is not repeated: for an animation that repeats.

    Returns:
        (steps * (len(points) - 1) + 1, latent), or (steps * len(points), latent) if closed.

    >>> path(jnp.array([[0.0], [1.0], [3.0]]), 2).ravel()
    Array([0. , 0.5, 1. , 2. , 3. ], dtype=float32)
    >>> path(jnp.array([[0.0], [1.0], [3.0]]), 2, closed=True).ravel()
    Array([0. , 0.5, 1. , 2. , 3. , 1.5], dtype=float32)
    """
    require(len(points) >= 2, "number of points", len(points), "at least 2")
    require(steps >= 1, "steps", steps, "at least 1")
    places = jnp.arange(steps * (len(points) if closed else len(points) - 1))
    segment, t = places // steps, (places % steps).astype(points.dtype) / steps
    between = interpolation(points[segment], points[(segment + 1) % len(points)], t)
    return between if closed else jnp.concatenate([between, points[-1:]])


def _perpendicular(vectors: Latents, directions: Latents) -> Latents:
    """The unit vector orthogonal to each direction, in the plane of both; scaled first, against rounding."""
    vectors = unit_length(vectors)
    return unit_length(vectors - (vectors * directions).sum(axis=1)[:, None] * directions)


def _any_perpendicular(directions: Latents) -> Latents:
    """A unit vector orthogonal to each, from the axis least aligned with it. Zeros in one dimension."""
    if directions.shape[1] == 1:
        return jnp.zeros_like(directions)
    axis = jax.nn.one_hot(jnp.abs(directions).argmin(axis=1), directions.shape[1], dtype=directions.dtype)
    return _perpendicular(axis, directions)
