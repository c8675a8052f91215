import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion import score_sde
from jaxgen.diffusion.denoising import Examples
from jaxgen.diffusion.guidance import ClassifierFree, NoGuidance
from jaxgen.diffusion.predictions import V
from jaxgen.diffusion.samplers import PredictorCorrector
from jaxgen.diffusion.schedules import VE, VP, SubVP
from jaxgen.mode import EVALUATION
from jaxgen.moving_averages import Constant
from jaxgen.optimizers import Adam, Optimizer
from tests import contract
from tests.diffusion.networks import BEFORE_BATCH_NORM, Tiny

TINY = score_sde.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    denoiser=Tiny(),
    schedule=SubVP(end=1e-3),
    likelihood_weighting=True,
    sampler=PredictorCorrector(3, 1),
    guidance=ClassifierFree(2.0),
    optimizer=Optimizer(1e-3, Adam()),
    average=Constant(0.5),
)


# Weights of up to 2,000 make gradients whose rounding passes the bound of the laws over devices for 2 of 40 keys, on
# one processor and not on another; the law of weights over devices stands below.
EVEN = dataclasses.replace(TINY, likelihood_weighting=False)


class TestContract(contract.Suite):
    case = contract.Case(score_sde, EVEN, unreached=BEFORE_BATCH_NORM)


def test_shares_of_a_batch_have_the_weighted_loss_and_gradient_of_the_whole():
    """To 1e-5 of the gradient's length."""
    config = dataclasses.replace(TINY, num_classes=0, guidance=NoGuidance(), denoiser=Tiny(norm="none"))
    variables = jax.jit(lambda: score_sde.init(config, jax.random.key(0)).ema)()
    data, noise = jax.random.normal(jax.random.key(1), (2, 8, 4, 4, 1))
    examples = Examples(data, noise, jnp.linspace(1e-3, 1.0, 8), None)

    def slopes(data, noise, times):
        def loss(params):
            return score_sde.score_loss(config, {"params": params}, Examples(data, noise, times, None), EVALUATION)[0]

        return jax.grad(loss)(variables["params"])

    whole = jax.jit(slopes)(*examples[:3])
    shares = jax.jit(jax.vmap(slopes))(*(part.reshape(4, 2, *part.shape[1:]) for part in examples[:3]))
    for one, of_shares in zip(*map(jax.tree.leaves, (whole, shares)), strict=True):
        np.testing.assert_allclose(of_shares.mean(0), one, atol=1e-5 * float(jnp.linalg.norm(one)))
        assert jnp.linalg.norm(one) > 1.0


def weights(schedule, times):
    """g^2 / sigma^2, as the paper has g in table 1."""
    beta = 0.1 + 19.9 * times
    match schedule:
        case SubVP():
            return beta * (1 - np.exp(-0.2 * times - 19.9 * times**2)) / schedule.level(times).sigma ** 2
        case VP():
            return beta / schedule.level(times).sigma ** 2
    return np.full_like(times, 2 * np.log(schedule.most / schedule.least))


@pytest.mark.parametrize("schedule", [VP(end=1e-5), SubVP(end=1e-5), VE()], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("prediction", [score_sde.Noise(), V()], ids=str)
def test_the_loss_is_equation_7_with_either_weight(schedule, prediction):
    """sigma^2 |s + epsilon / sigma|^2, or g^2 of it, the mean over numbers: with s the network's own."""
    config = dataclasses.replace(
        TINY, num_classes=0, guidance=NoGuidance(), schedule=schedule, prediction=prediction, likelihood_weighting=False
    )
    state, times = score_sde.init(config, jax.random.key(0)), jnp.array([0.1, 0.4, 0.9])
    data, noise = jax.random.normal(jax.random.key(1), (2, 3, 4, 4, 1))
    alpha, sigma = (part[:, None, None, None] for part in schedule.level(times))
    noisy = alpha * data + sigma * noise
    outputs = config.denoiser.apply(state.ema, noisy, schedule.label(times), None, (4, 4, 1))
    if isinstance(prediction, V):  # (alpha^2 + sigma^2) epsilon = sigma x + alpha sqrt(alpha^2 + sigma^2) v
        length = jnp.sqrt(alpha**2 + sigma**2)
        outputs = (sigma * noisy + alpha * length * outputs) / length**2
    errors = np.asarray(((noise - outputs) ** 2).mean((1, 2, 3)), np.float64)
    for weighted, factors in ((False, 1.0), (True, weights(schedule, np.asarray(times, np.float64)))):
        chosen = dataclasses.replace(config, likelihood_weighting=weighted)
        found, _ = score_sde.score_loss(chosen, state.ema, Examples(data, noise, times, None), EVALUATION)
        np.testing.assert_allclose(found, (factors * errors).mean(), rtol=1e-3)
