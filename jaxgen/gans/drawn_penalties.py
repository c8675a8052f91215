"""Penalties on the discriminator's slope at points that are drawn: around the data, or between data and fakes.

- DRAGAN: Kodali, Abernethy, Hays, Kira: On Convergence and Stability of GANs, 2017, arXiv 1705.07215.
- WGAN-div: Wu, Huang, Thoma, Acharya, Van Gool: Wasserstein Divergence for GANs, 2017, arXiv 1712.01026.

Both are settings of `jaxgen.gans.regularization`. The penalties at the data or at the fakes themselves are there, too;
that of WGAN-GP, between both, is `jaxgen.gans.wgan_gp`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax

from jaxgen.checks import NonNegativeFloat, require, require_bounds
from jaxgen.losses.penalties import divergence_penalty, gradient_penalty, interpolate, perturb
from jaxgen.mode import Mode
from jaxgen.parallel import gather, share
from jaxgen.typing import PerExample, Points

Critic = Callable[[Points], PerExample]
"""The scores of points, each example on its own."""

AROUND, BETWEEN = 10, 11
"""Of the keys of the points: streams besides those of `discrimination`, `regularization` and `latent_consistency`."""


@dataclass(frozen=True)
class Perturbed:
    """DRAGAN: lambda E (||grad D(x^)|| - 1)^2 at points x^ around real examples.

    The points are those of `losses.perturb`: the noise is added on one side, with one standard deviation for all pixels
    of the whole batch. The authors' setting is this term with the `NonSaturating` objective, Adam(1e-4, 0.5, 0.9) and
    as many steps of both players. A port in common use descends the penalty alone: the loss of its discriminator is
    computed and not used.
    """

    weight: NonNegativeFloat = 0.0  # lambda: 10 in the authors' code
    scale: float = 0.5  # of the noise, in standard deviations of the batch

    def __post_init__(self):
        require_bounds(self)
        require(self.scale > 0, "scale", self.scale, "above 0")


@dataclass(frozen=True)
class Divergence:
    """WGAN-div: k E ||grad D(x^)||^p at points x^ between real examples and fakes.

    It goes with the `Wasserstein` objective. The authors' code has a weight of 10 where the paper has 2.
    """

    weight: NonNegativeFloat = 0.0  # k: 2 in the paper
    power: float = 6.0  # p

    def __post_init__(self):
        require_bounds(self)
        require(self.power > 1, "power", self.power, "above 1")


def perturbed_penalty(settings: Perturbed, critic: Critic, real: Points, mode: Mode) -> PerExample:
    """lambda (||grad D(x^)|| - 1)^2, the points around real examples drawn with the keys of the pass."""

    def draw(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        of_noise, of_mix = jax.random.split(key)
        return jax.random.uniform(of_noise, real.shape[1:]), jax.random.uniform(of_mix)

    drawn = jax.vmap(draw)(mode.stream(AROUND).example_keys("DRAGAN's penalty"))
    everything = [gather(each, mode.axis_name) for each in (real, *drawn)]  # whose standard deviation it is
    points = share(perturb(*everything, scale=settings.scale), mode.axis_name)
    return settings.weight * gradient_penalty(critic, points)


def divergence(settings: Divergence, critic: Critic, real: Points, fake: Points, mode: Mode) -> PerExample:
    """k ||grad D(x^)||^p, the points between each real example and its fake drawn with the keys of the pass."""
    keys = mode.stream(BETWEEN).example_keys("WGAN-div's penalty")
    points = interpolate(real, fake, jax.vmap(jax.random.uniform)(keys))
    return settings.weight * divergence_penalty(critic, points, power=settings.power)
