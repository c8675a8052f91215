"""Likelihood of stored pixels, for models of densities.

Theis, van den Oord, Bethge: A Note on the Evaluation of Generative Models, 2015, arXiv 1511.01844.
"""

import math

from jaxgen.checks import require
from jaxgen.losses import likelihoods
from jaxgen.losses._arrays import Floats


def pixel_bits_per_dim(nll: Floats, num_dims: int, *, step: float) -> Floats:
    """nll / (D log 2) - log2(step): bits for each dimension of stored pixels, from a density of scaled ones.

    The density must be of dequantised pixels, x + u with u uniform over a step: then this bounds the bits of the stored
    pixels from above (section 3.1 of arXiv 1511.01844). A nll of the stored levels themselves, such as
    `losses.discretized_logistic_nll`, needs `losses.bits_per_dim` alone.

    Args:
        nll: nats for an example, of any shape.
        num_dims: D, such as height * width * channels.
        step: distance of two levels in the model's range: 2 / 255 for 256 levels from -1 to 1, both included.

    Raises:
        ValueError: unless num_dims and step are positive.

    >>> import jax.numpy as jnp
    >>> pixel_bits_per_dim(jnp.zeros(1), 3, step=1 / 256)  # uniform over [0, 1): eight bits
    Array([8.], dtype=float32)
    """
    require(num_dims >= 1, "num_dims", num_dims, "at least 1")
    require(step > 0, "step", step, "positive")
    return likelihoods.bits_per_dim(nll, num_dims) - math.log2(step)
