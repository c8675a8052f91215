import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import wae
from jaxgen.mode import Mode
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from tests import contract

TINY = wae.Config(
    image_shape=(2, 2, 1),
    latent_dim=3,
    encoder=MLP((6,), norm="batch"),
    decoder=MLP((6,), negative_slope=0.1),
    kernel_scales=(0.5, 1.0, 2.0),
)


class TestContract(contract.Suite):
    case = contract.Case(
        wae,
        TINY,
        unreached=("['autoencoder']['encoder']['Dense_0']['bias']",),  # batch normalisation takes it out
    )


def images_of(num):
    return jax.random.uniform(jax.random.key(1), (num, *TINY.image_shape))


def test_loss_is_the_weighted_cost_and_the_discrepancy_written_out_in_numpy():
    state, images = TestContract.init(), images_of(6)
    prior = jax.random.normal(jax.random.key(2), (6, 3))
    variables, training = state.autoencoder.variables, Mode(train=True)
    loss, (metrics, _) = wae.autoencoder_loss(TINY, variables, images, prior, training)
    latents, variables = wae.encode(TINY, variables, images, training)
    outputs, _ = wae.decode(TINY, variables, latents, training)
    cost = np.square(np.asarray(outputs - images, np.float64)).reshape(6, -1).sum(1).mean()
    z, y = np.asarray(prior, np.float64), np.asarray(latents, np.float64)

    def kernel(a, b):
        squared = np.square(a[:, None] - b[None]).sum(2)
        return sum(2 * 3 * s / (2 * 3 * s + squared) for s in (0.5, 1.0, 2.0))

    off = ~np.eye(6, dtype=bool)
    mmd = kernel(z, z)[off].mean() + kernel(y, y)[off].mean() - 2 * kernel(z, y).mean()
    assert metrics["mmd"] == pytest.approx(mmd, abs=1e-5)
    assert metrics["reconstruction_error"] == pytest.approx(cost / 4, rel=1e-5)
    assert loss == pytest.approx(0.05 * cost + 10.0 * mmd, rel=1e-4)


@pytest.mark.exhaustive
def test_latents_get_the_mean_and_covariance_of_the_prior():
    """With almost no cost of reconstruction: from a deviation of 0.2 to mean 0 and covariance I."""
    config = dataclasses.replace(
        TINY,
        image_shape=(8,),
        value_range=None,
        latent_dim=2,
        encoder=MLP((32,)),
        decoder=MLP((4,)),
        cost_weight=1e-6,
        optimizer=Optimizer(5e-3, Adam(b1=0.5)),
    )
    images = jax.random.normal(jax.random.key(3), (256, 8))

    def step(state, key):
        return wae.update(config, state, images, key)

    state = wae.init(config, jax.random.key(0))
    before = wae.to_latents(config, state, images)
    state, metrics = jax.jit(lambda state, keys: jax.lax.scan(step, state, keys))(
        state, jax.random.split(jax.random.key(4), 300)
    )
    latents = wae.to_latents(config, state, images)
    np.testing.assert_allclose(latents.mean(axis=0), 0.0, atol=0.15)
    np.testing.assert_allclose(np.cov(latents.T), np.eye(2), atol=0.25)
    assert metrics["mmd"][-20:].mean() < 0.01 < metrics["mmd"][0]
    assert np.abs(np.cov(before.T) - np.eye(2)).max() > 0.3


def test_images_have_latents_that_decode_to_images_in_range():
    state, images = TestContract.init(), images_of(5)
    latents = wae.to_latents(TINY, state, images)
    assert latents.shape == (5, 3)
    outputs = wae.from_latents(TINY, state, latents)
    assert outputs.shape == images.shape and ((outputs > 0) & (outputs < 1)).all()
    key = jax.random.key(7)
    drawn = wae.from_latents(TINY, state, TINY.prior.draw(key, 5))
    np.testing.assert_array_equal(wae.sample(TINY, state, key, 5), drawn)


def test_defaults_are_the_authors_for_mnist():
    """conv4 of stride 2: 28-14-7-4-2, batch norm; 4096-8; 8-49*1024, then transposed to 512, 256 and 1 channels."""
    config = wae.Config()
    state = jax.eval_shape(functools.partial(wae.init, config), jax.random.key(0))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    conv = lambda i, o: 16 * i * o + o + 2 * o  # with scale and offset of the normalisation  # noqa: E731
    encoder = conv(1, 128) + conv(128, 256) + conv(256, 512) + conv(512, 1024) + 4096 * 8 + 8
    decoder = 8 * 49 * 1024 + 49 * 1024 + 2 * 1024 + conv(1024, 512) + conv(512, 256) + 16 * 256 + 1
    assert count(state.autoencoder.params["encoder"]) == encoder
    assert count(state.autoencoder.params["decoder"]) == decoder
    assert (config.latent_dim, config.penalty_weight, config.cost_weight) == (8, 10.0, 0.05)
    assert config.kernel_scales == (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    assert config.optimizer == Optimizer(1e-3, Adam(b1=0.5))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("latent_dim", 0),
        ("cost_weight", 0.0),
        ("penalty_weight", -1.0),
        ("kernel_scales", ()),
        ("value_range", (0.0, 2.0)),
    ],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .* but must be"):
        dataclasses.replace(TINY, **{setting: value})


@pytest.mark.exhaustive
def test_a_batch_of_one_is_refused():
    with pytest.raises(ValueError, match="pairs need two examples"):
        wae.update(TINY, TestContract.init(), jnp.zeros((1, 2, 2, 1)), jax.random.key(0))
