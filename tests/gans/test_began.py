import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import began
from jaxgen.gans.diagnostics import diversity
from jaxgen.moving_averages import Exponential
from jaxgen.nets.began import BEGANAutoencoder, BEGANDecoder
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform
from tests import contract
from tests.gans.games import assert_close, compiled, stepped, training

TINY = began.Config(
    image_shape=(4, 4, 1),
    prior=Uniform(3),
    generator=MLP((6,), negative_slope=0.2),
    discriminator=MLP((6,), negative_slope=0.2),
    diversity_ratio=0.9,
    balance_rate=0.5,
    generator_optimizer=Optimizer(1e-3, Adam()),
    discriminator_optimizer=Optimizer(1e-3, Adam()),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
REAL = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1), minval=-1.0)


class TestContract(contract.Suite):
    case = contract.Case(
        began,
        # Networks whose passes depend on the other devices' examples, and on the keys of each.
        dataclasses.replace(
            TINY, generator=MLP((6,), norm="batch"), discriminator=InstanceNoise(MLP((6,), negative_slope=0.2), 0.1)
        ),
        unreached=("['generator']['Dense_0']['bias']",),
    )


@pytest.mark.exhaustive
class TestConvolutionalContract(contract.Suite):
    case = contract.Case(
        began,
        dataclasses.replace(
            TINY, image_shape=(12, 12, 1), generator=BEGANDecoder(2), discriminator=BEGANAutoencoder(2, 3)
        ),
    )


def losses(state, balance, config=TINY):
    fake, mode = -REAL[::-1], training(jax.random.key(0), 6)
    loss = began.discriminator_loss(config, state.discriminator.variables, REAL, fake, jnp.float32(balance), mode)
    errors = [began.errors(config, state.discriminator.variables, points)[0] for points in (REAL, fake)]
    return loss[0], loss[1][0], [float(each.mean()) for each in errors]


def test_the_discriminator_is_an_autoencoder_that_takes_k_of_the_fakes_away():
    state = TestContract.init(TINY)
    loss, metrics, (real, fake) = losses(state, 0.3)
    assert loss == metrics["discriminator_loss"] == pytest.approx(real - 0.3 * fake, rel=1e-4)
    assert (metrics["real_error"], metrics["fake_error"]) == pytest.approx((real, fake), rel=1e-5)
    assert losses(state, 0.0)[0] == pytest.approx(real, rel=1e-6)
    outputs = TINY.discriminator.apply(state.discriminator.variables, REAL, (4, 4, 1))
    np.testing.assert_allclose(
        began.discriminate(TINY, state, REAL), np.abs(outputs - REAL).reshape(6, -1).mean(1), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("balance", "real", "fake", "wanted"),
    [
        (0.1, 0.5, 0.3, 0.09995),  # the known example, at a rate of 0.001 and a ratio of 0.5
        (0.1, 0.5, 0.25, 0.1),  # the equilibrium, L(G) = gamma L(x), is where k stays
        (0.1, 0.5, 0.2, 0.10005),  # fakes that are too easy raise it
        (0.0, 0.5, 0.9, 0.0),  # and it stays in [0, 1]
        (1.0, 2.0, 0.0, 1.0),
    ],
)
def test_k_moves_towards_the_equilibrium_and_m_says_how_far_it_is(balance, real, fake, wanted):
    config = dataclasses.replace(TINY, diversity_ratio=0.5, balance_rate=0.001)
    k, m = began.rebalanced(config, *(jnp.float32(each) for each in (balance, real, fake)))
    assert k == pytest.approx(wanted, abs=1e-7)
    assert m == pytest.approx(real + abs(0.5 * real - fake), rel=1e-6)


def by_hand(config, state, real, key):
    """Both players' variables and k after an update with k above 0."""
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    mode = training(key_pass, 6)
    fake, _ = began.generate(config, state.generator.variables, config.prior.draw(key_latents, 6), mode)
    loss = functools.partial(began.discriminator_loss, config)
    discriminator, *_ = stepped(state.discriminator.variables, loss, 0.05, real, fake, state.balance, mode)
    inputs = discriminator, config.prior.draw(key_generator, 6), training(key_generator_pass, 6)
    generator, fake_error, _ = stepped(
        state.generator.variables, functools.partial(began.generator_loss, config), 0.05, *inputs
    )
    real_error = began.errors(config, state.discriminator.variables, real)[0].mean()
    return discriminator, generator, state.balance + 0.5 * (0.9 * real_error - fake_error)


def test_update_is_a_step_of_each_player_and_of_k_written_out():
    config = contract.with_sgd(TINY, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    assert state.balance == 0
    state = state._replace(balance=jnp.float32(0.4))
    found, metrics = compiled(began.update, config)(state, REAL, key)
    *wanted, balance = compiled(by_hand, config)(state, REAL, key)
    assert_close([found.discriminator.variables, found.generator.variables], wanted)
    assert found.balance == metrics["balance"] == pytest.approx(float(balance), rel=1e-5)
    assert metrics["convergence"] >= metrics["real_error"]
    latents = config.prior.draw(jax.random.split(key, 4)[0], 6)
    fake, _ = began.generate(config, state.generator.variables, latents, training(key, 6))
    assert metrics["diversity"] == pytest.approx(float(diversity(REAL, fake)["diversity"]), rel=1e-4)
    assert {"discriminator_loss", "generator_loss"} <= metrics.keys()


def test_with_k_of_zero_the_discriminators_step_does_not_see_the_fakes():
    def slope(fake):
        loss = functools.partial(began.discriminator_loss, TINY)
        inputs = REAL, fake, jnp.float32(0.0), training(jax.random.key(0), 6)
        return jax.grad(lambda params: loss({"params": params}, *inputs)[0])(state.discriminator.params)

    state = TestContract.init(TINY)
    assert_close(slope(REAL), slope(-REAL), atol=0)


def test_samples_are_clipped_and_the_game_sees_them_without_bounds():
    state = TestContract.init(TINY)
    wide = jax.tree.map(lambda leaf: 50 * leaf, state.generator.variables)
    latents = TINY.prior.draw(jax.random.key(4), 20)
    free, _ = began.generate(TINY, wide, latents)
    assert jnp.abs(free).max() > 1
    images = began.from_latents(TINY, state._replace(ema=wide), latents)
    np.testing.assert_array_equal(images, free.clip(-1.0, 1.0))
    unbounded = dataclasses.replace(TINY, value_range=None)
    np.testing.assert_array_equal(began.from_latents(unbounded, state._replace(ema=wide), latents), free)


@pytest.mark.parametrize(
    ("setting", "value"), [("diversity_ratio", 0.0), ("diversity_ratio", 1.1), ("balance_rate", 0.0)]
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})


def test_an_equal_share_may_be_asked_for():
    assert dataclasses.replace(TINY, diversity_ratio=1.0).diversity_ratio == 1.0
