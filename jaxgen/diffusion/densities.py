"""log p(x) of a denoiser in continuous time, by the ordinary equation whose marginals are those of its process.

Song et al., 2020, arXiv 2011.13456, section 4.3 and appendix D.2; Chen et al., 2018, arXiv 1806.07366. In the variable
of `samplers.line`, y = x / c with u from 0 for the data to the noise, dy/du = F(y, u), and

    log p(y_0) = log p(y_1) + integral of div F du,    log p(x) = log p(y) - D log c,                     (1)

where div F is the trace of the Jacobian, or v F' v for a vector v of random signs, whose mean it is (Hutchinson). Steps
are those of Runge and Kutta's method of order 4, even in log u; from pure noise, alpha = 0, even in u. With a tolerance
`samplers.solving` chooses them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgen.checks import NonNegativeFloat, NonNegativeInt, PositiveInt, require, require_bounds
from jaxgen.conditions import classes_of
from jaxgen.diffusion.drawing import networks
from jaxgen.diffusion.predictions import estimate
from jaxgen.diffusion.samplers import Denoise, Point
from jaxgen.diffusion.samplers.line import Line, Node, slope
from jaxgen.diffusion.samplers.solving import along, require_solver
from jaxgen.diffusion.schedules import Schedule
from jaxgen.images import scale
from jaxgen.losses import gaussian_nll
from jaxgen.parallel import draw, example_keys, split_key
from jaxgen.typing import Keys, PerExample, Points

Probes: TypeAlias = Float[Array, "probes batch ..."]
"""Vectors v of equation 1 for each example."""

Pair: TypeAlias = tuple[Points, PerExample]
"""y, and the trace for each example."""

Change: TypeAlias = Callable[[Points, Node], Pair]
"""dy/du and its trace."""

LEVELS = 256
"""Of each number of an image."""


@dataclass(frozen=True)
class Integral:
    """How equation 1 is computed."""

    steps: PositiveInt = 100  # of four evaluations each
    probes: NonNegativeInt = (
        1  # vectors v of each example; 0: the trace itself, as many passes as an example has numbers
    )
    tolerance: NonNegativeFloat = 0.0  # above 0: steps as long as this error allows, by diffrax; `steps` is not used

    def __post_init__(self):
        require_bounds(self)
        if self.tolerance > 0:
            require_solver()


class Step(NamedTuple):
    """Numbers of one step."""

    start: Node
    middle: Node
    end: Node
    width: Any  # of u


def log_density(config: Any, state: Any, batch: Any, key: Keys, integral: Integral) -> PerExample:
    """log p(x) of each example by the moving average of the network, in nats.

    Images have 256 levels in their range: each level is its part of the range, in which x is drawn uniformly, and
    log p(x) + D log((high - low) / 256) is a bound of the log-probability of the levels, on average over the draws.

    Args:
        config: settings; the sampler does not matter.
        state: of the model.
        batch: as in training: images or points, with labels for a model of classes.
        key: one key, or one for each example: of the draws, and of the probes.
        integral: steps and probes.

    Raises:
        ValueError: a discrete schedule.
    """
    require(
        not config.schedule.discrete, "schedule", config.schedule, "in continuous time, such as VP(), for a density"
    )
    data, labels = (batch.images, batch.labels) if config.num_classes else (batch, None)
    key_levels, key_probes = split_key(example_keys(key, len(data)))
    start = dequantized(config, scale(data, config.value_range), key_levels)
    probes = _probes(integral.probes, key_probes, start)
    network = networks(config, state.ema)
    classes = classes_of(config, labels, len(start))

    def found(noisy: Points, point: Point) -> Any:
        return estimate(config.guidance.apply(network(point), noisy, point, classes), point.level, noisy)

    return integrated(config.schedule, found, start, integral, probes)


def dequantized(config: Any, images: Points, keys: Keys) -> Points:
    """Images in range as points of their levels' parts of it; data without bounds as they are."""
    if config.value_range is None:
        return images
    low, high = config.value_range
    level = jnp.round((images - low) / (high - low) * (LEVELS - 1))
    inside = draw(lambda key: jax.random.uniform(key, images.shape[1:]), keys, len(images))
    return low + (high - low) * (level + inside) / LEVELS


def integrated(schedule: Schedule, denoise: Denoise, data: Points, integral: Integral, probes: Probes) -> PerExample:
    """Equation 1 for x at the least noisy time.

    Args:
        schedule: in continuous time.
        denoise: the estimated data and noise at a point; example i of the result depends on example i alone.
        data: x.
        integral: its steps.
        probes: vectors v, (probes, batch, ...); the basis for the trace itself.
    """
    line = Line(schedule)
    ends = line.position(schedule.level(np.array([schedule.end, schedule.start])))[0]

    def change(y: Points, node: Node) -> Pair:
        def of_y(y: Points) -> Points:
            return slope(denoise(node.scale * y, node.point), node.data_slope)

        def along_probe(probe: Points) -> Pair:
            value, moved = jax.jvp(of_y, (y,), (probe,))
            return value, (probe * moved).reshape(len(y), -1).sum(1)

        values, traces = jax.lax.map(along_probe, probes)
        return values[0], traces.sum(0) / max(integral.probes, 1)

    first, last = (jax.tree.map(float, line.node(u)) for u in ends)
    start = data / first.scale, jnp.zeros(len(data), data.dtype)
    if integral.tolerance > 0:
        places = jnp.asarray(ends[0], data.dtype), jnp.asarray(ends[1], data.dtype)
        y, trace = along(line, lambda state, node: change(state[0], node), start, places, integral.tolerance)
    else:
        y, trace = _in_equal_steps(line, ends, change, start, integral.steps)
    prior = -gaussian_nll(jnp.zeros_like(y), 2.0 * math.log(last.point.level.sigma), last.scale * y)
    return prior + trace + data[0].size * math.log(last.scale / first.scale)


def _in_equal_steps(line: Line, ends: np.ndarray, change: Change, start: Pair, num: int) -> Pair:
    """y and the integral of the trace at the last u, by Runge and Kutta's method."""
    rows = jax.tree.map(lambda numbers: jnp.asarray(numbers, start[0].dtype), _steps(line, ends, num))

    def step(carry: Pair, row: Step) -> tuple[Pair, None]:
        y, half = carry[0], 0.5 * row.width
        first = change(y, row.start)
        second = change(y + half * first[0], row.middle)
        third = change(y + half * second[0], row.middle)
        fourth = change(y + row.width * third[0], row.end)
        return jax.tree.map(
            lambda value, a, b, c, d: value + row.width / 6.0 * (a + 2.0 * (b + c) + d),
            carry, first, second, third, fourth,
        ), None  # fmt: skip

    return jax.lax.scan(step, start, rows)[0]


def _probes(num: int, keys: Keys, like: Points) -> Probes:
    """(probes, batch, ...): random signs, or with 0 of them the basis."""
    if num == 0:
        basis = jnp.eye(like[0].size, dtype=like.dtype).reshape(-1, 1, *like.shape[1:])
        return jnp.broadcast_to(basis, (len(basis), *like.shape))
    signs = draw(lambda key: jax.random.rademacher(key, (num, *like.shape[1:]), like.dtype), keys, len(like))
    return jnp.moveaxis(signs, 1, 0)


def _steps(line: Line, ends: np.ndarray, num: int) -> Step:
    u = (np.linspace if line.from_noise else np.geomspace)(ends[0], ends[1], num + 1)
    middles = (u[1:] + u[:-1]) / 2.0
    return Step(line.node(u[:-1]), line.node(middles), line.node(u[1:]), np.diff(u))
