"""Lazy regularisation: a regulariser has steps of its own, one at each k-th update, and counts k times as much.

Karras et al.: Analyzing and Improving the Image Quality of StyleGAN, 2019, arXiv 1912.04958, section 3.1.

A player then takes k + 1 steps in k updates. With c = k / (k + 1) its learning rate times c and Adam's betas to the
power c leave as much of a change, and of a memory, as one step an update would.
"""

import dataclasses

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import Loss, TrainState, descend
from jaxgen.typing import AxisName, Metrics


def lazy(optimizer: Optimizer, every: int) -> Optimizer:
    """The optimiser of a player with one step more at each `every`-th update.

    >>> lazy(Optimizer(0.002, Adam(b1=0.0, b2=0.99)), 4).learning_rate
    0.0016
    """
    require(every >= 1, "every", every, "at least 1")
    rule, share = optimizer.rule, every / (every + 1)
    if not isinstance(rule, Adam):
        raise ValueError(f"rule is {rule}, but must be Adam, whose betas lazy regularisation changes")
    rule = dataclasses.replace(rule, b1=rule.b1**share, b2=rule.b2**share)
    return dataclasses.replace(optimizer, learning_rate=optimizer.learning_rate * share, rule=rule)


def regularize_now_and_then(
    every: int, player: TrainState, loss: Loss, inputs: tuple, axis_name: AxisName = None
) -> tuple[TrainState, Metrics]:
    """At each `every`-th update, from the first on, one more step of the player; else nothing, and metrics of 0.

    Args:
        every: k, updates from one such step to the next.
        player: after its own step of this update, which has counted it.
        loss: the regulariser, k times as large as at each update, and its metrics.
        inputs: of the loss, behind the player's variables.
        axis_name: of the devices that share the batch, or None.
    """

    def regularized() -> tuple[TrainState, Metrics]:
        after, metrics = descend(player, loss, inputs, axis_name)
        return after.replace(step=player.step), metrics

    def unchanged() -> tuple[TrainState, Metrics]:
        return player, jax.tree.map(lambda metric: jnp.zeros(metric.shape, metric.dtype), shapes)

    if every == 1:
        return regularized()
    shapes = jax.eval_shape(regularized)[1]
    return jax.lax.cond((player.step - 1) % every == 0, regularized, unchanged)
