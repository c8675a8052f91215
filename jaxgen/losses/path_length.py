"""Path length regularisation: steps in the latents are to change the image by a fixed amount.

Karras et al.: Analyzing and Improving the Image Quality of StyleGAN, 2019, arXiv 1912.04958.
"""

import math
from collections.abc import Callable

import jax
from jaxtyping import Array

from jaxgen.losses._arrays import Floats, batched, number, per_example, same_shape
from jaxgen.losses.penalties import safe_norm
from jaxgen.typing import PerExample, Points, Scalar


def path_lengths(generator: Callable[[Array], Array], latents: Points, noise: Points) -> PerExample:
    """||J_w^T y||_2: the lengths in equation 4 of arXiv 1912.04958, for `path_length_penalty`.

    J_w is the Jacobian of the generator, y = noise / sqrt(height * width) as in the authors' code.
    Latents of several layers, (B, layers, d), give the root of the mean square over the layers.

    Args:
        generator: w to images, each example on its own.
        latents: w, (B, d) or (B, layers, d).
        noise: standard normal, in the shape of the images, (B, height, width, channels).

    Raises:
        ValueError: if noise has another shape than the images, or the batch is empty.

    >>> import jax.numpy as jnp
    >>> path_lengths(lambda w: 2 * w, jnp.zeros((1, 2)), jnp.array([[3.0, 4.0]]))
    Array([10.], dtype=float32)
    """

    def projection(latents: Array) -> Array:
        images, directions = same_shape(images=generator(latents), noise=noise)
        return (images * directions).sum() / math.sqrt(math.prod(noise.shape[1:-1]))

    batched(latents=latents)
    layers = math.prod(latents.shape[1:-1])
    return safe_norm(jax.grad(projection)(latents)) / math.sqrt(layers)


def path_length_penalty(lengths: Floats, average: Scalar | float) -> PerExample:
    """(||J_w^T y||_2 - a)^2: equation 4 of arXiv 1912.04958.

    Args:
        lengths: from `path_lengths`, (B,).
        average: a, the moving average of the lengths, held constant.

    Raises:
        ValueError: unless lengths are (B,).

    >>> import jax.numpy as jnp
    >>> path_length_penalty(jnp.array([3.0, 1.0]), 1.0)
    Array([4., 0.], dtype=float32)
    """
    (lengths,) = per_example(lengths=lengths)
    return (lengths - jax.lax.stop_gradient(number("average", average, lengths.dtype))) ** 2
