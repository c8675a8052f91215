import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import bounds, vamp_vae
from jaxgen.autoencoders.bounds import ELBO, Diagonal
from jaxgen.autoencoders.likelihoods import Bernoulli, Gaussian
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.mlp import MLP
from tests import contract

TINY = vamp_vae.Config(
    image_shape=(2, 2, 1),
    latent_dim=3,
    num_components=4,
    encoder=MLP((6,), norm="batch"),
    decoder=MLP((6,), negative_slope=0.1),
    pseudo_inputs=MLP((5,)),
    likelihood=Bernoulli("each_step"),
    objective=ELBO(beta=0.5, free_bits=0.02, warm_up=2, num_samples=2),
)
IMAGES = jax.random.uniform(jax.random.key(1), (6, 2, 2, 1))
NOISE = jax.random.normal(jax.random.key(2), (6, 5, 3))


class Fixed(nn.Module):
    """Pseudo-inputs that are given, as what the squash makes images of."""

    rows: tuple[tuple[float, ...], ...] = ()

    @nn.compact
    def __call__(self, inputs, output_shape, *, mode=EVALUATION):
        self.param("unused", nn.initializers.zeros, ())
        return jnp.asarray(self.rows)[: len(inputs)].reshape(-1, *output_shape)


def fixed(images):
    logits = jnp.log(images) - jnp.log1p(-images)
    return Fixed(tuple(map(tuple, logits.reshape(len(images), -1).tolist())))


PLAIN = dataclasses.replace(
    TINY, encoder=MLP((6,)), objective=ELBO(), likelihood=Gaussian(0.3), num_components=6, pseudo_inputs=fixed(IMAGES)
)


class TestContract(contract.Suite):
    case = contract.Case(vamp_vae, TINY)


@functools.cache
def variables_of(config):
    return vamp_vae.init(config, jax.random.key(0)).autoencoder.variables


def terms_of(config):
    return jax.jit(functools.partial(vamp_vae.terms, config))(variables_of(config), IMAGES, NOISE)[0]


def test_pseudo_inputs_that_are_the_data_make_the_prior_the_aggregate_posterior():
    """Then the mean of log q(z|x) / p(z) is the information that z has of which image it is: at most log N."""
    q, _ = vamp_vae.encode(PLAIN, variables_of(PLAIN), IMAGES)
    prior, _ = vamp_vae.components(PLAIN, variables_of(PLAIN))
    np.testing.assert_allclose(prior.mean, q.mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(prior.logvar, q.logvar, rtol=1e-4, atol=1e-5)
    found = terms_of(PLAIN)
    assert (-found.log_ratio <= np.log(6) + 1e-4).all() and -found.log_ratio.mean() > 0
    np.testing.assert_allclose(found.kl[:, 0], -found.log_ratio.mean(axis=1), rtol=1e-5)


def test_log_prior_is_that_of_the_mixture_in_numpy():
    prior = Diagonal(*jax.random.normal(jax.random.key(3), (2, 4, 3)))
    latents = jax.random.normal(jax.random.key(4), (5, 3))
    mean, logvar, z = (np.asarray(value, np.float64) for value in (*prior, latents))
    squared = (z[:, None] - mean) ** 2 / np.exp(logvar)
    densities = np.exp(-0.5 * (squared + logvar + np.log(2 * np.pi)).sum(axis=2))
    np.testing.assert_allclose(vamp_vae.log_prior(prior, latents), np.log(densities.mean(axis=1)), rtol=1e-4)
    backwards = Diagonal(prior.mean[::-1], prior.logvar[::-1])
    np.testing.assert_allclose(vamp_vae.log_prior(backwards, latents), vamp_vae.log_prior(prior, latents), rtol=1e-5)


def test_equal_pseudo_inputs_are_one_gaussian():
    config = dataclasses.replace(PLAIN, pseudo_inputs=fixed(jnp.repeat(IMAGES[:1], 6, axis=0)))
    variables = variables_of(config)
    q, _ = vamp_vae.encode(config, variables, IMAGES)
    one = Diagonal(*(jnp.broadcast_to(value[:1], value.shape) for value in q))
    latents = bounds.reparametrize(q, NOISE)
    np.testing.assert_allclose(terms_of(config).log_ratio, bounds.log_ratio(q, one, latents), rtol=1e-3, atol=1e-3)


def test_loss_is_the_negative_bound():
    variables, mode = variables_of(PLAIN), Mode(train=True)
    loss, (metrics, _) = jax.jit(functools.partial(vamp_vae.bound_loss, PLAIN))(variables, IMAGES, NOISE, mode)
    found = terms_of(PLAIN)
    assert loss == pytest.approx(float((found.nll - found.log_ratio).mean()), rel=1e-5)
    assert metrics.keys() == {"loss", "reconstruction", "kl", "elbo"}


def test_noise_of_the_prior_that_encodes_an_image_decodes_to_that_of_its_posterior_mean():
    state = vamp_vae.init(PLAIN, jax.random.key(0))
    latents = vamp_vae.to_latents(PLAIN, state, IMAGES)
    assert latents.shape == (6, 4) == (6, *PLAIN.prior.shape)
    means = vamp_vae.posterior_means(PLAIN, state, IMAGES)
    outputs, _ = vamp_vae.decode(PLAIN, state.autoencoder.variables, means)
    wanted = PLAIN.likelihood.mean(outputs, PLAIN.value_range)
    np.testing.assert_allclose(vamp_vae.from_latents(PLAIN, state, latents), wanted, atol=1e-4)


def test_samples_come_from_every_component_alike():
    """The last number of the noise counts components: with no noise inside, each image is that of a mean."""
    state = vamp_vae.init(PLAIN, jax.random.key(0))
    noise = jax.random.normal(jax.random.key(5), (3_000, 4)).at[:, :3].set(0.0)
    images = vamp_vae.from_latents(PLAIN, state, noise)
    prior, _ = vamp_vae.components(PLAIN, state.autoencoder.variables)
    means = PLAIN.likelihood.mean(vamp_vae.decode(PLAIN, state.autoencoder.variables, prior.mean)[0], (0.0, 1.0))
    apart = np.abs(np.asarray(images[:, None] - means[None])).reshape(3_000, 6, -1).max(axis=2)
    assert apart.min(axis=1).max() < 1e-4
    shares = np.bincount(apart.argmin(axis=1), minlength=6) / 3_000
    np.testing.assert_allclose(shares, 1 / 6, atol=4 * np.sqrt(5 / 36 / 3_000))


def test_evidence_is_made_of_the_terms():
    config = dataclasses.replace(PLAIN, likelihood=Gaussian(0.3))
    state = vamp_vae.init(config, jax.random.key(0))
    found = jax.jit(lambda state: vamp_vae.evidence(config, state, IMAGES, jax.random.key(6), (6, 3)))(state)
    assert all(np.isfinite(value).all() and value.shape == (6,) for value in found)
    assert (found.log_evidence >= -(found.nll + found.kl) - 2.0).all()


def test_defaults_are_the_papers():
    """784-300-300-80, its mirror, and 500 pseudo-inputs, each with the bias that all share."""
    state = jax.eval_shape(functools.partial(vamp_vae.init, vamp_vae.Config()), jax.random.key(0))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    params = state.autoencoder.params
    assert count(params["encoder"]) == 785 * 300 + 301 * 300 + 301 * 80
    assert count(params["decoder"]) == 41 * 300 + 301 * 300 + 301 * 784
    assert count(params["pseudo_inputs"]) == 501 * 784


@pytest.mark.parametrize(("setting", "value"), [("latent_dim", 0), ("num_components", 0), ("value_range", (0.0, 2.0))])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .*, but must be"):
        dataclasses.replace(TINY, **{setting: value})
