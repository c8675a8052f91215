"""The projector of StyleGAN 2: a style w and noise maps of an image, the maps kept free of any picture.

Karras et al.: Analyzing and Improving the Image Quality of StyleGAN, 2019, arXiv 1912.04958, section 5 and appendix D;
the authors' code. With mean w and deviation s_w of the styles of draws, the minimum over w and noise maps n of

    d(G(w + e_t, n), x) + weight sum over n of R(n),    e_t ~ N(0, (noise s_w max(0, 1 - t / noise_ramp)^2)^2)    (1)
    R(n) = sum over scales of n of (mean n(i, j) n(i, j - 1))^2 + (mean n(i, j) n(i - 1, j))^2                    (2)

by Adam, t from 0 to 1, the learning rate rising on a line at the start and falling on a cosine at the end. The scales
are n and its halves down to a height of 8. After each step each map is brought to mean 0 and variance 1. d is a
distance in features in the paper (LPIPS); here it is any function.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import NonNegativeFloat, PositiveFloat, PositiveInt, require, require_bounds
from jaxgen.latents.projection import Distance
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys
from jaxgen.train_state import descend, from_variables
from jaxgen.typing import Images, Keys, PerExample, Scalar

Maps: TypeAlias = Mapping[str, Array]
"""Noise maps by layer, (B, height, width, 1)."""

Draw: TypeAlias = Callable[[Float[Array, "batch features"], Maps], Images]
"""G: styles w and noise maps to images."""

SMALLEST = 8
"""Height down to which maps are halved in equation 2."""


class Spread(NamedTuple):
    """Where styles lie."""

    mean: Float[Array, "features"]
    deviation: Scalar  # root of the mean squared distance to the mean


class Projected(NamedTuple):
    """What was found of each image."""

    w: Float[Array, "batch features"]
    maps: Maps
    values: PerExample  # d, without noise on w


@dataclass(frozen=True)
class Projector:
    """Settings; the defaults are those of the authors' code."""

    steps: PositiveInt = 1_000
    learning_rate: PositiveFloat = 0.1
    ramp_up: float = 0.05  # share of the steps over which the rate rises
    ramp_down: float = 0.25  # share of the steps over which it falls
    noise: NonNegativeFloat = 0.05  # on w, in deviations of styles
    noise_ramp: PositiveFloat = 0.75  # share of the steps over which it falls to 0
    weight: NonNegativeFloat = 1e5  # of equation 2
    distance: Distance = mean_squared_error  # d

    def __post_init__(self):
        require_bounds(self)
        for name in ("ramp_up", "ramp_down"):
            require(0 < getattr(self, name) <= 1, name, getattr(self, name), "in (0, 1]")

    def rate(self, t: Scalar) -> Scalar:
        """The learning rate as a share of its largest value, t from 0 to 1."""
        falling = 0.5 - 0.5 * jnp.cos(jnp.pi * jnp.minimum(1.0, (1.0 - t) / self.ramp_down))
        return falling * jnp.minimum(1.0, t / self.ramp_up)


def spread(ws: Float[Array, "draws features"]) -> Spread:
    """The mean of styles of many draws, and their deviation from it; 10,000 draws in the authors' code.

    >>> spread(jnp.array([[1.0, 0.0], [-1.0, 0.0]]))
    Spread(mean=Array([0., 0.], dtype=float32), deviation=Array(1., dtype=float32))
    """
    mean = ws.mean(axis=0)
    return Spread(mean, jnp.sqrt(((ws - mean[None]) ** 2).sum(axis=1).mean()))


def noise_regularity(maps: Float[Array, "batch height width 1"]) -> PerExample:
    """R of equation 2, (batch,): 0 for white noise of infinite size, large for maps that hold a picture.

    >>> noise_regularity(jnp.ones((1, 16, 16, 1)))
    Array([4.], dtype=float32)
    """
    total = jnp.zeros(maps.shape[0])
    while True:
        for axis in (1, 2):
            total += (maps * jnp.roll(maps, 1, axis)).mean(axis=(1, 2, 3)) ** 2
        num, height, width, _ = maps.shape
        if height <= SMALLEST or width <= 1:
            return total
        halves = maps[:, : height // 2 * 2, : width // 2 * 2]
        maps = halves.reshape(num, height // 2, 2, width // 2, 2, 1).mean(axis=(2, 4))


def whitened(maps: Float[Array, "batch height width 1"]) -> Float[Array, "batch height width 1"]:
    """Each map with mean 0 and mean square 1; one without any variance is 0."""
    centred = maps - maps.mean(axis=(1, 2, 3), keepdims=True)
    square = (centred**2).mean(axis=(1, 2, 3), keepdims=True)
    return centred * jnp.where(square > 0, jax.lax.rsqrt(jnp.where(square > 0, square, 1.0)), 0.0)


def project_styles(settings: Projector, draw: Draw, images: Images, styles: Spread, maps: Maps, key: Keys) -> Projected:
    """w and the noise maps of each image after all steps down equation 1.

    Args:
        settings: of the search.
        draw: G(w, maps), each image on its own, with one w for all layers.
        images: x, (B, height, width, channels).
        styles: where w begins, and the unit of its noise: `spread` of draws.
        maps: where the noise begins, draws of N(0, 1), (B, height, width, 1) by layer; {} for a model without.
        key: of the noise on w: one key, or one for each image.

    >>> draw = lambda w, maps: w.reshape(-1, 1, 2, 1)
    >>> image = jnp.array([[[[1.0], [-2.0]]]])
    >>> start = spread(jnp.array([[1.0, 1.0], [-1.0, -1.0]]))
    >>> jnp.rint(project_styles(Projector(300), draw, image, start, {}, jax.random.key(0)).w)
    Array([[ 1., -2.]], dtype=float32)
    """
    num, features = images.shape[0], styles.mean.shape[0]
    keys = example_keys(key, num)

    def loss(variables: Any, noise: Array) -> Any:
        params = variables["params"]
        values = settings.distance(draw(params["w"] + noise, params["maps"]), images)
        regularity = sum((noise_regularity(one) for one in params["maps"].values()), jnp.zeros(num))
        return (values + settings.weight * regularity).sum(), ({}, variables)

    def step(state: Any, number: Array) -> Any:
        t = number.astype(jnp.float32) / settings.steps
        size = settings.noise * styles.deviation * jnp.maximum(0.0, 1.0 - t / settings.noise_ramp) ** 2
        noise = jax.vmap(lambda key: jax.random.normal(jax.random.fold_in(key, number), (features,)))(keys)
        after, _ = descend(state, loss, (size * noise,))
        rate = settings.rate(t)
        moved = jax.tree.map(lambda old, new: old + rate * (new - old), state.params, after.params)
        return after.replace(params={**moved, "maps": jax.tree.map(whitened, moved["maps"])}), None

    params = {"w": jnp.broadcast_to(styles.mean[None], (num, features)), "maps": dict(maps)}
    begin = from_variables({"params": params}, Optimizer(settings.learning_rate, Adam()))
    found = jax.lax.scan(step, begin, jnp.arange(settings.steps))[0].params
    return Projected(found["w"], found["maps"], settings.distance(draw(found["w"], found["maps"]), images))
