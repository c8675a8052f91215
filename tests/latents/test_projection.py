import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import stylegan2, styles
from jaxgen.latents.projection import Projection, feature_distance, project, support_of
from jaxgen.losses.reconstruction import mean_absolute_error
from jaxgen.metrics.similarity import psnr
from jaxgen.minimization import LBFGS, Descent, identity
from jaxgen.optimizers import Adam, Cosine, Optimizer
from jaxgen.priors import Normal, Uniform
from tests.experiments import small_runs

SHAPE = (4, 4, 1)
FIRST, SECOND = (np.random.default_rng(seed).normal(size=size) for seed, size in ((0, (3, 24)), (1, (24, 16))))
ADAM = Descent(Optimizer(0.1, Adam(), schedule=Cosine(400)), steps=400)


def linear(latents):
    return (latents @ SECOND[:3].astype(np.float32)).reshape(-1, *SHAPE)


def network(latents):
    hidden = jnp.tanh(latents @ FIRST.astype(np.float32))
    return jax.nn.sigmoid(hidden @ (SECOND / 5).astype(np.float32)).reshape(-1, *SHAPE)


def draws(num, starts=None, size=3):
    shape = (num, size) if starts is None else (starts, num, size)
    return jax.random.normal(jax.random.key(num + (starts or 0)), shape)


@pytest.mark.parametrize("minimizer", [LBFGS(), ADAM], ids=["lbfgs", "adam"])
def test_a_linear_generator_gives_the_latents_of_least_squares(minimizer):
    images = jax.random.normal(jax.random.key(0), (4, *SHAPE))
    found = jax.jit(functools.partial(project, Projection(minimizer), linear))(images, draws(4, 1))
    wanted = np.linalg.lstsq(SECOND[:3].T, np.asarray(images).reshape(4, -1).T)[0].T
    np.testing.assert_allclose(found.points, wanted, atol=1e-3)


@pytest.mark.parametrize("minimizer", [LBFGS(), ADAM], ids=["lbfgs", "adam"])
def test_images_made_of_latents_are_found_again_in_pixels_and_in_features(minimizer):
    images = network(draws(5))
    features = feature_distance(lambda images: jnp.sqrt(1e-3 + images.reshape(len(images), -1)), pixels=0.1)
    for settings in (Projection(minimizer), Projection(minimizer, features)):
        found = jax.jit(functools.partial(project, settings, network))(images, draws(5, 4))
        assert (psnr(network(found.points), images, data_range=1.0) > 40).all()


@pytest.mark.exhaustive
def test_styles_of_a_style_based_model_are_projected_in_w_and_in_w_plus():
    config = small_runs.STYLED
    state = jax.jit(functools.partial(stylegan2.init, config))(jax.random.key(0))
    num = config.synthesis.num_styles(config.image_shape)
    latents = config.prior.draw(jax.random.key(1), 2)
    ws = styles.to_w_plus(config, state, latents)
    images = stylegan2.from_latents(config, state, latents)
    spaces = {
        "w": (
            lambda w: stylegan2.from_w_plus(config, state, styles.broadcast(w, num)),
            styles.to_w(config, state, draws(8)).reshape(4, 2, -1),
        ),
        "w+": (functools.partial(stylegan2.from_w_plus, config, state), (ws + 0.3)[None]),
    }
    for generate, starts in spaces.values():
        found = jax.jit(functools.partial(project, Projection(), generate))(images, starts)
        assert found.points.shape == starts.shape[1:]
        assert (psnr(generate(found.points), images, data_range=2.0) > 40).all()


def test_what_is_given_with_a_latent_goes_with_its_image():
    def generate(latents, labels):
        return linear(latents) + 10.0 * labels.astype(jnp.float32)[:, None, None, None]

    labels, latents = jnp.array([0, 3, 1]), draws(3)
    found = project(Projection(), generate, generate(latents, labels), draws(3, 1), (labels,))
    np.testing.assert_allclose(found.points, latents, atol=1e-3)


def test_no_feature_is_the_distance_of_pixels_alone():
    images, others = jax.random.normal(jax.random.key(1), (2, 3, *SHAPE))
    found = feature_distance(lambda images: jnp.zeros((len(images), 2)), pixels=2.0)(images, others)
    np.testing.assert_allclose(found, 2 * ((images - others) ** 2).mean(axis=(1, 2, 3)), rtol=1e-5)
    assert (feature_distance(identity, pixels=1.0)(images, images) == 0).all()


def test_latents_keep_to_the_support_of_the_prior():
    support = support_of(Uniform(3, limit=0.4))
    settings = Projection(ADAM, mean_absolute_error, support)
    found = project(settings, linear, linear(2 * draws(3)), draws(3, 1))
    assert np.abs(found.points).max() <= 0.4
    assert support_of(Normal(3)) is identity


def test_nan_in_an_image_is_nan_in_its_value_alone():
    images = linear(draws(2)).at[0, 0, 0].set(jnp.nan)
    found = project(Projection(), linear, images, draws(2, 3))
    assert np.isnan(found.values[0]) and found.values[1] < 1e-6


@pytest.mark.parametrize(
    ("images", "starts", "message"),
    [
        ((2, 4, 4, 1), (1, 3, 3), r"shape of starts is \(1, 3, 3\), but must be \(starts, 2, ...\)"),
        ((2, 4, 4, 1), (0, 2, 3), "shape of starts"),
        ((2, 8, 8, 1), (1, 2, 3), r"shape of images is \(2, 8, 8, 1\), but must be \(2, 4, 4, 1\), as the generator"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(images, starts, message):
    with pytest.raises(ValueError, match=message):
        project(Projection(), linear, jnp.zeros(images), jnp.zeros(starts))
