import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import aae
from jaxgen.mode import Mode
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Adam, Optimizer
from jaxgen.train_state import apply
from tests import contract

TINY = aae.Config(
    image_shape=(2, 2, 1),
    latent_dim=3,
    encoder=MLP((6,), norm="batch"),
    decoder=MLP((6,), negative_slope=0.1),
    discriminator=MLP((6,), negative_slope=0.2),
)
FIXED = Optimizer(1e-30, SGD())
TRAINING = Mode(train=True)


class TestContract(contract.Suite):
    case = contract.Case(
        aae,
        TINY,
        unreached=("['autoencoder']['encoder']['Dense_0']['bias']",),  # batch normalisation takes it out
        # The encoder plays in the second phase, after the first and after the discriminator's step.
        answers=(("autoencoder", "discriminator"), ("discriminator", "autoencoder")),
        shared=("encoder_optimizer",),  # see `test_the_encoder_alone_moves_by_its_own_optimizer`
    )


def images_of(num):
    return jax.random.uniform(jax.random.key(1), (num, *TINY.image_shape))


def test_the_encoder_alone_moves_by_its_own_optimizer():
    """With a fixed reconstruction phase the decoder does not change, and the encoder moves as its optimiser says."""
    config = dataclasses.replace(
        TINY,
        autoencoder_optimizer=FIXED,
        discriminator_optimizer=Optimizer(0.1, SGD()),
        encoder_optimizer=Optimizer(0.1, SGD(momentum=0.5)),
    )
    state, images, key = TestContract.init(config), images_of(8), jax.random.key(2)
    update = jax.jit(functools.partial(aae.update, config))
    after, _ = update(state, images, key)
    again, _ = update(after, images, key)
    before, first, second = (s.autoencoder.params for s in (state, after, again))
    chex.assert_trees_all_close(second["decoder"], before["decoder"], atol=1e-25)
    assert contract.differs(first["encoder"], before["encoder"])

    @jax.jit
    def gradient(params, collections, discriminator):
        def loss(params):
            variables = {"params": params, **collections}
            return aae.encoder_loss(config, variables, discriminator, images, TRAINING)[0]

        return jax.grad(loss)(params)

    gradients = gradient(before["encoder"], state.autoencoder.collections, after.discriminator.variables)
    wanted = jax.tree.map(lambda leaf, gradient: leaf - 0.1 * gradient, before["encoder"], gradients)
    chex.assert_trees_all_close(first["encoder"], wanted, atol=1e-6)
    later = gradient(first["encoder"], after.autoencoder.collections, again.discriminator.variables)
    momentum = jax.tree.map(lambda old, new: 0.5 * old + new, gradients, later)
    wanted = jax.tree.map(lambda leaf, trace: leaf - 0.1 * trace, first["encoder"], momentum)
    chex.assert_trees_all_close(second["encoder"], wanted, atol=1e-6)


@pytest.mark.exhaustive
def test_reconstruction_phase_takes_the_gradient_step_of_the_squared_error():
    config = dataclasses.replace(
        TINY,
        autoencoder_optimizer=Optimizer(0.5, SGD()),
        encoder_optimizer=FIXED,
        discriminator_optimizer=Optimizer(0.1, SGD()),
    )
    state, images = TestContract.init(config), images_of(8)
    after, metrics = jax.jit(functools.partial(aae.update, config))(state, images, jax.random.key(2))

    def error(params):
        latents, variables = aae.encode(config, {**state.autoencoder.variables, "params": params}, images, TRAINING)
        outputs, _ = aae.decode(config, variables, latents, TRAINING)
        return ((outputs - images) ** 2).mean()

    value, gradients = jax.jit(jax.value_and_grad(error))(state.autoencoder.params)
    wanted = jax.tree.map(lambda leaf, gradient: leaf - 0.5 * gradient, state.autoencoder.params, gradients)
    chex.assert_trees_all_close(after.autoencoder.params, wanted, atol=1e-6)
    assert metrics["reconstruction_error"] == pytest.approx(float(value), rel=1e-5)


def test_discriminator_loss_is_the_cross_entropy_of_prior_against_latents():
    state = TestContract.init()
    prior, latents = jax.random.normal(jax.random.key(3), (2, 6, 3))
    loss, (metrics, _) = aae.discriminator_loss(TINY, state.discriminator.variables, prior, latents, TRAINING)
    of_prior, of_latents = (
        1 / (1 + np.exp(-np.asarray(apply(TINY.discriminator, state.discriminator.variables, z, ())[0], np.float64)))
        for z in (prior, latents)
    )
    assert loss == pytest.approx(-np.log(of_prior).mean() - np.log(1 - of_latents).mean(), rel=1e-5)
    assert metrics["prior_probability"] == pytest.approx(of_prior.mean(), rel=1e-5)
    assert metrics["code_probability"] == pytest.approx(of_latents.mean(), rel=1e-5)


@pytest.mark.exhaustive
def test_latents_get_the_mean_and_covariance_of_the_prior():
    """With almost no reconstruction: from a deviation of a few tenths to that of the prior."""
    config = dataclasses.replace(
        TINY,
        image_shape=(8,),
        value_range=None,
        latent_dim=2,
        encoder=MLP((32,)),
        decoder=MLP((4,)),
        discriminator=MLP((32,)),
        autoencoder_optimizer=Optimizer(1e-4, SGD()),
        encoder_optimizer=Optimizer(2e-3, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(5e-3, Adam(b1=0.5)),
    )
    images = 0.2 * jax.random.normal(jax.random.key(3), (256, 8))

    def step(state, key):
        return aae.update(config, state, images, key)

    state = aae.init(config, jax.random.key(0))
    before = aae.to_latents(config, state, images)
    state, metrics = jax.jit(lambda state, keys: jax.lax.scan(step, state, keys))(
        state, jax.random.split(jax.random.key(4), 1_000)
    )
    latents = aae.to_latents(config, state, images)
    assert before.std() < 0.4
    np.testing.assert_allclose(latents.mean(axis=0), 0.0, atol=0.3)
    np.testing.assert_allclose(np.cov(latents.T), np.eye(2), atol=0.4)
    assert metrics["discriminator_loss"][-50:].mean() > 1.2  # of 2 log 2 = 1.386, where it distinguishes nothing


def test_images_have_latents_that_decode_to_images_in_range():
    state, images = TestContract.init(), images_of(5)
    latents = aae.to_latents(TINY, state, images)
    assert latents.shape == (5, 3)
    outputs = aae.from_latents(TINY, state, latents)
    assert outputs.shape == images.shape and ((outputs > 0) & (outputs < 1)).all()
    key = jax.random.key(7)
    drawn = aae.from_latents(TINY, state, TINY.prior.draw(key, 5))
    np.testing.assert_array_equal(aae.sample(TINY, state, key, 5), drawn)


def test_networks_of_the_paper_have_two_layers_of_1000():
    state = jax.eval_shape(functools.partial(aae.init, aae.Config()), jax.random.key(0))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    hidden = 1000 * 1000 + 1000
    assert count(state.autoencoder.params["encoder"]) == 784 * 1000 + 1000 + hidden + 1000 * 8 + 8
    assert count(state.autoencoder.params["decoder"]) == 8 * 1000 + 1000 + hidden + 1000 * 784 + 784
    assert count(state.discriminator.params) == 8 * 1000 + 1000 + hidden + 1000 + 1


def test_a_discriminator_with_batch_normalisation_is_refused():
    config = dataclasses.replace(TINY, discriminator=MLP((8,), norm="batch"))
    with pytest.raises(ValueError, match="has batch normalisation: use layer normalisation or none in its place"):
        jax.eval_shape(functools.partial(aae.init, config), jax.random.key(0))


@pytest.mark.parametrize(("setting", "value"), [("latent_dim", 0), ("value_range", (0.0, 2.0))])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .* but must be"):
        dataclasses.replace(TINY, **{setting: value})


def test_draws_of_the_prior_are_standard_normal():
    draws = TINY.prior.draw(jax.random.key(0), 4_000)
    np.testing.assert_allclose(draws.mean(axis=0), 0.0, atol=4 / np.sqrt(4_000))
    np.testing.assert_allclose(jnp.cov(draws.T), np.eye(3), atol=0.1)
