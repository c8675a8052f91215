import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import autoencoder
from jaxgen.autoencoders.corruption import Clean, GaussianNoise
from jaxgen.mode import Mode
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from tests import contract

TINY = autoencoder.Config(
    image_shape=(2, 2, 1),
    latent_dim=3,
    encoder=MLP((6,), norm="batch"),
    decoder=MLP((6,), negative_slope=0.1),
    corruption=GaussianNoise(0.2, mean=0.1),  # without noise an update has no use for its key
    optimizer=Optimizer(1e-3, Adam()),
    moments_decay=0.15,  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)


class TestContract(contract.Suite):
    case = contract.Case(
        autoencoder,
        TINY,
        unreached=("['autoencoder']['encoder']['Dense_0']['bias']",),  # batch normalisation takes it out
    )


def trained(config, images, steps):
    """The state after `steps` updates on the same images."""
    update = functools.partial(autoencoder.update, config)
    keys = jax.random.split(jax.random.key(1), steps)

    def run(state):
        return jax.lax.scan(lambda state, key: update(state, images, key), state, keys)

    return jax.jit(run)(autoencoder.init(config, jax.random.key(0)))


def test_a_linear_autoencoder_reaches_the_error_of_principal_components():
    """The sum of the discarded eigenvalues of the covariance, over the number of pixels."""
    generator = np.random.default_rng(0)
    images = (generator.normal(size=(64, 6)) * np.array([2.0, 1.5, 1.0, 0.5, 0.3, 0.2])) @ np.linalg.qr(
        generator.normal(size=(6, 6))
    )[0]
    images = (images - images.mean(0)).astype(np.float32)
    config = autoencoder.Config((6,), None, 2, MLP(()), MLP(()), optimizer=Optimizer(1e-2, Adam()))
    _, metrics = trained(config, jnp.asarray(images), 2_000)
    eigenvalues = np.linalg.eigvalsh(np.cov(images.T, bias=True))  # ascending
    wanted = eigenvalues[:4].sum() / 6
    assert metrics["reconstruction_error"][-1] == pytest.approx(wanted, rel=1e-3)
    assert metrics["reconstruction_error"][-1] > wanted * (1 - 1e-5)  # which nothing linear can beat


def test_a_set_of_one_image_is_reconstructed_exactly():
    config = dataclasses.replace(
        TINY, corruption=Clean(), value_range=None, encoder=MLP((6,)), optimizer=Optimizer(1e-2, Adam())
    )
    images = jnp.tile(jax.random.normal(jax.random.key(3), (1, 2, 2, 1)), (8, 1, 1, 1))
    _, metrics = trained(config, images, 500)
    assert metrics["reconstruction_error"][-1] < 1e-6


def test_denoising_without_noise_is_the_plain_autoencoder():
    """Two programs, so equal within rounding, which Adam would enlarge."""
    images, plain = jax.random.uniform(jax.random.key(1), (8, 2, 2, 1)), contract.with_sgd(TINY)
    states = [
        jax.jit(functools.partial(autoencoder.update, dataclasses.replace(plain, corruption=corruption)))(
            TestContract.init(plain), images, jax.random.key(2)
        )[0]
        for corruption in (Clean(), GaussianNoise(0.0), GaussianNoise(0.01))
    ]
    without, zero, noisy = map(contract.leaves, states)
    for path, leaf in without.items():
        np.testing.assert_allclose(zero[path], leaf, atol=1e-7, err_msg=path)
    assert max(np.abs(noisy[path] - leaf).max() for path, leaf in without.items()) > 1e-5


def test_the_loss_compares_what_comes_from_the_noisy_image_with_the_clean_one():
    state = TestContract.init()
    inputs, targets = jax.random.uniform(jax.random.key(1), (2, 8, 2, 2, 1))
    variables, training = state.autoencoder.variables, Mode(train=True)
    loss, (metrics, _) = autoencoder.reconstruction_loss(TINY, variables, inputs, targets, training)
    encodings, variables = autoencoder.encode(TINY, variables, inputs, training)
    outputs, _ = autoencoder.decode(TINY, variables, encodings, training)
    assert loss == metrics["reconstruction_error"] == pytest.approx(np.square(outputs - targets).mean(), rel=1e-6)


def test_latents_are_standardised_encodings_and_decode_to_the_reconstruction():
    generator = np.random.default_rng(0)
    factor = np.tril(generator.normal(size=(3, 3))) + 2 * np.eye(3)
    statistics = autoencoder.MeanCovariance(jnp.float32([1.0, -2.0, 3.0]), jnp.float32(factor @ factor.T))
    state = TestContract.init()._replace(codes=statistics)
    images = jax.random.uniform(jax.random.key(1), (8, 2, 2, 1))
    encodings, _ = autoencoder.encode(TINY, state.autoencoder.variables, images)
    latents = autoencoder.to_latents(TINY, state, images)
    wanted = np.linalg.solve(factor, (encodings - statistics.mean[None]).T).T
    np.testing.assert_allclose(latents, wanted, atol=1e-3)
    reconstruction, _ = autoencoder.decode(TINY, state.autoencoder.variables, encodings)
    np.testing.assert_allclose(autoencoder.from_latents(TINY, state, latents), reconstruction, atol=1e-5)


def test_the_moving_averages_are_of_mean_and_covariance_of_the_encodings():
    images = jax.random.uniform(jax.random.key(1), (8, 2, 2, 1))
    before = TestContract.init()
    after, _ = jax.jit(functools.partial(autoencoder.update, TINY))(before, images, jax.random.key(0))
    encodings, _ = autoencoder.encode(TINY, after.autoencoder.variables, images)
    np.testing.assert_allclose(after.codes.mean, 0.85 * encodings.mean(0), atol=1e-6)
    wanted = 0.15 * np.eye(3) + 0.85 * np.cov(encodings.T, bias=True)
    np.testing.assert_allclose(after.codes.covariance, wanted, atol=1e-6)


def test_encodings_without_variance_can_still_be_drawn():
    """A latent that the encoder does not use has no variance, and the covariance no Cholesky factor."""
    one_axis = autoencoder.MeanCovariance(jnp.zeros(3), jnp.diag(jnp.float32([1.0, 0.0, 0.0])))
    for statistics in (one_axis, autoencoder.MeanCovariance(jnp.zeros(3), jnp.zeros((3, 3)))):
        images = autoencoder.sample(TINY, TestContract.init()._replace(codes=statistics), jax.random.key(0), 4)
        assert np.isfinite(images).all()


@pytest.mark.parametrize(("setting", "value"), [("latent_dim", 0), ("moments_decay", 1.0), ("value_range", (0.0, 2.0))])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .*, but must be"):
        dataclasses.replace(TINY, **{setting: value})
