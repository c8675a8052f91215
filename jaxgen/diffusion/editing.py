"""Images changed by a denoiser on its way from noise: holes filled by RePaint, guides made into data by SDEdit.

- Lugmayr, Danelljan, Romero, Yu, Timofte, Van Gool: RePaint: Inpainting using Denoising Diffusion Probabilistic Models,
  2022, arXiv 2201.09865.
- Meng, He, Song, Song, Wu, Zhu, Ermon: SDEdit: Guided Image Synthesis and Editing with Stochastic Differential
  Equations, 2021, arXiv 2108.01073.

Both go to and fro between the levels of a sampler, alpha_n and sigma_n. With g the given image, m 1 where its pixels
are kept, and z, e from N(0, I), they

    go up, from n to a noisier k:   x_k = r x_n + sqrt(sigma_k^2 - r^2 sigma_n^2) z,  r = alpha_k / alpha_n       (1)
    keep pixels:                    x_k <- m (alpha_k g + sigma_k e) + (1 - m) x_k                              (2)
    go down:                        a step of the sampler from x_k                                              (3)

RePaint begins with noise. Where it has 0, j, 2j, ... steps left before the last it goes up j levels and comes down
again, r - 1 times at each place, so that what fills a hole learns of what is around it. Several levels up at once are
one step of equation 1, whose x_k has the distribution of as many single ones. SDEdit begins with g, goes up to a share
of the levels and comes down; what comes out is the next guide, a few times. In the authors' code of SDEdit kept pixels
have the noise of the level before the step, here that of the level they are at. Both return kept pixels as they are.
"""

import itertools
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.checks import PositiveInt, require, require_bounds
from jaxgen.conditions import classes_of
from jaxgen.diffusion.drawing import At, estimates, networks
from jaxgen.diffusion.samplers import DDIM, Ancestral, Euler, Heun
from jaxgen.diffusion.samplers.path import path
from jaxgen.diffusion.schedules import Level
from jaxgen.images import clip
from jaxgen.mode import fold
from jaxgen.parallel import example_keys, pass_key
from jaxgen.priors import normal_noise
from jaxgen.typing import Keys, Labels, Points

UP, KEPT = 1, 2
"""Numbers of the keys of equations 1 and 2, beside those of the sampler."""

STEPWISE = DDIM | Ancestral | Euler | Heun
"""Samplers whose step needs nothing of the steps before it, a step between two neighbouring levels."""


class Guide(NamedTuple):
    """Images in the value range, and which of their pixels are kept."""

    images: Points  # g
    kept: jax.Array  # m, as wide as the images or with 1 in their last axis: 1 for a kept pixel, 0 for one to be made


class Walk(NamedTuple):
    """Steps of a sampler, in any order: arrays with a number for each visit.

    Where x is at a less noisy level than the step's, equation 1 leads up to it first.
    """

    row: np.ndarray  # the step that is gone
    origin: np.ndarray  # the level at which x is before
    draw: np.ndarray  # the number of e; the same number is the same e


@dataclass(frozen=True)
class RePaint:
    """Holes filled from noise, going back over the levels again and again."""

    jump: PositiveInt = 10  # j, levels that are gone up at once
    resamples: PositiveInt = 10  # r, how often each stretch is gone down

    from_noise: ClassVar[bool] = True

    def __post_init__(self):
        require_bounds(self)

    def times(self, steps: int) -> list[int]:
        """The numbers of steps left after the present one, in their order, -1 at the data: the list of the paper.

        >>> RePaint(2, 2).times(6)
        [5, 4, 3, 2, 3, 4, 3, 2, 1, 0, 1, 2, 1, 0, -1]
        """
        left = dict.fromkeys(range(0, steps - self.jump, self.jump), self.resamples - 1)
        time, found = steps, []
        while time > 0:
            time -= 1
            found.append(time)
            if left.get(time):
                left[time] -= 1
                found += range(time + 1, time + self.jump + 1)
                time += self.jump
        return [*found, -1]

    def walk(self, steps: int) -> Walk:
        """The visits: each step down, and whence it is reached."""
        rows, origins, origin = [], [], 0
        times = self.times(steps)
        for here, there in itertools.pairwise(times):
            if there < here:
                rows.append(steps - 1 - here)
                origins.append(origin)
                origin = steps - 1 - there
        return Walk(np.array(rows), np.array(origins), np.arange(len(rows)))


@dataclass(frozen=True)
class SDEdit:
    """Guides, such as strokes of colour, made into what the data look like."""

    strength: float = 0.5  # share of the levels that is gone up, in [0, 1]: 0 leaves the guide, 1 forgets it
    repeats: PositiveInt = 3  # times that it is gone up and down

    from_noise: ClassVar[bool] = False

    def __post_init__(self):
        require_bounds(self)
        require(0 <= self.strength <= 1, "strength", self.strength, "in [0, 1]: 0 leaves the guide, 1 forgets it")

    def walk(self, steps: int) -> Walk:
        """The visits: of each repeat the last steps, the first of them from the data."""
        rows = np.arange(round((1 - self.strength) * steps), steps)
        origins = np.where(np.arange(len(rows)) == 0, steps, rows)
        return Walk(
            np.tile(rows, self.repeats), np.tile(origins, self.repeats), np.repeat(np.arange(self.repeats), len(rows))
        )


Edit: TypeAlias = RePaint | SDEdit
"""Ways to change images."""


def edit(config: Any, state: Any, key: Keys, guide: Guide, how: Any, condition: Labels | None = None) -> Points:
    """Images in the value range that keep what `guide` says, by the moving average of the denoiser.

    Args:
        config: settings, with the sampler and the guidance.
        state: of the model.
        key: one key, or one for each image.
        guide: images and their kept pixels.
        how: `RePaint` or `SDEdit`.
        condition: the label of each image, as in `sample`.

    Raises:
        ValueError: a sampler with a memory of its steps, or images or kept pixels of another shape.
    """
    return edited(config, networks(config, state.ema), key, guide, how, condition)


def edited(config: Any, at: At, key: Keys, guide: Guide, how: Any, labels: Labels | None) -> Points:
    """What networks make of a guide: `edit`."""
    sampler, images = config.sampler, guide.images
    fits = isinstance(sampler, STEPWISE)
    require(fits, "sampler", sampler, "DDIM, Ancestral, Euler or Heun: others do not go back over their steps")
    num = images.shape[0]
    keys = pass_key(example_keys(key, num))
    steps = path(config.schedule, sampler.grid, sampler.steps, sampler.to_data)
    levels = Level(*(np.append(a, b[-1]) for a, b in zip(steps.points.level, steps.next.level, strict=True)))
    walk = how.walk(sampler.steps)
    noise = config.prior.draw(key, num)
    require(images.shape == noise.shape, "shape of the images", images.shape, str(noise.shape))
    of_places = *images.shape[:-1], 1
    fits = guide.kept.shape in (images.shape, of_places)
    require(fits, "shape of what is kept", guide.kept.shape, f"{images.shape} or {of_places}")
    start = noise if how.from_noise else images
    rows = jax.tree.map(lambda each: jnp.asarray(each[walk.row], start.dtype), sampler.rows(config.schedule))
    up = tuple(jnp.asarray(each, start.dtype) for each in ascents(levels, walk))
    to = Level(*(jnp.asarray(each[walk.row], start.dtype) for each in levels))
    denoise = estimates(config, at, classes_of(config, labels, num), sampler.limit)

    def visit(x: Points, inputs: Any) -> tuple[Points, None]:
        row, (scale, deviation), level, draw, number = inputs
        x = scale * x + deviation * normal(fold(keys_up, number))
        known = level.alpha * images + level.sigma * normal(fold(keys_kept, draw))
        x = jnp.where(guide.kept > 0, known, x)
        return sampler.step(denoise, (x, ()), row, normal(fold(keys, number)) if sampler.stochastic else None)[0], None

    normal = partial(normal_noise, images.shape[1:], num=num)
    keys_up, keys_kept = (pass_key(keys, number) for number in (UP, KEPT))
    numbers = jnp.asarray(walk.draw), jnp.arange(len(walk.row))
    made, _ = jax.lax.scan(visit, start, (rows, up, to, *numbers))
    return clip(jnp.where(guide.kept > 0, images, made), config.value_range)


def ascents(levels: Level, walk: Walk) -> tuple[np.ndarray, np.ndarray]:
    """r and the deviation of z of equation 1 for each visit, 1 and 0 where x is at the step's level: float64."""
    there, here = (Level(*(each[place] for each in levels)) for place in (walk.row, walk.origin))
    moves = walk.row != walk.origin
    scale = np.where(moves, there.alpha / np.where(moves, here.alpha, 1.0), 1.0)
    return scale, np.sqrt(np.maximum(there.sigma**2 - (scale * here.sigma) ** 2, 0.0))
