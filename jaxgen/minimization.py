"""Minima of functions of points, each point of a batch on its own: latents, not the weights of networks.

    x* = argmin f(x, inputs),    f the objective, one value for each example                      (1)

- Kingma, Ba: Adam, 2015, arXiv 1412.6980, and the other rules of `jaxgen.optimizers`.
- Liu, Nocedal: On the limited memory BFGS method for large scale optimization, 1989, Mathematical Programming 45; the
  line search of Nocedal, Wright: Numerical Optimization, 2006, algorithms 3.5 and 3.6.

No example knows of the others, so that a batch that is cut over devices gives the same points. A point may be bound to
a set by `support`, a function that maps each point to the nearest one of the set. Nothing here is random.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from jaxgen.checks import NonNegativeFloat, PositiveInt, require, require_bounds
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import descend, from_variables
from jaxgen.typing import PerExample, Points

Objective: TypeAlias = Callable[..., PerExample]
"""f: points (B, ...) and `inputs`, arrays (B, ...) or pytrees of them, to (B,), each example on its own."""

Support: TypeAlias = Callable[[Points], Points]
"""Points to the nearest ones of a set, each number on its own: `lambda z: z.clip(-1, 1)`, for one."""


class Minimum(NamedTuple):
    """The best points that were met, and the objective there."""

    points: Points
    values: PerExample


@dataclass(frozen=True)
class Descent:
    """Steps of a rule of `jaxgen.optimizers`; after each of them the points are mapped into the support."""

    optimizer: Optimizer = Optimizer(0.1, Adam())
    steps: PositiveInt = 500

    def __post_init__(self):
        require_bounds(self)
        coupled = self.optimizer.clip_norm is not None or self.optimizer.orthogonality > 0 or self.optimizer.normalized
        require(not coupled, "optimizer", self.optimizer, "without clip_norm, orthogonality, normalized")


@dataclass(frozen=True)
class LBFGS:
    """Quasi-Newton steps with a line search, for smooth objectives; a value never rises from one step to the next.

    The objective is that of the mapped points, f(support(x)): a number outside of the support has no slope.
    """

    steps: PositiveInt = 100  # at most
    memory: PositiveInt = 10  # pairs of steps and changes of the slope that are kept
    line_search: PositiveInt = 20  # evaluations in one line search, at most
    tolerance: NonNegativeFloat = 1e-6  # length of the slope at which a point is left

    def __post_init__(self):
        require_bounds(self)


Minimizer: TypeAlias = Descent | LBFGS


POINTS = "points"
"""What a state of an optimiser calls them among its params."""


def identity(points: Points) -> Points:
    """The support that is everything."""
    return points


def minimize(
    minimizer: Minimizer, objective: Objective, start: Points, inputs: tuple[Any, ...] = (), support: Support = identity
) -> Minimum:
    """The points with the smallest values of equation 1 that the minimizer meets, one for each example.

    Args:
        minimizer: settings.
        objective: f(points, *inputs), (B,), each example on its own.
        start: where to begin, (B, ...).
        inputs: of the objective: arrays (B, ...), or pytrees of them.
        support: of the points.

    Returns:
        Points in the support, no worse than the start. A value that is NaN from the start on stays NaN.

    Raises:
        ValueError: unless the objective gives (B,).

    >>> target = jnp.array([[3.0, -1.0]])
    >>> found = minimize(LBFGS(), lambda x, y: ((x - y) ** 2).sum(axis=1), jnp.zeros((1, 2)), (target,))
    >>> jnp.rint(found.points)
    Array([[ 3., -1.]], dtype=float32)
    """
    found = jax.eval_shape(objective, start, *inputs)
    wanted = start.shape[:1]
    shape = getattr(found, "shape", type(found).__name__)
    require(shape == wanted, "shape of the objective", shape, f"{wanted}, one value for each example")
    if isinstance(minimizer, Descent):
        return _descend(minimizer, objective, start, inputs, support)
    return _quasi_newton(minimizer, objective, start, inputs, support)


def minimize_from(
    minimizer: Minimizer,
    objective: Objective,
    starts: Float[Array, "starts batch ..."],
    inputs: tuple[Any, ...] = (),
    support: Support = identity,
) -> Minimum:
    """For each example the best minimum of several starts, which are taken one after another: the memory is of one.

    Args:
        minimizer: settings.
        objective: as `minimize` takes it.
        starts: (starts, B, ...).
        inputs: of the objective, the same for each start.
        support: of the points.

    Raises:
        ValueError: without a start, or unless the objective gives (B,).
    """
    require(starts.shape[0] >= 1, "number of starts", starts.shape[0], "at least 1")
    found = jax.lax.map(lambda start: minimize(minimizer, objective, start, inputs, support), starts)
    best = jnp.where(jnp.isnan(found.values), jnp.inf, found.values).argmin(axis=0)
    chosen = jnp.arange(starts.shape[1])
    return Minimum(found.points[best, chosen], found.values[best, chosen])


def _descend(
    minimizer: Descent, objective: Objective, start: Points, inputs: tuple[Any, ...], support: Support
) -> Minimum:
    def loss(variables: Any, *inputs: Any) -> Any:
        values = objective(variables["params"][POINTS], *inputs)
        return values.sum(), ({"values": values}, variables)

    def step(carry: Any, _: None) -> Any:
        state, best = carry
        after, metrics = descend(state, loss, inputs)
        best = _better(best, Minimum(state.params[POINTS], metrics["values"]))
        return (after.replace(params={POINTS: support(after.params[POINTS])}), best), None

    start = support(start)
    begin = from_variables({"params": {POINTS: start}}, minimizer.optimizer)
    carry = begin, Minimum(start, objective(start, *inputs))
    (state, best), _ = jax.lax.scan(step, carry, length=minimizer.steps)
    last = state.params[POINTS]
    return _better(best, Minimum(last, objective(last, *inputs)))


def _better(best: Minimum, other: Minimum) -> Minimum:
    """Of each example the point of the smaller value; the first one, unless the other is smaller."""
    smaller = other.values < best.values
    points = jnp.where(smaller.reshape(-1, *(1,) * (best.points.ndim - 1)), other.points, best.points)
    return Minimum(points, jnp.where(smaller, other.values, best.values))


def _quasi_newton(
    minimizer: LBFGS, objective: Objective, start: Points, inputs: tuple[Any, ...], support: Support
) -> Minimum:
    search = optax.scale_by_zoom_linesearch(minimizer.line_search, initial_guess_strategy="one")
    solver = optax.lbfgs(memory_size=minimizer.memory, linesearch=search)

    def one(start: Array, inputs: Any) -> Minimum:
        def value(point: Array) -> Array:
            return objective(support(point[None]), *jax.tree.map(lambda leaf: leaf[None], inputs))[0]

        value_and_slope = optax.value_and_grad_from_state(value)

        def goes_on(carry: Any) -> Array:
            _, _, slope, count = carry
            return (count < minimizer.steps) & (jnp.sqrt((slope**2).sum()) > minimizer.tolerance)

        def step(carry: Any) -> Any:
            point, state, slope, count = carry
            height, slope = value_and_slope(point, state=state)
            updates, state = solver.update(slope, state, point, value=height, grad=slope, value_fn=value)
            point = optax.apply_updates(point, updates)
            _, slope = value_and_slope(point, state=state)
            return point, state, slope, count + 1

        start = support(start[None])[0]
        point, _, _, _ = jax.lax.while_loop(goes_on, step, (start, solver.init(start), jax.grad(value)(start), 0))
        return Minimum(support(point[None])[0], value(point))

    with jax.numpy_dtype_promotion("standard"):  # optax raises a float to an integer count
        found = jax.vmap(one)(start, inputs)
    start = support(start)
    return _better(Minimum(start, objective(start, *inputs)), found)
