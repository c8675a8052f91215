"""Latents of images: where a generator without an encoder comes nearest to them.

    z* = argmin_z d(G(z), x)                                                     (1)

- Creswell, Bharath: Inverting the Generator of a Generative Adversarial Network, 2016, arXiv 1611.05644.
- Zhu, Krähenbühl, Shechtman, Efros: Generative Visual Manipulation on the Natural Image Manifold, 2016, arXiv
  1609.03552 (iGAN): L-BFGS, pixels and features.
- Abdal, Qin, Wonka: Image2StyleGAN, 2019, arXiv 1904.03189: the same in the space W+.

G is any function of latents of any shape: `from_latents` of a model, or `from_w_plus` of styles. d is one value for
each image, such as `mean_squared_error`, alone or in features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.minimization import LBFGS, Minimizer, Minimum, Support, identity, minimize_from
from jaxgen.priors import PriorLike, Uniform
from jaxgen.typing import Images, PerExample, Points

Generate: TypeAlias = Callable[..., Images]
"""G: latents (B, ...) and what is given with each of them, labels for one, to images."""

Distance: TypeAlias = Callable[[Images, Images], PerExample]
"""d: images and targets to (B,), each on its own."""


def feature_distance(features: Callable[[Images], Points], *, pixels: float = 0.0) -> Distance:
    """d(y, x) = mean (f(y) - f(x))^2 + `pixels` mean (y - x)^2: in features f, and in pixels with a weight.

    >>> distance = feature_distance(lambda images: images.mean(axis=(1, 2)))
    >>> distance(jnp.full((1, 2, 2, 1), 3.0), jnp.zeros((1, 2, 2, 1)))
    Array([9.], dtype=float32)
    """

    def distance(images: Images, targets: Images) -> PerExample:
        found = mean_squared_error(features(images), features(targets))
        return found + pixels * mean_squared_error(images, targets) if pixels else found

    return distance


@dataclass(frozen=True)
class Projection:
    """How latents are searched for."""

    minimizer: Minimizer = LBFGS()
    distance: Distance = mean_squared_error  # d
    support: Support = identity  # of the prior: `support_of`


def project(
    settings: Projection,
    generate: Generate,
    images: Images,
    starts: Floats,
    given: tuple[Any, ...] = (),
) -> Minimum:
    """The latents of equation 1, the best of several starts for each image, and d there.

    Args:
        settings: minimizer, d and the support.
        generate: G(latents, *given), a function of each latent alone.
        images: x, (B, height, width, channels), in the value range of G.
        starts: latents where to begin, (starts, B, ...): draws from the prior, or a mean style.
        given: with the latents: labels (B,), for one.

    Returns:
        `points`, (B, ...) as the starts, and `values`, (B,).

    Raises:
        ValueError: if the starts are not those of the images, or G makes images of another shape.

    >>> generate = lambda z: jnp.tanh(z).reshape(-1, 1, 2, 1)
    >>> images = generate(jnp.array([[0.5, -1.0]]))
    >>> project(Projection(), generate, images, jnp.zeros((1, 1, 2))).points.round(2)
    Array([[ 0.5, -1. ]], dtype=float32)
    """
    require_fit(generate, images, starts, given)

    def objective(latents: Points, targets: Images, *given: Any) -> PerExample:
        return settings.distance(generate(latents, *given), targets)

    return minimize_from(settings.minimizer, objective, starts, (images, *given), settings.support)


def require_fit(generate: Generate, images: Images, starts: Floats, given: tuple[Any, ...]) -> None:
    """ValueError unless there are starts for each image, of which G makes images of their shape. Traces shapes only."""
    fits = starts.ndim >= 3 and starts.shape[0] >= 1 and starts.shape[1] == images.shape[0]
    require(fits, "shape of starts", starts.shape, f"(starts, {images.shape[0]}, ...), a latent for each image")
    made = jax.eval_shape(generate, starts[0], *given).shape
    require(made == images.shape, "shape of images", images.shape, f"{made}, as the generator makes them")


def support_of(prior: PriorLike) -> Support:
    """Latents to the nearest ones that a prior can draw: clipped to the limit of a `Uniform`, unchanged for others.

    >>> support_of(Uniform(2, limit=0.5))(jnp.array([[-3.0, 0.25]]))
    Array([[-0.5 ,  0.25]], dtype=float32)
    """
    if not isinstance(prior, Uniform):
        return identity
    return lambda latents: jnp.clip(latents, -prior.limit, prior.limit)
