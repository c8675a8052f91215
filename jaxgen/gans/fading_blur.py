"""A Gaussian blur of all images that a discriminator meets, which fades in the first updates.

Karras et al.: Alias-Free Generative Adversarial Networks, 2021, arXiv 2106.12423, and the authors' code, for
rotation-equivariant generators: the discriminator sees coarse shapes first.
"""

import math
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxgen.checks import NonNegativeFloat, PositiveInt, require_bounds
from jaxgen.typing import Images


@dataclass(frozen=True)
class FadingBlur:
    """Convolution of rows and columns with 2^(-(x / sigma)^2), |x| <= 3 sigma, divided by its sum; zeros outside."""

    sigma: NonNegativeFloat = 0.0  # pixels at the first update, 10 in the paper; 0 for no blur at all
    end: PositiveInt = 6_250  # updates until it has fallen to 0: 200,000 images

    def __post_init__(self):
        require_bounds(self)

    def transform(self, images: Images, step: Int[Array, ""]) -> Images:
        """The images at update `step`, differentiable in them as often as need be."""
        if self.sigma == 0:
            return images
        sigma = self.sigma * jnp.maximum(1.0 - step.astype(jnp.float32) / self.end, 0.0)
        rows, columns = (_matrix(size, sigma, math.floor(3 * self.sigma)) for size in images.shape[1:3])
        return jnp.einsum("oh,pw,bhwc->bopc", rows, columns, images.astype(jnp.float32)).astype(images.dtype)


def _matrix(size: int, sigma: Array, reach: int) -> Array:
    """One axis of the convolution, (size, size): the unit matrix for sigma below 1/3."""

    def weights(distances: Array) -> Array:
        scaled = distances / jnp.maximum(sigma, 1e-3)
        return jnp.where(distances <= jnp.floor(3 * sigma), jnp.exp2(-(scaled**2)), 0.0)

    line = jnp.arange(size, dtype=jnp.float32)
    total = weights(jnp.abs(jnp.arange(-reach, reach + 1, dtype=jnp.float32))).sum()
    return weights(jnp.abs(line[:, None] - line[None, :])) / total
