"""What every adversarial model logs, so that a collapse is seen while it happens.

    real_certainty, fake_certainty    shares of the real and of the fake examples that the discriminator judges rightly
                                      and surely; both near 1 where it has won and teaches the generator nothing
    diversity                         mean squared distance between two fakes over that between two real examples; near
                                      0 where all fakes are alike, about 1 where they vary as the data do
    gradient_norm/PLAYER              from `train_state.descend(..., player=PLAYER)`

`experiments.watch` turns them into warnings.
"""

import jax
import jax.numpy as jnp

from jaxgen.gans.objectives import Objective
from jaxgen.parallel import pmean
from jaxgen.typing import Metrics, PerExample, Points, Scalar

SURE = 0.95
"""A probability from which on the discriminator counts as sure."""


def certainty(
    objective: Objective, real_scores: PerExample, fake_scores: PerExample, axis_name: str | None = None
) -> Metrics:
    """`real_certainty` and `fake_certainty` of this device's examples; `{}` for a critic, which has no beliefs."""
    beliefs = objective.beliefs(real_scores, fake_scores, axis_name=axis_name)
    if beliefs is None:
        return {}
    real, fake = beliefs
    return {
        "real_certainty": (real > SURE).mean(dtype=jnp.float32),
        "fake_certainty": (fake < 1 - SURE).mean(dtype=jnp.float32),
    }


def diversity(real: Points, fake: Points, axis_name: str | None = None) -> Metrics:
    """Spread of the fakes over that of the real examples, over all devices; no gradient flows through it."""
    real, fake = jax.lax.stop_gradient((real, fake))
    smallest = jnp.finfo(jnp.float32).tiny
    return {"diversity": spread(fake, axis_name) / jnp.maximum(spread(real, axis_name), smallest)}


def spread(points: Points, axis_name: str | None = None) -> Scalar:
    """E|x - y|^2 of two independent draws x and y from the batch.

    Written as 2 E|x - E x|^2, which needs all-reduced means alone.
    """
    flat = points.reshape(len(points), -1).astype(jnp.float32)
    mean = pmean(flat.mean(axis=0), axis_name)
    return 2.0 * pmean(((flat - mean[None]) ** 2).sum(axis=1).mean(), axis_name)
