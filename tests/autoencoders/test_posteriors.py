"""Draws of the posterior of every model that has one: around what `to_latents` gives, and of the variance of q(z|x)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.abilities import PosteriorModel
from jaxgen.autoencoders import (
    bounds,
    cvae,
    factor_vae,
    flow_vae,
    hierarchical_vae,
    joint_vae,
    kl_autoencoder,
    vae,
    vamp_vae,
    variational,
)
from tests.autoencoders import (
    test_cvae,
    test_factor_vae,
    test_flow_vae,
    test_hierarchical_vae,
    test_joint_vae,
    test_kl_autoencoder,
    test_vae,
    test_vamp_vae,
)

DRAWS = 4_000
LABEL = 2


def drawn(module, config, image):
    """The state, one image again and again, and a draw of its posterior for each, (DRAWS, numbers)."""
    state = module.init(config, jax.random.key(0))
    images = jnp.repeat(image[None], DRAWS, axis=0)
    labels = jnp.full(DRAWS, LABEL) if module is cvae else None
    found = jax.jit(lambda key: module.draw_posterior(config, state, key, images, labels))(jax.random.key(1))
    return state, images, labels, found


def q_of(module, config, state, image, labels):
    """Mean and variance of q(z|x) in the model's own units."""
    inputs = (jax.nn.one_hot(labels[:1], config.num_classes),) if module is cvae else ()
    q, _ = module.encode(config, state.autoencoder.variables, image[None], *inputs)
    return q.mean.ravel(), jnp.exp(q.logvar).ravel()


@pytest.mark.parametrize(
    ("module", "config", "image"),
    [
        (vae, test_vae.PLAIN, test_vae.IMAGES[0]),
        (factor_vae, test_factor_vae.PLAIN, test_factor_vae.IMAGES[0]),
        (cvae, test_cvae.FIXED, test_cvae.IMAGES[0]),  # whose prior is N(0, I), so that latents are z
        (kl_autoencoder, test_kl_autoencoder.TINY, test_kl_autoencoder.IMAGES[0]),
    ],
    ids=lambda value: getattr(value, "__name__", "")[8:],
)
def test_draws_have_the_mean_and_the_variance_of_the_posterior(module, config, image):
    state, images, labels, found = drawn(module, config, image)
    mean, variance = q_of(module, config, state, image, labels)
    flat = np.asarray(found).reshape(DRAWS, -1)
    deviations = (flat - np.asarray(mean)) / np.sqrt(np.asarray(variance))
    np.testing.assert_allclose(deviations.mean(axis=0), 0.0, atol=5 / DRAWS**0.5)
    covariance = np.cov(deviations.T)
    np.testing.assert_allclose(covariance, np.eye(len(covariance)), atol=5 * (2 / DRAWS) ** 0.5)
    center = module.to_latents(config, state, images[:1], None if labels is None else labels[:1])
    np.testing.assert_allclose(center.ravel(), mean, rtol=1e-5, atol=1e-6)


def test_a_vamp_prior_has_the_draw_itself_in_another_form():
    config, images = test_vamp_vae.PLAIN, test_vamp_vae.IMAGES
    state = vamp_vae.init(config, jax.random.key(0))
    noise = vamp_vae.draw_posterior(config, state, jax.random.key(1), images)
    z = vae.draw_posterior(config, state, jax.random.key(1), images)
    outputs, _ = vamp_vae.decode(config, state.autoencoder.variables, z)
    wanted = config.likelihood.mean(outputs, config.value_range)
    np.testing.assert_allclose(vamp_vae.from_latents(config, state, noise), wanted, atol=1e-4)
    assert np.abs(z - vae.to_latents(config, state, images)).max() > 0.1


def test_flows_bend_what_is_drawn():
    """The draw of q_0 with the same noise, through the flows: no longer around the mean of q_0, nor as wide."""
    config, image = test_flow_vae.PLAIN, test_flow_vae.IMAGES[0]
    state, images = test_flow_vae.state_of(config), jnp.repeat(image[None], DRAWS, axis=0)
    found = flow_vae.draw_posterior(config, state, jax.random.key(1), images)
    q, flows, _ = flow_vae.encode(config, state.autoencoder.variables, images)
    noise = variational.noise(config, jax.random.key(1), DRAWS, 1)
    wanted, _ = flow_vae.flow(flows, bounds.reparametrize(q, noise))
    np.testing.assert_allclose(found, wanted[:, 0], rtol=1e-5, atol=1e-5)
    assert np.abs(found.mean(axis=0) - q.mean[0]).max() > 0.1


@test_hierarchical_vae.ways
def test_levels_below_see_what_was_drawn_above(ladder):
    """Decoding the noise goes through the levels of the draw: the same z_1, from which the image is decoded."""
    config, variables = test_hierarchical_vae.variables_of(ladder)
    state, images, key = (
        test_hierarchical_vae.state_of(config, variables),
        test_hierarchical_vae.IMAGES,
        jax.random.key(1),
    )
    noise = hierarchical_vae.draw_posterior(config, state, key, images)
    drawn = jax.vmap(lambda i: jax.random.normal(jax.random.fold_in(key, i), (1, config.latent_dim)))(jnp.arange(6))
    (lowest, *_), _ = hierarchical_vae.levels(config, variables, images, drawn)
    outputs, _ = hierarchical_vae.below(config, variables, lowest.latents, 0)
    wanted = config.likelihood.mean(outputs, config.value_range)
    np.testing.assert_allclose(hierarchical_vae.from_latents(config, state, noise), wanted, atol=1e-4)
    assert np.abs(noise - hierarchical_vae.to_latents(config, state, images)).max() > 0.1


def test_categories_are_drawn_as_often_as_they_are_probable():
    config = test_joint_vae.PLAIN
    state, _, _, found = drawn(joint_vae, config, test_joint_vae.IMAGES[0])
    q = joint_vae.predict_codes(config, state, test_joint_vae.IMAGES[:1])
    np.testing.assert_allclose(found[:, : config.continuous_dim].mean(0), q.mean[0], atol=5 / DRAWS**0.5)
    for logits, choices in zip(q.logits, config.codes.one_hot(found), strict=True):
        np.testing.assert_allclose(choices.mean(0), jax.nn.softmax(logits[0]), atol=5 * 0.5 / DRAWS**0.5)


def test_models_say_that_they_have_a_posterior():
    of_vaes = [vae, factor_vae, cvae, kl_autoencoder, vamp_vae, flow_vae, hierarchical_vae, joint_vae]
    assert all(isinstance(module, PosteriorModel) for module in of_vaes)
