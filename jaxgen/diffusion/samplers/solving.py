"""The ordinary equation of a denoiser by steps that the error chooses, for `Adaptive` and for densities.

The method is that of Tsitouras, 2011, of order 5 with an error of order 4, as the package diffrax has it (an extra).
"""

import importlib.util
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.diffusion.samplers.line import Line, Node

State: TypeAlias = Any
"""A pytree of arrays (batch, ...)."""

MOST_STEPS = 4096
"""Of one solution; with more of them the result is NaN."""


def require_solver() -> None:
    """ValueError if diffrax is not installed."""
    installed = importlib.util.find_spec("diffrax") is not None
    require(installed, "diffrax", "not installed", "there for adaptive steps: pip install 'jaxgen[adaptive]'")


def along(
    line: Line, slope: Callable[[State, Node], State], state: State, ends: tuple[Any, Any], tolerance: float
) -> State:
    """The state at the second u, from that at the first, by `solved` in log u or, from pure noise, in u.

    Args:
        line: of the schedule.
        slope: the state and a node of the line to d state / du.
        state: at the first u.
        ends: the first u and the second.
        tolerance: of each step's error.
    """
    if line.from_noise:
        return solved(lambda state, u: slope(state, line.node(u)), state, ends, tolerance)

    def by_logarithm(state: State, log_u: Any) -> State:
        u = jnp.exp(log_u)
        return jax.tree.map(lambda each: u * each, slope(state, line.node(u)))

    return solved(by_logarithm, state, (jnp.log(ends[0]), jnp.log(ends[1])), tolerance)


def solved(slope: Callable[[State, Any], State], state: State, span: tuple[Any, Any], tolerance: float) -> State:
    """The state at the end of a path, NaN if it took more than `MOST_STEPS` steps.

    All examples take the same steps, those of the example with the largest error, so that an example's result depends
    on the others within the tolerance.

    Args:
        slope: the state and the place on the path to the change of the state.
        state: at the start.
        span: the first place and the last.
        tolerance: of each step's error, for each number of the state absolute and relative together; what counts is
            the root mean square over an example.
    """
    require_solver()
    import diffrax

    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda place, state, _: slope(state, place)),
            diffrax.Tsit5(),
            *span,
            dt0=None,
            y0=state,
            stepsize_controller=diffrax.PIDController(tolerance, tolerance, norm=_largest),
            saveat=diffrax.SaveAt(t1=True),
            max_steps=MOST_STEPS,
            throw=False,
        )
    done = found.result == diffrax.RESULTS.successful
    return jax.tree.map(lambda each: jnp.where(done, each[0], jnp.nan), found.ys)


def _largest(state: State) -> Float[Array, ""]:
    """The largest root mean square of an example."""
    squares = [(leaf**2).mean(tuple(range(1, leaf.ndim))) for leaf in jax.tree.leaves(state)]
    return jnp.sqrt(jnp.stack(squares).max())
