import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import discrimination, wgan
from jaxgen.nets.courses.lanham import LanhamCritic
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Optimizer, RMSProp
from jaxgen.priors import Normal
from tests import contract

TINY = wgan.Config(
    image_shape=(8, 8, 1),
    prior=Normal(3),
    generator=MLP((8,)),
    critic=LanhamCritic(2),
    clip=1.5,  # above the first weights, so that a critic that does not learn stays as it is
    critic_steps=2,
    generator_optimizer=Optimizer(1e-3, RMSProp()),
    critic_optimizer=Optimizer(1e-3, RMSProp()),
    ema_decay=0.15,
)


class TestContract(contract.Suite):
    case = contract.Case(
        wgan,
        TINY,
        unreached=(
            # A constant before batch normalisation is taken out by its mean, unless zeros are put beside it (Conv_1).
            "['critic']['Conv_2']['bias']",
            "['critic']['Conv_3']['bias']",
            # A constant added to all scores cancels between real and fake.
            "['critic']['Dense_0']['bias']",
        ),
    )


def test_trained_weights_are_clipped_after_each_step_and_running_statistics_are_not():
    config = dataclasses.replace(TINY, clip=1e-3, critic_optimizer=Optimizer(1e-2, RMSProp()))
    batch = jax.random.uniform(jax.random.key(1), (16, 8, 8, 1))
    state = TestContract.init(config)
    new, _ = jax.jit(functools.partial(wgan.update, config))(state, batch, jax.random.key(0))
    largest = {name: np.abs(leaf).max() for name, leaf in contract.leaves(new.critic.params).items()}
    assert max(largest.values()) == np.float32(1e-3)
    for path, leaf in contract.leaves(new.critic.collections).items():
        assert leaf.max() > 0.1 or "mean" in path, path
    assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(new.generator.params)) > 0.01


@functools.partial(jax.jit, static_argnums=0)
def by_hand(config, state, batch, key):
    """The critic's and the generator's weights after an iteration, and the critic's losses."""
    key_latents, _, key_generator, _ = jax.random.split(key, 4)
    latents, none = wgan.draw_latents(config, key_latents, 8), discrimination.Chance(None, None, None, None, None)
    generator, critic, losses = state.generator, state.critic, []
    for step in range(2):
        fake, _ = wgan.generate(config, generator.params, {}, latents[step::2], train=True)
        (loss, _), grads = jax.value_and_grad(lambda p, *args: wgan.critic_loss(config, p, {}, *args), has_aux=True)(
            critic.params, batch[step::2], fake, none
        )
        losses.append(loss)
        params = jax.tree.map(lambda p, g: jnp.clip(p - 0.1 * g, -0.05, 0.05), critic.params, grads)
        critic = critic.replace(params=params)
    z = wgan.draw_latents(config, key_generator, 4)
    grads, _ = jax.grad(lambda p: wgan.generator_loss(config, p, {}, critic, z, none), has_aux=True)(generator.params)
    params = jax.tree.map(lambda p, g: p - 0.1 * g, generator.params, grads)
    return critic.params, params, jnp.stack(losses)


def test_update_is_algorithm_1_done_by_hand():
    config = contract.with_sgd(dataclasses.replace(TINY, critic=MLP((4,)), clip=0.05), 0.1)
    state = TestContract.init(config)
    batch = jax.random.uniform(jax.random.key(1), (8, 8, 8, 1))
    found, metrics = jax.jit(functools.partial(wgan.update, config))(state, batch, jax.random.key(2))

    *weights, losses = by_hand(config, state, batch, jax.random.key(2))
    for name, wanted in zip(("critic", "generator"), weights, strict=True):
        for path, leaf in contract.leaves(wanted).items():
            np.testing.assert_allclose(
                leaf, contract.leaves(getattr(found, name).params)[path], atol=1e-6, err_msg=path
            )
    assert metrics["critic_loss"] == -metrics["wasserstein_estimate"] == pytest.approx(float(losses.mean()), rel=1e-4)


def test_a_linear_critic_ends_at_the_corner_that_tells_the_means_apart():
    """With weights in [-c, c] the best is c sign(difference of the means), and its gap c |difference|_1."""
    config = contract.with_sgd(dataclasses.replace(TINY, critic=MLP(()), clip=0.01), 1.0)
    params = {"Dense_0": {"kernel": jnp.zeros((3, 1)), "bias": jnp.zeros(1)}}
    real, fake = jnp.array([[2.0, -1.0, 3.0]]), jnp.zeros((1, 3))
    luck = discrimination.Chance(None, None, None, None, None)
    grads = jax.grad(lambda p: wgan.critic_loss(config, p, {}, real, fake, luck)[0])(params)
    params = wgan.clip_weights(jax.tree.map(lambda p, g: p - g, params, grads), config.clip)
    loss, _ = wgan.critic_loss(config, params, {}, real, fake, luck)
    assert loss == pytest.approx(-0.01 * 6.0, rel=1e-5)


def test_defaults_are_those_of_algorithm_1():
    config = wgan.Config()
    assert (config.clip, config.critic_steps) == (0.01, 5)
    assert config.generator_optimizer == config.critic_optimizer == Optimizer(5e-5, RMSProp())


@pytest.mark.parametrize(("setting", "value"), [("clip", 0.0), ("critic_steps", 0), ("ema_decay", 1.0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})
