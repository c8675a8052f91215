import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import bgan
from jaxgen.gans.diagnostics import diversity
from jaxgen.moving_averages import Exponential
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract
from tests.gans.games import assert_close, compiled, stepped, training

TINY = bgan.Config(
    image_shape=(4, 4, 1),
    value_range=(-1.0, 1.0),
    prior=Normal(3),
    draws=5,
    generator=MLP((6,), norm="batch"),
    discriminator=MLP((6,), negative_slope=0.2),
    generator_optimizer=Optimizer(1e-3, Adam()),
    discriminator_optimizer=Optimizer(1e-3, Adam()),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
GREY = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1), minval=-1.0)
MODE = training(jax.random.key(3), 6)


class TestContract(contract.Suite):
    case = contract.Case(
        bgan,
        dataclasses.replace(TINY, discriminator=InstanceNoise(TINY.discriminator, 0.1)),  # keys of all passes count
        # A constant before batch normalisation is taken out by its mean.
        unreached=("['generator']['Dense_0']['bias']",),
    )


def test_draws_are_white_as_often_as_the_generator_says():
    logits = jnp.broadcast_to(jnp.array([-1.0, 0.0, 2.0, 40.0]).reshape(1, 2, 2, 1), (6, 2, 2, 1))
    pixels = bgan.drawn(logits, 4_000, MODE)
    assert pixels.shape == (6, 4_000, 2, 2, 1) and set(np.unique(pixels)) == {0.0, 1.0}
    np.testing.assert_allclose(pixels.mean((0, 1)), jax.nn.sigmoid(logits[0]), atol=0.01)
    assert len(np.unique(pixels[:, :20].reshape(6, -1), axis=0)) == 6  # keys of each example
    assert not np.asarray(jax.grad(lambda logits: bgan.drawn(logits, 2, MODE).sum())(logits)).any()


def test_grey_levels_of_data_are_probabilities():
    grey = jnp.broadcast_to(jnp.array([-1.0, -0.5, 0.0, 1.0]).reshape(1, 2, 2, 1), (4_000, 2, 2, 1))
    found = bgan.binary(TINY, grey, training(jax.random.key(0), 4_000))
    np.testing.assert_allclose(found.mean(0), (grey[0] + 1) / 2, atol=0.02)
    np.testing.assert_array_equal(bgan.black_and_white(TINY, found), 2 * found - 1)


def test_the_generator_follows_a_policy_gradient_of_the_draws_by_their_weights():
    """Written out for each latent and each draw: -sum_m w_m log g(x_m|z)."""
    state = TestContract.init(TINY)
    generator, discriminator = state.generator.variables, state.discriminator.variables
    latents = TINY.prior.draw(jax.random.key(2), 6)
    loss, (metrics, after) = compiled(bgan.generator_loss, TINY)(generator, discriminator, latents, MODE)
    logits, wanted = bgan.pixel_logits(TINY, generator, latents, MODE)
    assert_close(after, wanted)
    pixels, logits, losses, counts = np.asarray(bgan.drawn(logits, 5, MODE), np.float64), np.asarray(logits), [], []
    for of_latent, logit in zip(pixels, logits, strict=True):
        scores = np.array(TINY.discriminator.apply(discriminator, 2 * jnp.asarray(of_latent, jnp.float32) - 1, ()))
        weights = np.exp(scores) / np.exp(scores).sum()
        likely = (of_latent * -np.logaddexp(0, -logit) + (1 - of_latent) * -np.logaddexp(0, logit)).sum((1, 2, 3))
        losses.append(-(weights * likely).sum())
        counts.append(1 / (weights**2).sum())
    assert loss == metrics["generator_loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert metrics["draws_that_count"] == pytest.approx(np.mean(counts), rel=1e-5)


def test_a_discriminator_that_knows_nothing_weighs_all_draws_alike():
    state = TestContract.init(TINY)
    blind = jax.tree.map(jnp.zeros_like, state.discriminator.variables)
    latents = TINY.prior.draw(jax.random.key(2), 6)
    found = bgan.generator_loss(TINY, state.generator.variables, blind, latents, MODE)[1][0]
    assert found["draws_that_count"] == pytest.approx(5.0, rel=1e-6)


def test_weighted_draws_are_draws_of_the_data():
    """With l = log p / q, whose weights make q to p, the game of one pixel finds the data's share of white."""
    share, logit = 0.8, jnp.zeros((64, 1, 1, 1))

    def slope(logit, key):
        white = jax.nn.sigmoid(logit[0, 0, 0, 0])
        ratio = jnp.log(jnp.array([(1 - share) / (1 - white), share / white]))

        def loss(logit):
            pixels = bgan.drawn(logit, 200, training(key, 64))
            chances = jnp.where(pixels == 1, jax.nn.log_sigmoid(logit)[:, None], jax.nn.log_sigmoid(-logit)[:, None])
            scores = ratio[pixels.astype(int)].reshape(64, 200)
            return bgan.boundary_seeking_policy(chances.reshape(64, 200), scores).mean()

        return jax.grad(loss)(logit).sum()

    step = jax.jit(lambda logit, key: logit - 2.0 * slope(logit, key))
    for key in jax.random.split(jax.random.key(0), 60):
        logit = step(logit, key)
    assert jax.nn.sigmoid(logit[0, 0, 0, 0]) == pytest.approx(share, abs=0.02)


def by_hand(config, state, grey, key):
    """Both players' variables after a step of D, then one of G, each with latents of its own."""
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    mode, latents = training(key_pass, 6), config.prior.draw(key_latents, 6)
    real = 2 * bgan.binary(config, grey, mode) - 1
    logits, _ = bgan.pixel_logits(config, state.generator.variables, latents, mode)
    fake = 2 * bgan.drawn(logits, 1, mode)[:, 0] - 1
    loss = functools.partial(bgan.discriminator_loss, config)
    discriminator, *_ = stepped(state.discriminator.variables, loss, 0.05, real, fake, mode)
    inputs = discriminator, config.prior.draw(key_generator, 6), training(key_generator_pass, 6)
    loss = functools.partial(bgan.generator_loss, config)
    generator = stepped(state.generator.variables, loss, 0.05, *inputs)[0]
    return (discriminator, generator), diversity(real, fake)["diversity"]


def test_update_is_a_step_of_each_player_written_out():
    config = contract.with_sgd(TINY, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, metrics = compiled(bgan.update, config)(state, GREY, key)
    wanted, different = compiled(by_hand, config)(state, GREY, key)
    assert_close((found.discriminator.variables, found.generator.variables), wanted)
    assert metrics["diversity"] == pytest.approx(float(different), rel=1e-5)
    assert {"discriminator_loss", "generator_loss", "draws_that_count", "real_certainty"} <= metrics.keys()


def test_the_discriminator_tells_data_from_draws_by_their_logits():
    state = TestContract.init(TINY)
    real, fake = jnp.sign(GREY), -jnp.sign(GREY)
    loss, _ = bgan.discriminator_loss(TINY, state.discriminator.variables, real, fake, MODE)
    scores = [bgan.discriminate(TINY, state, points) for points in (real, fake)]
    wanted = jax.nn.softplus(-scores[0]).mean() + jax.nn.softplus(scores[1]).mean()
    assert loss == pytest.approx(float(wanted), rel=1e-5)


def test_an_image_of_latents_is_the_most_probable_one():
    state = TestContract.init(TINY)
    latents = TINY.prior.draw(jax.random.key(4), 20)
    logits, _ = bgan.pixel_logits(TINY, state.ema, latents)
    np.testing.assert_array_equal(bgan.from_latents(TINY, state, latents), np.where(logits > 0, 1.0, -1.0))


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [("value_range", None, "value_range is None, but must be two numbers"), ("draws", 0, "draws is 0, but must be")],
)
def test_settings_out_of_range_are_refused(setting, value, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TINY, **{setting: value})
