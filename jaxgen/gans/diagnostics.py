"""What every adversarial model logs, so that a collapse is seen while it happens.

    real_certainty, fake_certainty    shares of the real and of the fake examples that the discriminator classifies
                                      correctly with a probability above 0.95; both near 1 where it has won and teaches
                                      the generator nothing
    diversity                         mean squared distance between two fakes over that between two real examples; near
                                      0 where all fakes are alike, about 1 where they vary as the data do
    recovered                         share of the squares of latents that an encoder finds; of models that have one
    gradient_norm/PLAYER              from `train_state.descend(..., player=PLAYER)`

`experiments` turns them into warnings.
"""

import jax
import jax.numpy as jnp

from jaxgen.gans.objectives import Objective
from jaxgen.parallel import pmean
from jaxgen.typing import AxisName, Metrics, PerExample, Points, Scalar

CERTAIN = 0.95
"""A probability from which on the discriminator counts as certain."""


def certainty(
    objective: Objective, real_scores: PerExample, fake_scores: PerExample, axis_name: AxisName = None
) -> Metrics:
    """`real_certainty` and `fake_certainty` of this device's examples; `{}` for a critic: it gives no probabilities."""
    probabilities = objective.probabilities(real_scores, fake_scores, axis_name=axis_name)
    if probabilities is None:
        return {}
    real, fake = probabilities
    return {
        "real_certainty": (real > CERTAIN).mean(),
        "fake_certainty": (fake < 1 - CERTAIN).mean(),
    }


def diversity(real: Points, fake: Points, axis_name: AxisName = None) -> Metrics:
    """Mean squared distance of fakes over that of real examples, over all devices; no gradient flows through it."""
    real, fake = jax.lax.stop_gradient((real, fake))
    smallest = jnp.finfo(jnp.float32).tiny
    distances = mean_squared_distance(fake, axis_name), mean_squared_distance(real, axis_name)
    return {"diversity": distances[0] / jnp.maximum(distances[1], smallest)}


def mean_squared_distance(points: Points, axis_name: AxisName = None) -> Scalar:
    """E|x - y|^2 of two independent draws x and y from the batch.

    Written as 2 E|x - E x|^2, which needs all-reduced means alone.
    """
    flat = points.reshape(len(points), -1).astype(jnp.float32)
    mean = pmean(flat.mean(axis=0), axis_name)
    return 2.0 * pmean(((flat - mean[None]) ** 2).sum(axis=1).mean(), axis_name)


def means(metrics: Metrics) -> Metrics:
    """The mean of each metric over the steps of a scan."""
    return {name: values.mean() for name, values in metrics.items()}


def latent_error(found: Points, latents: Points, axis_name: AxisName = None) -> tuple[Scalar, Scalar]:
    """||z - found||^2, mean over the batch, and which share of the squares of z is found.

    The share is 1 for a perfect encoder, and 0 for one that gives zeros.
    """
    axes = tuple(range(1, latents.ndim))
    loss = ((latents - found) ** 2).sum(axes).mean()
    wrong, all_ = pmean((loss, (latents**2).sum(axes).mean()), axis_name)
    return loss, 1.0 - wrong / all_
