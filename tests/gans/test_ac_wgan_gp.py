import dataclasses
import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Labelled
from jaxgen.conditions import one_hot
from jaxgen.gans import ac_wgan_gp
from jaxgen.mode import EVALUATION, Mode
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.mlp import MLP
from jaxgen.nets.norm import ConditionalBatchNorm
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract
from tests.gans.games import UNREGULARIZED, assert_close, compiled, count, stepped, training


class Net(nn.Module):
    """A generator of any shape with conditional batch norm."""

    width: int = 6

    @nn.compact
    def __call__(self, latents, output_shape, *, condition, mode=EVALUATION):
        hidden = nn.Dense(self.width)(latents)
        hidden = nn.relu(ConditionalBatchNorm()(hidden, condition, mode))
        return nn.Dense(math.prod(output_shape))(hidden).reshape(len(latents), *output_shape)


TINY = ac_wgan_gp.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    prior=Normal(3),
    generator=InnerCondition(Net()),
    critic=MLP((6,), negative_slope=0.2),
    critic_steps=2,
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
    critic_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
LINEAR = dataclasses.replace(TINY, critic=MLP(()))
LABELS = jnp.arange(6, dtype=jnp.int32) % 3
REAL = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1), minval=-1.0)
FAKE = jax.random.uniform(jax.random.key(2), (6, 4, 4, 1), minval=-1.0)
MIX = jax.random.uniform(jax.random.key(3), (6,))
TRAINING = Mode(train=True)


class TestContract(contract.Suite):
    case = contract.Case(
        ac_wgan_gp,
        TINY,
        # A constant before batch normalisation is taken out by its mean.
        unreached=("['generator']['net']['Dense_0']['bias']",),
        inert=UNREGULARIZED,
    )


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_critic_loss_is_written_out_in_numpy_for_a_linear_critic():
    """Slope and score are of the first output; the classes of the real images alone count."""
    variables = TestContract.init(LINEAR).critic.variables
    kernel = np.asarray(variables["params"]["Dense_0"]["kernel"], np.float64)
    real, fake = (np.asarray(x, np.float64).reshape(6, -1) @ kernel for x in (REAL, FAKE))
    classes = -log_softmax(real[:, 1:])[np.arange(6), LABELS].mean()
    wanted = (fake - real)[:, 0].mean() + 10 * (np.linalg.norm(kernel[:, 0]) - 1) ** 2 + classes
    loss, (metrics, _) = ac_wgan_gp.critic_loss(LINEAR, variables, (REAL, LABELS), FAKE, MIX, TRAINING)
    assert loss == pytest.approx(wanted, rel=1e-5)
    assert metrics["class_loss"] == pytest.approx(classes, rel=1e-5)
    assert metrics["accuracy"] == pytest.approx((real[:, 1:].argmax(axis=1) == np.asarray(LABELS)).mean())


def test_generator_loss_is_written_out_in_numpy_for_a_linear_critic():
    state, latents = TestContract.init(LINEAR), jax.random.normal(jax.random.key(4), (6, 3))
    generator = state.generator.variables
    fake, _ = jax.jit(lambda: ac_wgan_gp.generate(LINEAR, generator, latents, one_hot(LABELS, 3), mode=TRAINING))()
    outputs = np.asarray(fake, np.float64).reshape(6, -1) @ np.asarray(state.critic.params["Dense_0"]["kernel"])
    wanted = -outputs[:, 0].mean() - 0.1 * log_softmax(outputs[:, 1:])[np.arange(6), LABELS].mean()
    inputs = generator, state.critic.variables, LABELS, latents, TRAINING
    loss, _ = compiled(ac_wgan_gp.generator_loss, LINEAR)(*inputs)
    assert loss == pytest.approx(wanted, rel=1e-5)


def by_hand(config, state, batch, key):
    """The critic's and the generator's variables after an iteration of two critic steps."""
    key_latents, key_mix, key_generator, key_labels, key_pass, key_generator_pass = jax.random.split(key, 6)
    latents, mode, critic = config.prior.draw(key_latents, 6), training(key_pass, 6), state.critic.variables
    mix = jax.vmap(lambda i: jax.random.uniform(jax.random.fold_in(key_mix, i)))(jnp.arange(6))
    loss = functools.partial(ac_wgan_gp.critic_loss, config)
    for t in range(2):
        part, classes = mode.with_keys(mode.keys[t::2]), one_hot(batch.labels[t::2], 3)
        fake, _ = ac_wgan_gp.generate(config, state.generator.variables, latents[t::2], classes, mode=part)
        inputs = (batch.images[t::2], batch.labels[t::2]), fake, mix[t::2], part
        critic, *_ = stepped(critic, loss, 0.05, *inputs)
    keys = jax.vmap(lambda i: jax.random.fold_in(key_labels, i))(jnp.arange(6))
    labels = jax.vmap(lambda key: jax.random.randint(key, (), 0, 3))(keys)
    inputs = critic, labels, config.prior.draw(key_generator, 6), training(key_generator_pass, 6)
    loss = functools.partial(ac_wgan_gp.generator_loss, config)
    return critic, stepped(state.generator.variables, loss, 0.05, *inputs)[0]


@pytest.mark.parametrize("critic", [MLP(()), Spectral(MLP((4,)))], ids=["linear", "spectral"])
def test_update_is_algorithm_1_done_by_hand(critic):
    """Fakes of the critic's steps have the real images' labels; the generator's are drawn, in twice as many fakes."""
    config = contract.with_sgd(dataclasses.replace(TINY, critic=critic), 0.05)
    state, key, batch = TestContract.init(config), jax.random.key(2), Labelled(REAL, LABELS)
    found, _ = compiled(ac_wgan_gp.update, config)(state, batch, key)
    wanted = compiled(by_hand, config)(state, batch, key)
    assert_close((found.critic.variables, found.generator.variables), wanted)


def test_the_class_changes_the_image_once_its_norms_differ():
    """All classes begin alike: their scales are 1 and their offsets 0."""
    state, latents = TestContract.init(), jax.random.normal(jax.random.key(2), (6, 3))
    draw = compiled(ac_wgan_gp.from_latents, TINY)
    others = (LABELS + 1) % 3
    np.testing.assert_array_equal(draw(state, latents, LABELS), draw(state, latents, others))
    batch = TestContract.batches(1)[0]
    moved, _ = compiled(ac_wgan_gp.update, TINY)(state, batch, jax.random.key(0))
    assert contract.differs(draw(moved, latents, LABELS), draw(moved, latents, others))


def test_a_critic_with_batch_normalisation_is_refused():
    config = dataclasses.replace(TINY, critic=MLP((8,), norm="batch"))
    with pytest.raises(ValueError, match="batch normalisation: use layer normalisation, spectral normalisation"):
        ac_wgan_gp.init(config, jax.random.key(0))


def test_default_networks_have_the_papers_parameter_counts():
    state = jax.eval_shape(lambda: ac_wgan_gp.init(ac_wgan_gp.Config(), jax.random.key(0)))
    assert (count(state.generator.params), count(state.critic.params)) == (1_218_307, 1_055_115)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("critic_steps", 0),
        ("generator_batches", 0),
        ("penalty_weight", -1.0),
        ("class_weight", -1.0),
    ],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})
