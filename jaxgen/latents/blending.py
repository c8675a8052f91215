"""Pictures put together without a seam: Poisson blending, and soft masks.

Pérez, Gangnet, Blake: Poisson Image Editing, ACM Transactions on Graphics 22, 2003. In the hole the result has the
differences of neighbouring pixels of the fill g, at its border the values of the image y:

    sum over neighbours q of p of (x_p - x_q) = sum over q of (g_p - g_q)   in the hole,    x = y outside       (1)

A pixel at the edge of the image has fewer neighbours. With x = g + u, u is harmonic in the hole and y - g outside: a
fill that is wrong by a constant is healed exactly.
"""

import jax
import jax.numpy as jnp
from jax.scipy.sparse.linalg import cg
from jaxtyping import Array

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats
from jaxgen.translation.masks import composite, hide, mean_color
from jaxgen.typing import Images

TOLERANCE = 1e-6
"""Length of the residual over that of the right side at which the solver of equation 1 stops."""


def poisson_blend(images: Floats, fills: Floats, mask: Floats) -> Images:
    """Equation 1: the images where they are known, exactly, and the fills in the hole, moved to meet them.

    By conjugate gradients on the pixels of the hole, each channel and each image on its own.

    Args:
        images: y, (B, height, width, channels); what stands in their holes plays no part.
        fills: g, in the same shape.
        mask: (B, height, width, 1), 1 where y is known and 0 in the hole. Where nothing is known it is g.

    Raises:
        ValueError: if the shapes do not fit.

    >>> mask = jnp.array([1.0, 0.0, 0.0, 1.0]).reshape(1, 1, 4, 1)
    >>> image = jnp.array([3.0, 0.0, 0.0, 6.0]).reshape(mask.shape)
    >>> jnp.rint(poisson_blend(image, jnp.zeros(mask.shape), mask)).ravel()
    Array([3., 4., 5., 6.], dtype=float32)
    """
    require_same_shape(images, fills, mask)
    offsets = hide(images - fills, mask, 0.0)
    start = jnp.broadcast_to(mean_color(offsets, mask), offsets.shape)
    harmonic = jax.vmap(jax.vmap(_harmonic, (2, 2, None), 2))(offsets, start, mask[..., 0])
    return composite(images, fills + harmonic, mask)


def soft_composite(images: Floats, others: Floats, alpha: Floats) -> Images:
    """alpha x + (1 - alpha) y, pixel by pixel; exactly the one where alpha is 1, the other where it is 0.

    Args:
        images: x, (B, height, width, channels).
        others: y, in the same shape.
        alpha: in [0, 1].

    Raises:
        ValueError: if the shapes do not fit.

    >>> alpha = jnp.array([0.0, 0.25, 1.0]).reshape(1, 1, 3, 1)
    >>> soft_composite(jnp.full((1, 1, 3, 1), 8.0), jnp.zeros((1, 1, 3, 1)), alpha).ravel()
    Array([0., 2., 8.], dtype=float32)
    """
    require_same_shape(images, others, alpha)
    mixed = others + alpha * (images - others)
    return jnp.where(alpha == 1, images, jnp.where(alpha == 0, others, mixed))


def require_same_shape(images: Floats, others: Floats, mask: Floats) -> None:
    """ValueError unless both have one shape, and the mask one number for each of their pixels."""
    require(others.shape == images.shape, "shape of the fills", others.shape, f"that of the images, {images.shape}")
    wanted = (*images.shape[:3], 1)
    require(mask.shape == wanted, "shape of mask", mask.shape, f"{wanted} for images of shape {images.shape}")


def _harmonic(values: Array, start: Array, mask: Array) -> Array:
    """(height, width): `values` where the mask is 1, harmonic where it is 0. 0 where nothing is known."""
    hole = 1 - mask

    def laplacian(field: Array) -> Array:
        """Sum over the neighbours of a pixel of its value less theirs, in the hole; 0 elsewhere."""
        return hole * sum(_differences(field, axis) for axis in (0, 1))

    found, _ = cg(
        lambda field: laplacian(hole * field), -laplacian(values), hole * start, tol=TOLERANCE, maxiter=4 * hole.size
    )
    return values + hole * found


def _differences(field: Array, axis: int) -> Array:
    """Of each pixel less its neighbours before and behind, where there are any."""
    steps = jnp.diff(field, axis=axis)
    before, behind = ([(0, 0), (0, 0)] for _ in range(2))
    before[axis], behind[axis] = (1, 0), (0, 1)
    return jnp.pad(steps, before) - jnp.pad(steps, behind)
