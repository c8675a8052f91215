"""The shared game of WGAN-GP, for a critic whose slope is known; its models' own tests hold the steps."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.critic_game import Game, critic_steps, critic_value, generator_value
from jaxgen.gans.networks import create_with_critic, scorer
from jaxgen.gans.regularization import Regularization
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.priors import Normal
from tests.gans.games import training

WEIGHTS = jnp.array([3.0, -4.0])  # of length 5
REAL, FAKE = jax.random.normal(jax.random.key(0), (2, 6, 2))
MIX, MODE = jax.random.uniform(jax.random.key(1), (6,)), training(jax.random.key(2), 6)
CONFIG = SimpleNamespace(
    image_shape=(2,),
    value_range=None,
    prior=Normal(3),
    generator=MLP(()),
    critic=MLP((), affine=False),
    penalty_weight=2.0,
    one_sided=False,
    critic_steps=3,
    regularization=Regularization(),
    generator_optimizer=Optimizer(0.1, SGD()),
    critic_optimizer=Optimizer(0.1, SGD()),
)


def linear(variables, points, mode):
    """A score of slope 5 and two further outputs, or the score alone."""
    scores = variables["scale"] * points @ WEIGHTS
    return ((scores, points) if variables["heads"] else scores), variables


@pytest.mark.parametrize("heads", [True, False])
def test_a_critic_pays_the_difference_of_scores_and_its_slope_wherever_it_is_taken(heads):
    variables = {"scale": jnp.float32(2.0), "heads": heads}
    outputs, (loss, (metrics, after)) = critic_value(CONFIG, linear, variables, (REAL, FAKE, MIX), MODE)
    difference = float((2 * (FAKE - REAL) @ WEIGHTS).mean())
    assert metrics["wasserstein_estimate"] == pytest.approx(-difference, rel=1e-5)
    assert metrics["gradient_penalty"] == pytest.approx((10 - 1) ** 2, rel=1e-5)
    assert loss == metrics["critic_loss"] == pytest.approx(difference + 2 * 81, rel=1e-5)
    assert after == variables
    if heads:
        np.testing.assert_array_equal(outputs[1][1], FAKE)


def test_a_generator_pays_minus_the_score_of_its_fakes():
    state = create_with_critic(CONFIG, jax.random.key(3))
    inputs = state.generator.variables, state.critic.variables, jnp.ones((6, 3)), FAKE, MODE
    loss, metrics = generator_value(CONFIG, *inputs)
    wanted = -CONFIG.critic.apply(state.critic.variables, FAKE, ()).mean()
    assert loss == metrics["generator_loss"] == pytest.approx(float(wanted), rel=1e-5)


def test_a_critic_steps_once_for_each_minibatch_and_logs_the_mean():
    state, seen = create_with_critic(CONFIG, jax.random.key(3)), []

    def loss(config, variables, real, fake, mix, mode):
        seen.append((real.shape, fake.shape, mix.shape, mode.keys.shape))
        value = real.mean() * variables["params"]["Dense_0"]["kernel"].sum()
        return value, ({"critic_loss": real.mean()}, variables)

    batch = jnp.arange(12.0).reshape(6, 2)
    keys, game = tuple(jax.random.split(jax.random.key(4), 3)), Game(scorer(CONFIG.critic), loss)
    critic, metrics = critic_steps(CONFIG, state, batch, keys, game, None)
    assert seen[0] == ((2, 2), (2, 2), (2,), (2,)) and critic.step == 3
    moved = critic.params["Dense_0"]["kernel"] - state.critic.params["Dense_0"]["kernel"]
    np.testing.assert_allclose(moved, np.full((2, 1), -0.1 * 3 * 5.5), rtol=1e-5)  # the mean of all is 5.5
    assert metrics["critic_loss"] == pytest.approx(5.5) and "diversity" in metrics
