"""Latents along one axis at a time, and on a grid of the quantiles of the prior.

Higgins et al.: beta-VAE, ICLR 2017, for traversals; Kingma & Welling: Auto-Encoding Variational Bayes, 2013, arXiv
1312.6114, appendix A, for the grid at the quantiles of the prior.
"""

import jax.numpy as jnp
from jax.scipy.special import ndtri
from jaxtyping import Array, Float, Int

from jaxgen.checks import require
from jaxgen.typing import Latents


def normal_quantiles(num: int) -> Float[Array, "num"]:
    """Phi^-1((i + 1/2) / num) for i = 0 .. num - 1: the medians of `num` intervals of equal probability under N(0, 1).

    >>> [round(float(quantile), 2) for quantile in normal_quantiles(3)]
    [-0.97, 0.0, 0.97]
    """
    require(num >= 1, "num", num, "at least 1")
    return ndtri((jnp.arange(num, dtype=jnp.float32) + 0.5) / num)


def traverse(
    latent: Float[Array, "latent"], axes: Int[Array, "axes"], values: Float[Array, "values"]
) -> Float[Array, "axes values latent"]:
    """`latent` with one coordinate at a time set to each of `values`: row a, column v has `values[v]` at `axes[a]`.

    >>> traverse(jnp.array([5.0, 6.0]), jnp.array([1, 0]), jnp.array([-1.0, 1.0]))
    Array([[[ 5., -1.], [ 5., 1.]], [[-1., 6.], [ 1., 6.]]], dtype=float32)
    """
    chosen = jnp.arange(len(latent))[None, None, :] == axes[:, None, None]
    return jnp.where(chosen, values[None, :, None], latent[None, None, :])


def quantile_grid(num: int) -> Latents:
    """(num * num, 2) latents at the quantiles of N(0, I), row by row as a picture of `num` columns shows them.

    As in a diagram, the first coordinate rises to the right and the second upwards: the first latent is the upper left.

    >>> quantile_grid(2) / normal_quantiles(2)[1]
    Array([[-1., 1.], [ 1., 1.], [-1., -1.], [ 1., -1.]], dtype=float32)
    """
    across = normal_quantiles(num)
    x, y = jnp.meshgrid(across, across[::-1])
    return jnp.stack([x.ravel(), y.ravel()], axis=1)
