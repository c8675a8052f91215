import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import wgan
from jaxgen.losses.weights import clip_weights
from jaxgen.mode import Mode
from jaxgen.moving_averages import Exponential
from jaxgen.nets.initializers import Uniform
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Optimizer, RMSProp
from jaxgen.priors import Normal
from tests import contract
from tests.gans.games import UNREGULARIZED, WITH_BATCH_STATISTICS, assert_close, compiled, stepped, training

TINY = wgan.Config(
    image_shape=(4, 4, 1),
    prior=Normal(3),
    generator=Maxout((4,), 2, 0.0, 0.25, Uniform(0.5)),  # with dropout
    critic=MLP((4,), norm="batch", negative_slope=0.2),
    clip=1.5,  # above the first weights, so that a critic that does not learn stays as it is
    critic_steps=2,
    generator_optimizer=Optimizer(1e-3, RMSProp()),
    critic_optimizer=Optimizer(1e-3, RMSProp()),
    average=Exponential(0.15),
)
REAL = jax.random.uniform(jax.random.key(1), (8, 4, 4, 1))


class TestContract(contract.Suite):
    case = contract.Case(
        wgan,
        TINY,
        unreached=(
            "['critic']['Dense_0']['bias']",  # taken out by the mean of batch normalisation
            "['critic']['Dense_1']['bias']",  # a constant added to all scores cancels between real and fake
        ),
        inert=UNREGULARIZED,
        refused=WITH_BATCH_STATISTICS,
    )


def test_trained_weights_are_clipped_after_each_step_and_running_statistics_are_not():
    config = dataclasses.replace(TINY, clip=1e-3, critic_optimizer=Optimizer(1e-2, RMSProp()))
    new, _ = compiled(wgan.update, config)(TestContract.init(config), REAL, jax.random.key(0))
    largest = {name: np.abs(leaf).max() for name, leaf in contract.leaves(new.critic.params).items()}
    assert max(largest.values()) == np.float32(1e-3)
    for path, leaf in contract.leaves(new.critic.collections).items():
        assert leaf.max() > 0.1 or "mean" in path, path
    assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(new.generator.params)) > 0.01


def by_hand(config, state, batch, key):
    """The critic's and the generator's variables after an iteration, and the critic's losses."""
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    latents, mode = config.prior.draw(key_latents, 8), training(key_pass, 8)
    critic, losses = state.critic.variables, []
    for step in range(2):
        part = mode.with_keys(mode.keys[step::2])
        fake, _ = wgan.generate(config, state.generator.variables, latents[step::2], mode=part)
        inputs = batch[step::2], fake, part
        critic, loss, _ = stepped(critic, functools.partial(wgan.critic_loss, config), 0.1, *inputs)
        critic = {**critic, "params": jax.tree.map(lambda param: jnp.clip(param, -0.05, 0.05), critic["params"])}
        losses.append(loss)
    inputs = critic, config.prior.draw(key_generator, 4), training(key_generator_pass, 4)
    generator, *_ = stepped(state.generator.variables, functools.partial(wgan.generator_loss, config), 0.1, *inputs)
    return critic, generator, jnp.stack(losses)


def test_update_is_algorithm_1_done_by_hand():
    """Running statistics, too, are those of each minibatch in its turn."""
    config = contract.with_sgd(dataclasses.replace(TINY, clip=0.05), 0.1)
    state = TestContract.init(config)
    found, metrics = compiled(wgan.update, config)(state, REAL, jax.random.key(2))
    *wanted, losses = compiled(by_hand, config)(state, REAL, jax.random.key(2))
    assert_close([found.critic.variables, found.generator.variables], wanted)
    assert metrics["critic_loss"] == -metrics["wasserstein_estimate"] == pytest.approx(float(losses.mean()), rel=1e-4)


def test_a_linear_critic_ends_at_the_corner_that_tells_the_means_apart():
    """With weights in [-c, c] the best is c sign(difference of the means), and its gap c |difference|_1."""
    config = dataclasses.replace(TINY, critic=MLP(()), clip=0.01)
    variables = {"params": {"Dense_0": {"kernel": jnp.zeros((3, 1)), "bias": jnp.zeros(1)}}}
    inputs = jnp.array([[2.0, -1.0, 3.0]]), jnp.zeros((1, 3)), Mode(train=True)
    moved, *_ = stepped(variables, functools.partial(wgan.critic_loss, config), 1.0, *inputs)
    corner = {"params": clip_weights(moved["params"], config.clip)}
    loss, _ = wgan.critic_loss(config, corner, *inputs)
    assert loss == pytest.approx(-0.01 * 6.0, rel=1e-5)


def test_defaults_are_those_of_algorithm_1():
    config = wgan.Config()
    assert (config.clip, config.critic_steps) == (0.01, 5)
    assert config.generator_optimizer == config.critic_optimizer == Optimizer(5e-5, RMSProp())


@pytest.mark.parametrize(("setting", "value"), [("clip", 0.0), ("critic_steps", 0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})
