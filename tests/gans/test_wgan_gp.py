import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import wgan_gp
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Adam, Optimizer
from jaxgen.train_state import descend
from tests import contract

TINY = wgan_gp.Config(
    image_shape=(4, 4, 1),
    latent_dim=3,
    generator=MLP((8,), norm="batch"),
    critic=MLP((8,), negative_slope=0.2),
    critic_steps=2,
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
    critic_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
    ema_decay=0.15,  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)


class TestContract(contract.Suite):
    case = contract.Case(
        wgan_gp,
        TINY,
        unreached=(
            # A constant added to the critic cancels between real and fake and has no slope.
            "['critic']['Dense_1']['bias']",
            # A constant before batch normalisation is taken out by its mean.
            "['generator']['Dense_0']['bias']",
        ),
    )


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
    )


def parts(config=TINY, num=6):
    state = TestContract.init(config)
    real = jax.random.uniform(jax.random.key(1), (num, *config.image_shape), minval=-1.0)
    fake = jax.random.uniform(jax.random.key(2), (num, *config.image_shape), minval=-1.0)
    return state, real, fake, jax.random.uniform(jax.random.key(3), (num,))


def test_critic_loss_is_equation_3_written_out_in_numpy():
    """A linear critic, whose slope is its weight vector everywhere."""
    config = dataclasses.replace(TINY, critic=MLP(()))
    state, real, fake, mix = parts(config)
    weight = np.asarray(state.critic.params["Dense_0"]["kernel"])[:, 0].astype(np.float64)
    real_mean, fake_mean = (np.asarray(x, np.float64).reshape(6, -1).mean(0) for x in (real, fake))
    wanted = weight @ (fake_mean - real_mean) + 10.0 * (np.linalg.norm(weight) - 1.0) ** 2
    loss, (metrics, _) = wgan_gp.critic_loss(config, state.critic.params, real, fake, mix)
    assert loss == pytest.approx(wanted, rel=1e-5)
    assert metrics["wasserstein_estimate"] == pytest.approx(weight @ (real_mean - fake_mean), rel=1e-5)


def test_penalty_is_taken_between_real_and_fake():
    """D(x) = |x|^2 / 2 has slope |x|: with eps = 1 that of the real image, with eps = 0 that of the fake."""

    class Bowl(nn.Module):
        @nn.compact
        def __call__(self, images, output_shape, *, train=False, axis_name=None):
            scale = self.param("scale", nn.initializers.ones, ())
            return scale * 0.5 * (images**2).reshape(len(images), -1).sum(1)

    config = dataclasses.replace(TINY, critic=Bowl())
    state, real, fake, mix = parts(config)
    for eps, points in ((1.0, real), (0.0, fake)):
        _, (metrics, _) = wgan_gp.critic_loss(config, state.critic.params, real, fake, jnp.full_like(mix, eps))
        norms = np.linalg.norm(np.asarray(points).reshape(6, -1), axis=1)
        assert metrics["gradient_penalty"] == pytest.approx(((norms - 1) ** 2).mean(), rel=1e-5)


def test_generator_loss_is_minus_the_critics_mean_score_of_what_it_draws():
    config = dataclasses.replace(TINY, critic=MLP(()))
    state, *_ = parts(config)
    latents = jax.random.normal(jax.random.key(4), (6, config.latent_dim))
    inputs = config, state.generator.params, state.generator.collections
    loss, (metrics, _) = wgan_gp.generator_loss(*inputs, state.critic.params, latents)
    images, _ = wgan_gp.generate(*inputs, latents, train=True)
    layer = jax.device_get(state.critic.params["Dense_0"])
    wanted = -(np.asarray(images).reshape(6, -1) @ layer["kernel"] + layer["bias"]).mean()
    assert loss == metrics["generator_loss"] == pytest.approx(wanted, rel=1e-5)


def test_one_small_step_lowers_each_players_own_loss():
    config = contract.with_sgd(TINY, 1e-3)
    state, real, fake, mix = parts(config)
    latents = jax.random.normal(jax.random.key(4), (6, config.latent_dim))
    losses = {
        "critic": lambda params: wgan_gp.critic_loss(config, params, real, fake, mix),
        "generator": lambda params: wgan_gp.generator_loss(
            config, params, state.generator.collections, state.critic.params, latents
        ),
    }
    for name, loss in losses.items():
        before = getattr(state, name)
        value = jax.jit(lambda params, loss=loss: loss(params)[0])
        after, _ = jax.jit(lambda before, loss=loss: descend(before, loss))(before)
        assert value(after.params) < value(before.params), name


@functools.partial(jax.jit, static_argnums=0)
def by_hand(config, state, batch, key):
    """The critic's and the generator's weights after an iteration."""
    key_latents, key_mix, key_generator = jax.random.split(key, 3)
    latents = wgan_gp.draw_latents(config, key_latents, 12)
    mix = jax.vmap(lambda i: jax.random.uniform(jax.random.fold_in(key_mix, i)))(jnp.arange(12))
    critic = state.critic
    for step in range(3):
        z = latents[step::3]
        fake, _ = wgan_gp.generate(config, state.generator.params, state.generator.collections, z, train=True)
        grads, _ = jax.grad(lambda p, *args: wgan_gp.critic_loss(config, p, *args), has_aux=True)(
            critic.params, batch[step::3], fake, mix[step::3]
        )
        critic = critic.replace(params=jax.tree.map(lambda p, g: p - 0.05 * g, critic.params, grads))
    z = wgan_gp.draw_latents(config, key_generator, 4)
    grads, _ = jax.grad(
        lambda p: wgan_gp.generator_loss(config, p, state.generator.collections, critic.params, z),
        has_aux=True,
    )(state.generator.params)
    params = jax.tree.map(lambda p, g: p - 0.05 * g, state.generator.params, grads)
    return critic.params, params


def test_update_is_algorithm_1_done_by_hand():
    """n_critic critic steps on interleaved minibatches with the generator frozen, then one generator step."""
    config = contract.with_sgd(dataclasses.replace(TINY, critic_steps=3), 0.05)
    state = TestContract.init(config)
    batch = jax.random.uniform(jax.random.key(1), (12, *config.image_shape), minval=-1.0)
    key = jax.random.key(2)
    found, _ = jax.jit(functools.partial(wgan_gp.update, config))(state, batch, key)

    weights = by_hand(config, state, batch, key)
    for name, wanted in zip(("critic", "generator"), weights, strict=True):
        for path, leaf in contract.leaves(wanted).items():
            np.testing.assert_allclose(
                leaf, contract.leaves(getattr(found, name).params)[path], atol=1e-6, err_msg=path
            )


def test_a_critic_with_batch_normalisation_is_refused():
    config = dataclasses.replace(TINY, critic=MLP((8,), norm="batch"))
    with pytest.raises(ValueError, match=r"batch_stats.*use layer normalisation"):
        wgan_gp.init(config, jax.random.key(0))


def test_a_batch_that_does_not_hold_the_critic_steps_is_refused():
    with pytest.raises(ValueError, match="batch of 7 does not divide into 2 minibatches"):
        wgan_gp.update(TINY, TestContract.init(TINY), jnp.zeros((7, 4, 4, 1)), jax.random.key(0))


@pytest.mark.parametrize(
    ("setting", "value"),
    [("latent_dim", 0), ("critic_steps", 0), ("penalty_weight", -1.0), ("ema_decay", 1.0)],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})


def test_the_moving_average_starts_at_the_generator_and_follows_it():
    config = dataclasses.replace(TINY, ema_decay=0.999, generator_optimizer=Optimizer(0.1, SGD()))
    state = TestContract.init(config)
    assert not contract.differs(state.ema, state.generator.variables)
    batch = jnp.zeros((8, *config.image_shape))
    new, _ = jax.jit(functools.partial(wgan_gp.update, config))(state, batch, jax.random.key(0))
    weight = 2.0 / 11.0  # (1 + t) / (10 + t) after the first update, below 0.999
    for path, old in contract.leaves(state.ema).items():
        wanted = weight * old + (1 - weight) * contract.leaves(new.generator.variables)[path]
        np.testing.assert_allclose(contract.leaves(new.ema)[path], wanted, rtol=1e-6, atol=1e-7)


def test_toy_networks_have_the_papers_parameter_counts():
    """2-512-512-512-2 and 2-512-512-512-1 for the two-dimensional toys: sums of i * o + o."""
    config = wgan_gp.Config(image_shape=(2,), latent_dim=2, value_range=None)
    state = jax.eval_shape(lambda: wgan_gp.init(config, jax.random.key(0)))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    assert count(state.generator.params) == 527_874
    assert count(state.critic.params) == 527_361


def test_defaults_are_those_of_algorithm_1():
    config = wgan_gp.Config()
    assert (config.penalty_weight, config.critic_steps) == (10.0, 5)
    assert config.generator_optimizer == config.critic_optimizer == Optimizer(1e-4, Adam(b1=0.0, b2=0.9))
