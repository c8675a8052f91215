"""The variational bound of a denoiser with discrete steps, one draw of it for each image.

Ho, Jain, Abbeel, 2020, arXiv 2006.11239, equation 5: the sum of L_0, of L_t over the other steps and of L_T, where L_T
has no parameters. One step besides the first is drawn for each image and stands for all: the mean over many draws, or
over `shares` that are spread evenly over [0, 1), is the bound.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.conditions import classes_of
from jaxgen.diffusion.denoising import denoise
from jaxgen.diffusion.posterior import bound_term, log_variance, step_of
from jaxgen.diffusion.predictions import Prediction, along, corrupt, estimate
from jaxgen.images import scale
from jaxgen.losses import standard_normal_kl
from jaxgen.parallel import example_keys, split_key
from jaxgen.priors import normal_noise
from jaxgen.typing import Bound, Keys, PerExample, Points


def bound(config: Any, state: Any, batch: Any, key: Keys, shares: PerExample) -> Bound:
    """The parts of the bound for each image, by the moving average of the network.

    Args:
        config: settings; a network that predicts no variance has that of its sampler, the large one if it has none.
        state: of the model.
        batch: as in training.
        key: one key, or one for each image.
        shares: of each image, in [0, 1): which step is drawn.

    Raises:
        ValueError: a schedule in continuous time, or data without levels.
    """
    schedule = config.schedule
    require(schedule.discrete, "schedule", schedule, "discrete, such as LinearBetas(), for this bound")
    data = scale(batch.images if config.num_classes else batch, config.value_range)
    num, numbers = len(data), data[0].size
    classes = classes_of(config, batch.labels if config.num_classes else None, num)

    def term(times: PerExample, keys: Keys) -> PerExample:
        noise = normal_noise(data.shape[1:], keys, num)
        noisy = corrupt(schedule.level(times), data, noise)
        prediction, _ = denoise(config, state.ema, noisy, times, classes)
        found = estimate(prediction, schedule.level(times), noisy)
        predicted = found.data, _log_variance(config, prediction, times, data)
        bits = bound_term(schedule, times, data, noisy, predicted, config.value_range)
        return numbers * math.log(2.0) * bits

    first, drawn = split_key(example_keys(key, num))
    others = int(schedule.start)
    times = 1.0 + jnp.floor(shares * others)
    end = schedule.level(jnp.full((num,), schedule.start, jnp.float32))
    logvar = jnp.broadcast_to(along(2.0 * jnp.log(end.sigma), data), data.shape)
    prior = standard_normal_kl(along(end.alpha, data) * data, logvar)
    return Bound(term(jnp.zeros((num,)), first), others * term(times, drawn), prior)


def _log_variance(config: Any, prediction: Prediction, times: PerExample, data: Points) -> jax.Array:
    step = step_of(config.schedule, times)
    if prediction.variance is not None:
        return log_variance(step, prediction.variance)
    small = getattr(config.sampler, "variance", "large") == "small"
    return jnp.broadcast_to(along(step.log_small if small else step.log_large, data), data.shape)
