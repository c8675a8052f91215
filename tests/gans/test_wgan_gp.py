import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import wgan_gp
from jaxgen.mode import EVALUATION, Mode
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.nets.mlp import MLP
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import SGD, Adam, Optimizer
from tests import contract
from tests.gans.games import UNREGULARIZED, assert_close, compiled, count, stepped, training

TINY = wgan_gp.Config(
    image_shape=(4, 4, 1),
    latent_dim=3,
    generator=MLP((6,), norm="batch"),
    critic=MLP((6,), negative_slope=0.2),
    critic_steps=2,
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
    critic_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)


class TestContract(contract.OverDevices):
    case = contract.Case(
        wgan_gp,
        TINY,
        unreached=(
            # A constant added to the critic cancels between real and fake and has no slope.
            "['critic']['Dense_1']['bias']",
            # A constant before batch normalisation is taken out by its mean.
            "['generator']['Dense_0']['bias']",
        ),
        inert=UNREGULARIZED,
    )


@pytest.mark.exhaustive
class TestConvolutionalContract(contract.Suite):
    case = contract.Case(
        wgan_gp,
        dataclasses.replace(
            TINY, image_shape=(8, 8, 1), generator=ConvGenerator(2), critic=ConvCritic(2, norm="layer")
        ),
        unreached=(
            # As above; and layer normalisation takes out no single bias, only their mean.
            "['critic']['Dense_0']['bias']",
        ),
        inert=UNREGULARIZED,
    )


TRAINING = Mode(train=True)


def parts(config=TINY, num=6):
    state = TestContract.init(config)
    real = jax.random.uniform(jax.random.key(1), (num, *config.image_shape), minval=-1.0)
    fake = jax.random.uniform(jax.random.key(2), (num, *config.image_shape), minval=-1.0)
    return state, real, fake, jax.random.uniform(jax.random.key(3), (num,))


def test_critic_loss_is_equation_3_written_out_in_numpy():
    """A linear critic, whose slope is its weight vector everywhere."""
    config = dataclasses.replace(TINY, critic=MLP(()))
    state, *inputs = parts(config)
    weight = np.asarray(state.critic.params["Dense_0"]["kernel"])[:, 0].astype(np.float64)
    real_mean, fake_mean = (np.asarray(x, np.float64).reshape(6, -1).mean(0) for x in inputs[:2])
    wanted = weight @ (fake_mean - real_mean) + 10.0 * (np.linalg.norm(weight) - 1.0) ** 2
    loss, (metrics, _) = wgan_gp.critic_loss(config, state.critic.variables, *inputs, TRAINING)
    assert loss == metrics["critic_loss"] == pytest.approx(wanted, rel=1e-5)
    assert metrics["wasserstein_estimate"] == pytest.approx(weight @ (real_mean - fake_mean), rel=1e-5)
    real, fake = (wgan_gp.discriminate(config, state, points).mean() for points in inputs[:2])
    assert real - fake == pytest.approx(weight @ (real_mean - fake_mean), rel=1e-5)


def test_penalty_is_taken_between_real_and_fake():
    """D(x) = |x|^2 / 2 has slope |x|: with eps = 1 that of the real image, with eps = 0 that of the fake."""

    class Bowl(nn.Module):
        @nn.compact
        def __call__(self, images, output_shape, *, mode=EVALUATION):
            scale = self.param("scale", nn.initializers.ones, ())
            return scale * 0.5 * (images**2).reshape(len(images), -1).sum(1)

    config = dataclasses.replace(TINY, critic=Bowl())
    state, real, fake, mix = parts(config)
    for eps, points in ((1.0, real), (0.0, fake)):
        inputs = real, fake, jnp.full_like(mix, eps), TRAINING
        _, (metrics, _) = wgan_gp.critic_loss(config, state.critic.variables, *inputs)
        norms = np.linalg.norm(np.asarray(points).reshape(6, -1), axis=1)
        assert metrics["gradient_penalty"] == pytest.approx(((norms - 1) ** 2).mean(), rel=1e-5)


def test_generator_loss_is_minus_the_critics_mean_score_of_what_it_draws():
    config = dataclasses.replace(TINY, critic=MLP(()))
    state, *_ = parts(config)
    latents = jax.random.normal(jax.random.key(4), (6, config.latent_dim))
    loss, (metrics, _) = wgan_gp.generator_loss(
        config, state.generator.variables, state.critic.variables, latents, TRAINING
    )
    images, _ = wgan_gp.generate(config, state.generator.variables, latents, mode=TRAINING)
    layer = jax.device_get(state.critic.params["Dense_0"])
    wanted = -(np.asarray(images).reshape(6, -1) @ layer["kernel"] + layer["bias"]).mean()
    assert loss == metrics["generator_loss"] == pytest.approx(wanted, rel=1e-5)


def test_one_small_step_lowers_each_players_own_loss():
    state, *images = parts()
    latents = jax.random.normal(jax.random.key(4), (6, TINY.latent_dim))
    losses = {
        "critic": (wgan_gp.critic_loss, *images),
        "generator": (wgan_gp.generator_loss, state.critic.variables, latents),
    }
    for name, (loss, *inputs) in losses.items():
        step = compiled(functools.partial(descended, loss), TINY)
        before, after = step(getattr(state, name).variables, *inputs)
        assert after < before, name


def descended(loss, config, variables, *inputs):
    """The loss before a small step and after it."""
    value = functools.partial(loss, config)
    after, before, _ = stepped(variables, value, 1e-3, *inputs, TRAINING)
    return before, value(after, *inputs, TRAINING)[0]


def by_hand(config, state, batch, key):
    """The critic's and the generator's variables after an iteration of three critic steps."""
    key_latents, key_mix, key_generator, key_pass, key_generator_pass = jax.random.split(key, 5)
    latents, mode = config.prior.draw(key_latents, 12), training(key_pass, 12)
    mix = jax.vmap(lambda i: jax.random.uniform(jax.random.fold_in(key_mix, i)))(jnp.arange(12))
    critic = state.critic.variables
    for step in range(3):
        part = mode.with_keys(mode.keys[step::3])
        fake, _ = wgan_gp.generate(config, state.generator.variables, latents[step::3], mode=part)
        inputs = batch[step::3], fake, mix[step::3], part
        critic, *_ = stepped(critic, functools.partial(wgan_gp.critic_loss, config), 0.05, *inputs)
    inputs = critic, config.prior.draw(key_generator, 4), training(key_generator_pass, 4)
    loss = functools.partial(wgan_gp.generator_loss, config)
    return critic, stepped(state.generator.variables, loss, 0.05, *inputs)[0]


@pytest.mark.parametrize("critic", [TINY.critic, Spectral(MLP((4,)))], ids=["plain", "spectral"])
def test_update_is_algorithm_1_done_by_hand(critic):
    """n_critic critic steps on interleaved minibatches with the generator fixed, then one generator step.

    The vectors of a spectral normalisation go on from step to step, and are no batch statistics: it is taken.
    """
    config = contract.with_sgd(dataclasses.replace(TINY, critic=critic, critic_steps=3), 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    batch = jax.random.uniform(jax.random.key(1), (12, *config.image_shape), minval=-1.0)
    found, _ = compiled(wgan_gp.update, config)(state, batch, key)
    wanted = compiled(by_hand, config)(state, batch, key)
    assert_close((found.critic.variables, found.generator.variables), wanted)


def test_a_critic_with_batch_normalisation_is_refused():
    config = dataclasses.replace(TINY, critic=MLP((8,), norm="batch"))
    with pytest.raises(ValueError, match=r"batch normalisation: use layer normalisation, spectral normalisation"):
        wgan_gp.init(config, jax.random.key(0))


def test_a_batch_that_does_not_hold_the_critic_steps_is_refused():
    with pytest.raises(ValueError, match="batch of 7 does not divide into 2 minibatches"):
        wgan_gp.update(TINY, TestContract.init(TINY), jnp.zeros((7, 4, 4, 1)), jax.random.key(0))


@pytest.mark.parametrize(("setting", "value"), [("latent_dim", 0), ("critic_steps", 0), ("penalty_weight", -1.0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})


def test_a_penalty_may_have_any_weight_or_none():
    assert [dataclasses.replace(TINY, penalty_weight=weight).penalty_weight for weight in (0.0, 0.5)] == [0.0, 0.5]


def test_the_moving_average_starts_at_the_generator_and_follows_it():
    config = dataclasses.replace(TINY, average=Exponential(0.999), generator_optimizer=Optimizer(0.1, SGD()))
    state = TestContract.init(config)
    assert not contract.differs(state.ema, state.generator.variables)
    batch = jnp.zeros((8, *config.image_shape))
    new, _ = compiled(wgan_gp.update, config)(state, batch, jax.random.key(0))
    weight = 2.0 / 11.0  # (1 + t) / (10 + t) after the first update, below 0.999
    mean = lambda old, latest: weight * old + (1 - weight) * latest  # noqa: E731
    assert_close(new.ema, jax.tree.map(mean, state.ema, new.generator.variables))


def test_toy_networks_have_the_papers_parameter_counts():
    """2-512-512-512-2 and 2-512-512-512-1 for the two-dimensional toys: sums of i * o + o."""
    config = wgan_gp.Config(image_shape=(2,), latent_dim=2, value_range=None)
    state = jax.eval_shape(lambda: wgan_gp.init(config, jax.random.key(0)))
    assert count(state.generator.params) == 527_874
    assert count(state.critic.params) == 527_361


def test_defaults_are_those_of_algorithm_1():
    config = wgan_gp.Config()
    assert (config.image_shape, config.value_range, config.latent_dim) == ((28, 28, 1), (-1.0, 1.0), 128)
    assert (config.penalty_weight, config.one_sided, config.critic_steps) == (10.0, False, 5)
    assert (config.generator, config.critic) == (MLP(), MLP(negative_slope=0.2))
    assert config.average == Exponential(0.999)
    assert config.generator_optimizer == config.critic_optimizer == Optimizer(1e-4, Adam(b1=0.0, b2=0.9))
