import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import wae_gan
from jaxgen.autoencoders.discriminators import score
from jaxgen.mode import Mode
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Adam, Optimizer
from tests import contract

TINY = wae_gan.Config(
    image_shape=(2, 2, 1),
    latent_dim=3,
    encoder=MLP((6,), norm="batch"),
    decoder=MLP((6,), negative_slope=0.1),
    discriminator=MLP((6,), negative_slope=0.2),
)
TRAINING = Mode(train=True)
IMAGES = jax.random.uniform(jax.random.key(1), (6, 2, 2, 1))


class TestContract(contract.Suite):
    case = contract.Case(
        wae_gan,
        TINY,
        unreached=("['autoencoder']['encoder']['Dense_0']['bias']",),  # batch normalisation takes it out
        answers=(("discriminator", "autoencoder"),),
    )


def test_losses_are_those_of_algorithm_1_written_out_in_numpy():
    state = TestContract.init()
    variables, discriminator = state.autoencoder.variables, state.discriminator.variables
    prior = jax.random.normal(jax.random.key(2), (6, 3))
    loss, (metrics, _) = wae_gan.autoencoder_loss(TINY, variables, discriminator, IMAGES, TRAINING)
    latents, variables = wae_gan.encode(TINY, variables, IMAGES, TRAINING)
    outputs, _ = wae_gan.decode(TINY, variables, latents, TRAINING)
    cost = np.square(np.asarray(outputs - IMAGES, np.float64)).reshape(6, -1).sum(1).mean()
    of_prior, of_latents = (
        1 / (1 + np.exp(-np.asarray(score(TINY, discriminator, z)[0], np.float64))) for z in (prior, latents)
    )
    assert metrics["penalty"] == pytest.approx(-np.log(of_latents).mean(), rel=1e-5)
    assert loss == pytest.approx(0.05 * cost - 10.0 * np.log(of_latents).mean(), rel=1e-5)
    loss, (metrics, _) = wae_gan.discriminator_loss(TINY, discriminator, prior, latents, TRAINING)
    wanted = -np.log(of_prior).mean() - np.log(1 - of_latents).mean()
    assert loss == pytest.approx(10.0 * wanted, rel=1e-5)
    assert metrics["discriminator_loss"] == pytest.approx(wanted, rel=1e-5)
    assert metrics["prior_probability"] == pytest.approx(of_prior.mean(), rel=1e-5)
    assert metrics["code_probability"] == pytest.approx(of_latents.mean(), rel=1e-5)


@pytest.mark.exhaustive
def test_latents_get_the_mean_and_covariance_of_the_prior():
    """With almost no cost of reconstruction: from a deviation of a few tenths to that of the prior."""
    config = dataclasses.replace(
        TINY,
        image_shape=(8,),
        value_range=None,
        latent_dim=2,
        encoder=MLP((32,)),
        decoder=MLP((4,)),
        discriminator=MLP((32,)),
        cost_weight=1e-6,
        optimizer=Optimizer(2e-3, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(5e-3, Adam(b1=0.5)),
    )
    images = 0.2 * jax.random.normal(jax.random.key(3), (256, 8))

    def step(state, key):
        return wae_gan.update(config, state, images, key)

    state = wae_gan.init(config, jax.random.key(0))
    before = wae_gan.to_latents(config, state, images)
    state, metrics = jax.jit(lambda state, keys: jax.lax.scan(step, state, keys))(
        state, jax.random.split(jax.random.key(4), 1_000)
    )
    latents = wae_gan.to_latents(config, state, images)
    assert before.std() < 0.4
    np.testing.assert_allclose(latents.mean(axis=0), 0.0, atol=0.35)
    np.testing.assert_allclose(np.cov(latents.T), np.eye(2), atol=0.45)
    assert metrics["discriminator_loss"][-50:].mean() > 1.2  # of 2 log 2 = 1.386, where it distinguishes nothing


def test_the_discriminator_moves_on_latents_of_the_encoder_that_has_moved():
    config = dataclasses.replace(
        TINY,
        encoder=MLP((6,)),
        penalty_weight=2.0,
        optimizer=Optimizer(0.1, SGD()),
        discriminator_optimizer=Optimizer(0.1, SGD()),
    )
    state, key = TestContract.init(config), jax.random.key(2)
    after, _ = jax.jit(functools.partial(wae_gan.update, config))(state, IMAGES, key)
    latents, _ = wae_gan.encode(config, after.autoencoder.variables, IMAGES)
    prior = config.prior.draw(key, 6)

    def loss(params):
        return wae_gan.discriminator_loss(config, {"params": params}, prior, latents, TRAINING)[0]

    before = state.discriminator.params
    wanted = jax.tree.map(lambda p, g: p - 0.1 * g, before, jax.grad(loss)(before))
    for path, leaf in contract.leaves(wanted).items():
        np.testing.assert_allclose(leaf, contract.leaves(after.discriminator.params)[path], atol=1e-5, err_msg=path)


def test_defaults_are_the_authors_for_mnist():
    """The networks of WAE-MMD, and four layers of 512 that score a latent."""
    state = jax.eval_shape(functools.partial(wae_gan.init, wae_gan.Config()), jax.random.key(0))
    count = sum(leaf.size for leaf in jax.tree.leaves(state.discriminator.params))
    assert count == 8 * 512 + 512 + 3 * (512 * 512 + 512) + 513 == 793_089
    assert (wae_gan.Config().penalty_weight, wae_gan.Config().cost_weight) == (10.0, 0.05)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("latent_dim", 0), ("cost_weight", 0.0), ("penalty_weight", -1.0), ("value_range", (0.0, 2.0))],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .* but must be"):
        dataclasses.replace(TINY, **{setting: value})


def test_images_have_latents_that_decode_to_images_in_range():
    state = TestContract.init()
    outputs = wae_gan.from_latents(TINY, state, wae_gan.to_latents(TINY, state, IMAGES))
    assert outputs.shape == IMAGES.shape and bool(jnp.logical_and(outputs > 0, outputs < 1).all())
