"""Drawing samples of a denoiser: `sample` and `from_latents` of every model that has a schedule and a sampler.

The sampler and the guidance are settings that the state does not depend on: samples of a trained model can be drawn
with others, `sample(dataclasses.replace(config, sampler=Heun(40)), state, key, num)`.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import jax.numpy as jnp

from jaxgen.conditions import classes_of
from jaxgen.diffusion.denoising import Told, denoise
from jaxgen.diffusion.guidance import Networks
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.predictions import Estimate, estimate
from jaxgen.diffusion.samplers import DDIM, Adaptive, Churn, Euler, Heun, Point, Renoise, run
from jaxgen.diffusion.samplers.inversion import invert
from jaxgen.images import clip
from jaxgen.mode import ExampleKeys
from jaxgen.parallel import example_keys, pass_key
from jaxgen.typing import Keys, Labels, Points, States

At: TypeAlias = Callable[[Point], Networks]
"""A model's networks at a time."""


def networks(config: Any, variables: Any) -> At:
    """The network of one denoiser."""

    def at(point: Point) -> Networks:
        def predict(noisy: Points, classes: Told) -> Any:
            times = jnp.broadcast_to(point.time, noisy.shape[:1])
            return denoise(config, variables, noisy, times, classes)[0]

        return Networks(predict)

    return at


def integrate(
    config: Any, at: At, start: Points, keys: ExampleKeys | None, classes: Told, *, keep: bool = False
) -> Points | States:
    """What the sampler makes of `start`, within the value range; all states with `keep`: see `samplers.run`."""
    estimated = estimates(config, at, classes, config.sampler.limit)
    points = run(config.sampler, config.schedule, estimated, start, keys, keep=keep)
    return points if keep else clip(points, config.value_range)


def sample(config: Any, state: Any, key: Keys, num: int, condition: Labels | None = None) -> Points:
    """`num` images from the moving average of the denoiser.

    Args:
        config: settings, with the sampler and the guidance.
        state: of the model.
        key: one key, or one for each image.
        num: how many.
        condition: the label of each image, -1 for none; without labels image i is of class i mod `num_classes`.
    """
    return drawn(config, networks(config, state.ema), key, num, condition)


def trajectory(config: Any, state: Any, key: Keys, num: int, condition: Labels | None = None) -> States:
    """The states from the noise to the images that `sample` draws with the same key: (steps + 1, num, ...)."""
    return drawn(config, networks(config, state.ema), key, num, condition, keep=True)


def from_latents(config: Any, state: Any, latents: Points, condition: Labels | None = None) -> Points:
    """The image of each x at the noisiest time, by the sampler without its noise: a step adds none."""
    return decoded(config, networks(config, state.ema), latents, condition)


def to_latents(config: Any, state: Any, images: Points, condition: Labels | None = None) -> Points:
    """x at the noisiest time of which `from_latents` makes each image, up to the error of the steps."""
    estimated = estimates(
        config, networks(config, state.ema), classes_of(config, condition, images.shape[0]), NoLimit()
    )
    sampler = config.sampler
    if isinstance(sampler, Adaptive):
        return sampler.invert(config.schedule, estimated, images)
    return invert(config.schedule, sampler.grid, sampler.steps, estimated, images)


def without_noise(sampler: Any) -> Any:
    """The sampler, or its counterpart that draws no noise."""
    match sampler:
        case DDIM():
            return dataclasses.replace(sampler, eta=0.0)
        case Euler() | Heun():
            return dataclasses.replace(sampler, churn=Churn())
        case Renoise():
            return dataclasses.replace(sampler, steps=1)
        case _ if sampler.stochastic:
            return DDIM(sampler.steps, grid=sampler.grid, limit=sampler.limit, to_data=sampler.to_data)
    return sampler


def drawn(config: Any, at: At, key: Keys, num: int, labels: Labels | None, *, keep: bool = False) -> Points | States:
    """What networks make of noise from the prior: `sample`, or with `keep` `trajectory`."""
    keys = pass_key(example_keys(key, num))
    return integrate(config, at, config.prior.draw(key, num), keys, classes_of(config, labels, num), keep=keep)


def decoded(config: Any, at: At, latents: Points, labels: Labels | None) -> Points:
    """What networks make of x at the noisiest time, by the sampler without its noise."""
    config = dataclasses.replace(config, sampler=without_noise(config.sampler))
    return integrate(config, at, latents, None, classes_of(config, labels, latents.shape[0]))


def estimates(config: Any, at: At, classes: Told, limit: Any) -> Callable[[Points, Point], Estimate]:
    """x_t and its point to the estimated data and noise: networks guided and limited, as a sampler asks for them."""

    def estimated(noisy: Points, point: Point) -> Estimate:
        prediction = config.guidance.apply(at(point), noisy, point, classes)
        return limit.apply(estimate(prediction, point.level, noisy), point.level, noisy, config.value_range)

    return estimated
