import dataclasses
import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Labelled
from jaxgen.gans import ac_wgan_gp
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.mlp import MLP
from jaxgen.nets.norm import ConditionalBatchNorm
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract


class Net(nn.Module):
    """A generator of any shape with conditional batch norm."""

    width: int = 6

    @nn.compact
    def __call__(self, latents, output_shape, *, condition, train=False, axis_name=None):
        hidden = nn.Dense(self.width)(latents)
        hidden = nn.relu(ConditionalBatchNorm()(hidden, condition, train=train, axis_name=axis_name))
        return nn.Dense(math.prod(output_shape))(hidden).reshape(len(latents), *output_shape)


TINY = ac_wgan_gp.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    prior=Normal(3),
    generator=InnerCondition(Net()),
    critic=MLP((8,), negative_slope=0.2),
    critic_steps=2,
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
    critic_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
    ema_decay=0.15,  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
LINEAR = dataclasses.replace(TINY, critic=MLP(()))
LABELS = jnp.arange(6, dtype=jnp.int32) % 3
REAL = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1), minval=-1.0)
FAKE = jax.random.uniform(jax.random.key(2), (6, 4, 4, 1), minval=-1.0)
MIX = jax.random.uniform(jax.random.key(3), (6,))


class TestContract(contract.Suite):
    case = contract.Case(
        ac_wgan_gp,
        TINY,
        # A constant before batch normalisation is taken out by its mean.
        unreached=("['generator']['net']['Dense_0']['bias']",),
    )


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_critic_loss_is_written_out_in_numpy_for_a_linear_critic():
    """Slope and score are of the first output; the classes of the real images alone count."""
    params = TestContract.init(LINEAR).critic.params
    kernel = np.asarray(params["Dense_0"]["kernel"], np.float64)
    real, fake = (np.asarray(x, np.float64).reshape(6, -1) @ kernel for x in (REAL, FAKE))
    classes = -log_softmax(real[:, 1:])[np.arange(6), LABELS].mean()
    wanted = (fake - real)[:, 0].mean() + 10 * (np.linalg.norm(kernel[:, 0]) - 1) ** 2 + classes
    loss, (metrics, _) = ac_wgan_gp.critic_loss(LINEAR, params, REAL, FAKE, LABELS, MIX)
    assert loss == pytest.approx(wanted, rel=1e-5)
    assert metrics["class_loss"] == pytest.approx(classes, rel=1e-5)
    assert metrics["accuracy"] == pytest.approx((real[:, 1:].argmax(axis=1) == np.asarray(LABELS)).mean())


def test_generator_loss_is_written_out_in_numpy_for_a_linear_critic():
    state, latents = TestContract.init(LINEAR), jax.random.normal(jax.random.key(4), (6, 3))
    parts = LINEAR, state.generator.params, state.generator.collections
    fake, _ = jax.jit(lambda: ac_wgan_gp.generate(*parts, latents, LABELS, train=True))()
    outputs = np.asarray(fake, np.float64).reshape(6, -1) @ np.asarray(state.critic.params["Dense_0"]["kernel"])
    wanted = -outputs[:, 0].mean() - 0.1 * log_softmax(outputs[:, 1:])[np.arange(6), LABELS].mean()
    inputs = *parts[1:], state.critic.params, latents, LABELS
    loss, _ = jax.jit(functools.partial(ac_wgan_gp.generator_loss, LINEAR))(*inputs)
    assert loss == pytest.approx(wanted, rel=1e-5)


def test_update_is_algorithm_1_done_by_hand():
    """Fakes of the critic's steps have the real images' labels; the generator's are drawn, in twice as many fakes."""
    config = contract.with_sgd(LINEAR, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, _ = jax.jit(functools.partial(ac_wgan_gp.update, config))(state, Labelled(REAL, LABELS), key)

    @jax.jit
    def by_hand(state):
        def descended(params, loss):
            return jax.tree.map(lambda param, grad: param - 0.05 * grad, params, jax.grad(loss)(params))

        def generate(params, latents, labels):
            return ac_wgan_gp.generate(config, params, state.generator.collections, latents, labels, train=True)[0]

        key_latents, key_mix, key_generator, key_labels = jax.random.split(key, 4)
        latents, critic = config.prior.draw(key_latents, 6), state.critic.params
        mix = jax.vmap(lambda i: jax.random.uniform(jax.random.fold_in(key_mix, i)))(jnp.arange(6))
        for t in range(2):
            fake = generate(state.generator.params, latents[t::2], LABELS[t::2])
            inputs = REAL[t::2], fake, LABELS[t::2], mix[t::2]
            critic = descended(critic, lambda params, inputs=inputs: ac_wgan_gp.critic_loss(config, params, *inputs)[0])
        latents = config.prior.draw(key_generator, 6)
        keys = jax.vmap(lambda i: jax.random.fold_in(key_labels, i))(jnp.arange(6))
        labels = jax.vmap(lambda key: jax.random.randint(key, (), 0, 3))(keys)
        inputs = state.generator.collections, critic, latents, labels
        return critic, descended(
            state.generator.params, lambda params: ac_wgan_gp.generator_loss(config, params, *inputs)[0]
        )

    for player, wanted in zip((found.critic, found.generator), by_hand(state), strict=True):
        for path, leaf in contract.leaves(wanted).items():
            np.testing.assert_allclose(contract.leaves(player.params)[path], leaf, atol=1e-6, err_msg=path)


def test_the_class_changes_the_image_once_its_norms_differ():
    """All classes begin alike: their scales are 1 and their offsets 0."""
    state, latents = TestContract.init(), jax.random.normal(jax.random.key(2), (6, 3))
    draw = jax.jit(functools.partial(ac_wgan_gp.from_latents, TINY))
    others = (LABELS + 1) % 3
    np.testing.assert_array_equal(draw(state, latents, LABELS), draw(state, latents, others))
    batch = TestContract.batches(1)[0]
    moved, _ = jax.jit(functools.partial(ac_wgan_gp.update, TINY))(state, batch, jax.random.key(0))
    assert contract.differs(draw(moved, latents, LABELS), draw(moved, latents, others))


def test_a_critic_with_batch_normalisation_is_refused():
    config = dataclasses.replace(TINY, critic=MLP((8,), norm="batch"))
    with pytest.raises(ValueError, match=r"batch_stats.*use layer normalisation"):
        ac_wgan_gp.init(config, jax.random.key(0))


def test_default_networks_have_the_papers_parameter_counts():
    state = jax.eval_shape(lambda: ac_wgan_gp.init(ac_wgan_gp.Config(), jax.random.key(0)))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    assert (count(state.generator.params), count(state.critic.params)) == (1_218_307, 1_055_115)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("critic_steps", 0),
        ("generator_batches", 0),
        ("penalty_weight", -1.0),
        ("class_weight", -1.0),
        ("ema_decay", 1.0),
    ],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})
