"""Times drawn more often where the loss is large: importance sampling from the last losses of each step.

Nichol, Dhariwal: Improved Denoising Diffusion Probabilistic Models, 2021, arXiv 2102.09672, equation 18:

    L = E over t ~ p of L_t / p_t,    p_t proportional to sqrt(E[L_t^2]),

the mean over the last 10 losses at t. Until each step has 10 of them t is uniform. As in the authors' code, a
thousandth of the times is uniform always, and L is the mean over the steps, not the sum.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgen.parallel import draw
from jaxgen.typing import AxisName, Key, PerExample

KEPT, UNIFORM = 10, 0.001


class History(NamedTuple):
    """The last losses at each of T steps."""

    losses: Float[Array, "T kept"]  # the oldest first
    counts: Int[Array, "T"]  # how many of them there are


def start(num_steps: int) -> History:
    """No losses yet."""
    return History(jnp.zeros((num_steps, KEPT)), jnp.zeros(num_steps, jnp.int32))


def probabilities(history: History) -> Float[Array, "T"]:
    """p_t; uniform until each step has all its losses."""
    num = len(history.counts)
    roots = jnp.sqrt((history.losses**2).mean(axis=1))
    shares = (1.0 - UNIFORM) * roots / jnp.maximum(roots.sum(), 1e-30) + UNIFORM / num
    return jnp.where((history.counts == KEPT).all(), shares, jnp.full(num, 1.0 / num))


def draw_times(history: History, key: Key, num: int, axis_name: AxisName) -> tuple[PerExample, PerExample]:
    """Times of this device's examples, and 1 / (T p_t), by which each loss is multiplied."""
    shares = probabilities(history)
    logits = jnp.log(shares)
    times = draw(lambda key: jax.random.categorical(key, logits), key, num, axis_name)
    return times.astype(jnp.float32), 1.0 / (len(shares) * shares[times])


def remember(history: History, times: PerExample, losses: PerExample) -> History:
    """The history with the losses of the whole batch, of which the last ones at each step stay."""

    def add(history: History, pair: tuple[jax.Array, jax.Array]) -> tuple[History, None]:
        place, value = pair
        row, count = history.losses[place], history.counts[place]
        full = jnp.append(row[1:], value)
        filling = row.at[jnp.minimum(count, KEPT - 1)].set(value)
        row = jnp.where(count == KEPT, full, filling)
        counts = history.counts.at[place].set(jnp.minimum(count + 1, KEPT))
        return History(history.losses.at[place].set(row), counts), None

    return jax.lax.scan(add, history, (jnp.round(times).astype(jnp.int32), losses))[0]
