import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import bounds, factor_vae
from jaxgen.autoencoders.discriminators import score
from jaxgen.autoencoders.likelihoods import Gaussian
from jaxgen.mode import Mode
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from tests import contract

TINY = factor_vae.Config(
    image_shape=(2, 2, 1),
    latent_dim=3,
    encoder=MLP((6,), norm="batch"),
    decoder=MLP((6,), negative_slope=0.1),
    discriminator=MLP((6,), negative_slope=0.2),
    gamma=2.0,
)
PLAIN = dataclasses.replace(TINY, encoder=MLP((6,)), likelihood=Gaussian(0.3))
IMAGES = jax.random.uniform(jax.random.key(1), (6, 2, 2, 1))
NOISE = jax.random.normal(jax.random.key(2), (6, 1, 3))
TRAINING = Mode(train=True)


class TestContract(contract.Suite):
    case = contract.Case(
        factor_vae,
        TINY,
        unreached=("['autoencoder']['encoder']['Dense_0']['bias']",),  # batch normalisation takes it out
        answers=(("discriminator", "autoencoder"),),
    )


def loss_of(config, state, **changes):
    variables = state.autoencoder.variables, state.discriminator.variables
    config = dataclasses.replace(config, **changes)
    return jax.jit(functools.partial(factor_vae.autoencoder_loss, config))(*variables, IMAGES, NOISE, TRAINING)


def test_loss_is_the_negative_elbo_and_gamma_times_the_mean_logit():
    state = TestContract.init(PLAIN)
    loss, (metrics, _) = loss_of(PLAIN, state)
    q, _ = factor_vae.encode(PLAIN, state.autoencoder.variables, IMAGES)
    scores, _ = score(PLAIN, state.discriminator.variables, bounds.reparametrize(q, NOISE)[:, 0])
    assert metrics["total_correlation"] == pytest.approx(float(scores.mean()), rel=1e-4, abs=1e-6)
    assert loss == pytest.approx(float(2.0 * scores.mean() - metrics["elbo"]), rel=1e-5)
    terms, _ = factor_vae.terms(PLAIN, state.autoencoder.variables, IMAGES, NOISE)
    assert metrics["elbo"] == pytest.approx(-float((terms.nll[:, 0] + terms.kl.sum(axis=1)).mean()), rel=1e-5)


def test_without_gamma_it_is_the_vae():
    loss, (metrics, _) = loss_of(PLAIN, TestContract.init(PLAIN), gamma=0.0)
    assert loss == pytest.approx(-float(metrics["elbo"]), rel=1e-6)


def test_permuted_latents_keep_every_marginal_and_lose_the_joint():
    """Columns have the same values in another order each; two that are equal become independent."""
    key = jax.random.key(3)
    one = jax.random.normal(key, (2_000, 1))
    latents = jnp.concatenate([one, one, -one], axis=1)
    permuted = factor_vae.permute_each(latents, jax.random.uniform(jax.random.key(4), latents.shape))
    np.testing.assert_array_equal(jnp.sort(permuted, axis=0), jnp.sort(latents, axis=0))
    off = np.abs(np.corrcoef(permuted.T))[~np.eye(3, dtype=bool)]
    assert off.max() < 4 / np.sqrt(2_000)
    np.testing.assert_array_equal(factor_vae.permute_each(latents[:, :1], jnp.arange(2_000.0)[:, None]), one)


def test_devices_permute_the_whole_batch():
    latents, places = jax.random.normal(jax.random.key(5), (2, 6, 3))
    whole = factor_vae.permute_each(latents, places)
    shared = jax.vmap(lambda x, y: factor_vae.permute_each(x, y, "i"), axis_name="i")
    found = shared(latents.reshape(2, 3, 3), places.reshape(2, 3, 3))
    np.testing.assert_array_equal(found.reshape(6, 3), whole)


def test_discriminator_loss_is_half_the_cross_entropy_of_latents_against_permuted_ones():
    state = TestContract.init(PLAIN)
    latents, permuted = jax.random.normal(jax.random.key(6), (2, 6, 3))
    variables = state.discriminator.variables
    loss, (metrics, _) = factor_vae.discriminator_loss(PLAIN, variables, latents, permuted, TRAINING)
    real, other = (np.asarray(score(PLAIN, variables, z)[0], np.float64) for z in (latents, permuted))
    wanted = (np.log1p(np.exp(-real)) + np.log1p(np.exp(other))).mean() / 2
    assert loss == pytest.approx(wanted, rel=1e-5)
    assert metrics["discriminator_accuracy"] == pytest.approx(((real > 0).mean() + (other < 0).mean()) / 2)


@pytest.mark.exhaustive
def test_the_discriminators_mean_logit_becomes_the_total_correlation_of_gaussians():
    """Of two latents of correlation 0.8, -log(1 - 0.8^2) / 2 = 0.511."""
    config = dataclasses.replace(
        TINY, latent_dim=2, discriminator=MLP((64, 64)), discriminator_optimizer=Optimizer(3e-3, Adam())
    )
    state = TestContract.init(config).discriminator
    factor = jnp.asarray(np.linalg.cholesky([[1.0, 0.8], [0.8, 1.0]]).T, jnp.float32)

    def step(state, key):
        key_latents, key_places = jax.random.split(key)
        latents = jax.random.normal(key_latents, (256, 2)) @ factor
        permuted = factor_vae.permute_each(latents, jax.random.uniform(key_places, (256, 2)))
        loss = functools.partial(factor_vae.discriminator_loss, config)
        return factor_vae.descend(state, loss, (latents, permuted, TRAINING), None)

    state, _ = jax.jit(lambda state, keys: jax.lax.scan(step, state, keys))(
        state, jax.random.split(jax.random.key(7), 1_500)
    )
    latents = jax.random.normal(jax.random.key(8), (20_000, 2)) @ factor
    assert score(config, state.variables, latents)[0].mean() == pytest.approx(0.511, abs=0.08)


def test_defaults_are_the_papers():
    """Seven dense layers of the discriminator: six of 1000 and one logit."""
    state = jax.eval_shape(functools.partial(factor_vae.init, factor_vae.Config()), jax.random.key(0))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    assert count(state.discriminator.params) == 10 * 1000 + 1000 + 5 * 1_001_000 + 1001
    assert count(state.autoencoder.params["encoder"]) == 249_172


def test_a_discriminator_with_batch_normalisation_is_refused():
    config = dataclasses.replace(TINY, discriminator=MLP((8,), norm="batch"))
    with pytest.raises(ValueError, match="has batch normalisation"):
        jax.eval_shape(functools.partial(factor_vae.init, config), jax.random.key(0))


@pytest.mark.parametrize(("setting", "value"), [("latent_dim", 0), ("gamma", -1.0), ("value_range", (0.0, 2.0))])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .*, but must be"):
        dataclasses.replace(TINY, **{setting: value})
