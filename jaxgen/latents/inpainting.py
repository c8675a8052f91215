"""Holes in images, filled by a trained generator that has never seen one.

Yeh, Chen, Lim, Schwing, Hasegawa-Johnson, Do: Semantic Image Inpainting with Deep Generative Models, 2016, arXiv
1607.07539. With y an image, M 1 where it is known and W the weights of `context_weights`, largest beside the hole,

    z* = argmin_z |W * (G(z) - y)|_1 + lambda prior(G(z))                                  (1)
    x = y where M = 1, and in the hole G(z*), blended by Poisson's equation: `jaxgen.latents.blending`   (2)

The prior is log(1 - D(G(z))) in the paper and -log D(G(z)) in its code; here it is any function of images, low for what
is like the data: `non_saturating_generator` of a discriminator's scores, for one. z keeps to the support of the prior.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import NonNegativeFloat, PositiveInt, require, require_bounds
from jaxgen.latents.blending import poisson_blend, require_same_shape
from jaxgen.latents.projection import Generate, require_fit
from jaxgen.losses._arrays import Floats
from jaxgen.losses.reconstruction import context_error, context_weights
from jaxgen.minimization import Descent, Minimizer, Support, identity, minimize_from
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.translation.masks import Mask, hide
from jaxgen.typing import Images, PerExample, Points

PriorLoss: TypeAlias = Callable[..., PerExample]
"""Images, and what is given with their latents, to one number each, low for what is like the data."""


@dataclass(frozen=True)
class Inpainting:
    """How holes are filled. Steps and optimiser are the paper's; its code takes lambda 0.1 or 0.2 and momentum."""

    minimizer: Minimizer = Descent(Optimizer(0.01, Adam()), steps=1_500)
    window: PositiveInt = 7  # side of the window of W, pixels
    prior_weight: NonNegativeFloat = 0.003  # lambda
    prior: PriorLoss | None = None  # None: equation 1 without it
    support: Support = identity  # of the latents

    def __post_init__(self):
        require_bounds(self)


class Inpainted(NamedTuple):
    """Filled images, and what they were made of."""

    images: Images  # equation 2, cut to no range
    fills: Images  # G(z*)
    latents: Points  # z*
    values: PerExample  # equation 1


def inpaint(
    settings: Inpainting,
    generate: Generate,
    images: Floats,
    mask: Floats,
    starts: Floats,
    given: tuple[Any, ...] = (),
) -> Inpainted:
    """The images with their holes filled: equations 1 and 2, the best of several starts.

    Args:
        settings: of the search.
        generate: G(latents, *given), a function of each latent alone.
        images: y, (B, height, width, channels); what stands in their holes plays no part.
        mask: (B, height, width, 1), 1 where y is known and 0 in the hole.
        starts: latents where to begin, (starts, B, ...).
        given: with the latents: labels (B,), for one.

    Raises:
        ValueError: if the shapes do not fit.

    >>> generate = lambda z: jnp.broadcast_to(z[:, :, None, None], (1, 1, 3, 1))
    >>> image, mask = jnp.array([[[[2.0], [0.0], [2.0]]]]), jnp.array([[[[1.0], [0.0], [1.0]]]])
    >>> inpaint(Inpainting(), generate, image, mask, jnp.zeros((1, 1, 1))).images.ravel().round(3)
    Array([2., 2., 2.], dtype=float32)
    """
    require_same_shape(images, images, mask)
    require_fit(generate, images, starts, given)
    known = hide(images, mask, 0.0)
    inputs = (known, context_weights(mask[..., 0], window=settings.window), *given)
    found = minimize_from(settings.minimizer, _objective(settings, generate), starts, inputs, settings.support)
    fills = generate(found.points, *given)
    return Inpainted(poisson_blend(known, fills, mask), fills, found.points, found.values)


def _objective(settings: Inpainting, generate: Generate) -> Callable[..., PerExample]:
    """Equation 1."""

    def objective(latents: Points, targets: Images, weights: Array, *given: Any) -> PerExample:
        made = generate(latents, *given)
        context = context_error(made, targets, weights)
        if settings.prior is None or settings.prior_weight == 0:
            return context
        return context + settings.prior_weight * settings.prior(made, *given)

    return objective


def random_holes(draws: Float[Array, "batch height width 1"], share: float) -> Mask:
    """Masks of single pixels that are missing: 0 where a uniform draw is below `share`.

    >>> random_holes(jnp.array([0.1, 0.9]).reshape(1, 1, 2, 1), 0.8).ravel()
    Array([0., 1.], dtype=float32)
    """
    require(0 <= share <= 1, "share", share, "in [0, 1]")
    return (draws >= share).astype(jnp.float32)
