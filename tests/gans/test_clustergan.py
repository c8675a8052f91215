import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import clustergan
from jaxgen.gans.regularization import LatentConsistency, Regularization
from jaxgen.moving_averages import Exponential
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from tests import contract
from tests.gans.games import UNREGULARIZED, assert_close, compiled, stepped, training

TINY = clustergan.Config(
    image_shape=(4, 4, 1),
    num_clusters=3,
    noise_dim=2,
    generator=MLP((6,), norm="batch", affine=False),
    encoder=MLP((5,), negative_slope=0.2),
    critic=MLP((6,), negative_slope=0.2),
    critic_steps=2,
    noise_weight=2.0,
    class_weight=3.0,
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    encoder_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    critic_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
REAL = jax.random.uniform(jax.random.key(1), (12, 4, 4, 1))
LATENTS = TINY.prior.draw(jax.random.key(2), 6)
MODE = training(jax.random.key(3), 6)


class TestContract(contract.Suite):
    case = contract.Case(
        clustergan,
        TINY,
        inert=UNREGULARIZED,
        # The score of any image moves with it, and no gradient does.
        unreached=("['critic']['Dense_1']['bias']",),
    )


def test_a_latent_is_a_unit_vector_of_a_class_and_little_noise():
    latents = TINY.prior.draw(jax.random.key(0), 3_000)
    classes, noise = latents[:, :3], latents[:, 3:]
    assert set(np.unique(classes)) == {0.0, 1.0}
    np.testing.assert_allclose(classes.sum(axis=1), np.ones(3_000))
    np.testing.assert_allclose(classes.mean(axis=0), np.full(3, 1 / 3), atol=0.04)
    np.testing.assert_allclose(noise.std(axis=0), np.full(2, 0.1), rtol=0.1)


def test_an_encoder_that_finds_the_latent_pays_nothing_and_one_that_knows_nothing_the_log_of_the_clusters():
    exact = 100.0 * LATENTS[:, :3], LATENTS[:, 3:]
    loss, metrics = clustergan.cycle_value(TINY, exact, LATENTS)
    assert loss == pytest.approx(0.0, abs=1e-5) and metrics["noise_error"] == 0
    nothing = jnp.zeros((6, 3)), LATENTS[:, 3:] + 0.5
    loss, metrics = clustergan.cycle_value(TINY, nothing, LATENTS)
    assert metrics["class_loss"] == pytest.approx(np.log(3), rel=1e-5)
    assert loss == pytest.approx(2 * 0.25 + 3 * np.log(3), rel=1e-5)


def test_the_generator_pays_the_critic_and_both_cycles():
    state = TestContract.init()
    inputs = state.generator.variables, state.critic.variables, state.encoder.variables, LATENTS, MODE
    loss, (metrics, _) = clustergan.generator_loss(TINY, *inputs)
    fake, _ = clustergan.generate(TINY, state.generator.variables, LATENTS, mode=MODE)
    scores = TINY.critic.apply(state.critic.variables, fake, ())
    found, _ = clustergan.encode(TINY, state.encoder.variables, fake)
    cycle, _ = clustergan.cycle_value(TINY, found, LATENTS)
    assert metrics["generator_loss"] == pytest.approx(float(-scores.mean()), rel=1e-5)
    assert loss == pytest.approx(float(cycle - scores.mean()), rel=1e-5)
    paid, _ = clustergan.encoder_loss(TINY, state.encoder.variables, fake, LATENTS, MODE)
    assert paid == pytest.approx(float(cycle), rel=1e-5)


def by_hand(config, state, real, key):
    """The variables of all players after two steps of the critic, then one of the others from the same latents."""
    key_latents, key_mix, key_generator, key_pass, key_generator_pass = jax.random.split(key, 5)
    mode, latents = training(key_pass, 12), config.prior.draw(key_latents, 12)
    mix = jax.vmap(jax.random.uniform)(training(key_mix, 12).keys)
    critic = state.critic.variables
    for step in range(2):
        part = mode.with_keys(mode.keys[step::2])
        fake, _ = clustergan.generate(config, state.generator.variables, latents[step::2], mode=part)
        loss = functools.partial(clustergan.critic_loss, config)
        critic, *_ = stepped(critic, loss, 0.05, real[step::2], fake, mix[step::2], part)
    mode, latents = training(key_generator_pass, 6), config.prior.draw(key_generator, 6)
    fake, _ = clustergan.generate(config, state.generator.variables, latents, mode=mode)
    loss = functools.partial(clustergan.generator_loss, config)
    generator, *_ = stepped(state.generator.variables, loss, 0.05, critic, state.encoder.variables, latents, mode)
    loss = functools.partial(clustergan.encoder_loss, config)
    encoder, *_ = stepped(state.encoder.variables, loss, 0.05, fake, latents, mode)
    return generator, encoder, critic


def test_update_is_the_steps_of_all_players_written_out():
    config = contract.with_sgd(TINY, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, metrics = compiled(clustergan.update, config)(state, REAL, key)
    wanted = compiled(by_hand, config)(state, REAL, key)
    assert_close((found.generator.variables, found.encoder.variables, found.critic.variables), wanted)
    assert {"critic_loss", "class_loss", "noise_error", "encoder_loss", "diversity"} <= metrics.keys()


def test_codes_and_latents_are_what_the_encoder_finds():
    state = TestContract.init()
    outputs = TINY.encoder.apply(state.encoder.variables, REAL, (5,))
    predicted = clustergan.predict_codes(TINY, state, REAL)
    np.testing.assert_allclose(predicted.logits[0], outputs[:, :3], rtol=1e-5)
    assert predicted.mean.shape == predicted.logvar.shape == (12, 0)
    latents = clustergan.to_latents(TINY, state, REAL)
    np.testing.assert_allclose(latents[:, :3], jax.nn.softmax(outputs[:, :3]), rtol=1e-5)
    np.testing.assert_allclose(latents[:, 3:], outputs[:, 3:], rtol=1e-5)


def test_without_its_weight_the_noise_is_no_part_of_the_clusters():
    config = dataclasses.replace(TINY, noise_weight=0.0)
    latents = clustergan.to_latents(config, TestContract.init(), REAL)
    assert not latents[:, 3:].any() and latents[:, :3].all()


def test_samples_are_of_the_class_that_is_asked_for_or_of_all_in_turn():
    state, key = TestContract.init(), jax.random.key(5)
    labels = jnp.array([2, 0, 1, 2], jnp.int32)
    latents = TINY.codes.with_first_code(TINY.prior.draw(key, 4), labels)
    wanted = clustergan.from_latents(TINY, state, latents)
    np.testing.assert_allclose(clustergan.sample(TINY, state, key, 4, labels), wanted, rtol=1e-5)
    in_turn = clustergan.sample(TINY, state, key, 4)
    np.testing.assert_allclose(in_turn, clustergan.sample(TINY, state, key, 4, jnp.arange(4, dtype=jnp.int32) % 3))


def test_regularisation_reaches_both_players():
    latent = Regularization(latent=LatentConsistency(discriminator=5.0, generator=0.5, std=0.1))
    config = dataclasses.replace(TINY, regularization=latent)
    _, metrics = compiled(clustergan.update, config)(TestContract.init(config), REAL, jax.random.key(2))
    assert metrics["latent_consistency"] > 0 > metrics["latent_sensitivity"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("num_clusters", 1), ("noise_dim", 0), ("noise_std", 0.0), ("critic_steps", 0), ("class_weight", -1.0)],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})


def test_a_critic_with_batch_statistics_is_refused():
    with pytest.raises(ValueError, match="gradient penalty needs a critic"):
        clustergan.init(dataclasses.replace(TINY, critic=MLP((4,), norm="batch")), jax.random.key(0))
