import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxgen.autoencoders.likelihoods import Bernoulli, DiscretizedLogistic, Gaussian, LearnedGaussian
from jaxgen.images import content_keys

NUM = 300
UNIT = (0.0, 1.0)
IMAGES = jax.random.uniform(jax.random.key(0), (NUM, 4, 4, 1))
KEYS = jax.random.split(jax.random.key(1), NUM)
OUTPUTS = jax.random.normal(jax.random.key(2), (NUM, 4, 4, 2))
ALL = [Bernoulli(), Gaussian(0.3), LearnedGaussian(), DiscretizedLogistic()]


@functools.cache
def compiled(method):
    """A likelihood's `observe` or `nll`, the value range static: one program in place of one for each operation."""
    return jax.jit(method, static_argnums=2)


def summed(values):
    return np.asarray(values).reshape(NUM, -1).sum(1)


def test_binary_pixels_are_drawn_from_the_grey_levels():
    pixels = compiled(Bernoulli("each_step").observe)(IMAGES, KEYS, UNIT)
    assert set(np.unique(pixels)) == {0.0, 1.0}
    error = np.asarray(pixels - IMAGES).mean()  # each of variance x (1 - x), 1/6 on average
    assert abs(error) < 4 * math.sqrt(1 / 6 / (NUM * 16))
    bright = np.asarray(IMAGES) > 0.8
    assert np.asarray(pixels)[bright].mean() == pytest.approx(0.9, abs=4 * math.sqrt(0.09 / bright.sum()))
    other = compiled(Bernoulli("each_step").observe)(IMAGES, KEYS[::-1], UNIT)
    assert not np.array_equal(pixels, other)


def test_pixels_drawn_once_depend_on_the_image_alone():
    likelihood = Bernoulli("once")
    pixels = compiled(likelihood.observe)(IMAGES, KEYS, UNIT)
    np.testing.assert_array_equal(pixels[::-1], compiled(likelihood.observe)(IMAGES[::-1], KEYS, UNIT))
    np.testing.assert_array_equal(
        pixels, compiled(Bernoulli("each_step").observe)(IMAGES, content_keys(IMAGES, UNIT), UNIT)
    )
    np.testing.assert_array_equal(pixels, compiled(likelihood.observe)(2 * IMAGES - 1, KEYS, (-1.0, 1.0)))
    assert abs(np.asarray(pixels - IMAGES).mean()) < 4 * math.sqrt(1 / 6 / (NUM * 16))


def test_content_keys_differ_wherever_one_pixel_differs_by_a_level():
    image = jnp.zeros((1, 4, 4, 1))
    others = jnp.concatenate([image, *(image.at[0, i // 4, i % 4, 0].set(1 / 255) for i in range(16))])
    keys = jax.random.key_data(content_keys(others, UNIT))
    assert len(np.unique(np.asarray(keys), axis=0)) == 17


def test_thresholds_and_grey_levels_draw_nothing():
    np.testing.assert_array_equal(compiled(Bernoulli("threshold").observe)(IMAGES, KEYS, UNIT), IMAGES > 0.5)
    np.testing.assert_array_equal(compiled(Bernoulli("never").observe)(IMAGES, KEYS, UNIT), IMAGES)
    np.testing.assert_allclose(
        compiled(Bernoulli("never").observe)(2 * IMAGES - 1, KEYS, (-1.0, 1.0)), IMAGES, atol=1e-6
    )


def test_bernoulli_is_scipys_probability_of_the_pixels():
    pixels = compiled(Bernoulli("each_step").observe)(IMAGES, KEYS, UNIT)
    logits = 3 * OUTPUTS[..., :1]
    wanted = -stats.bernoulli(1 / (1 + np.exp(-np.asarray(logits, np.float64)))).logpmf(np.asarray(pixels))
    np.testing.assert_allclose(compiled(Bernoulli().nll)(logits, pixels, UNIT), summed(wanted), rtol=1e-4)


@pytest.mark.parametrize(
    ("value_range", "squash"),
    [(UNIT, lambda x: 1 / (1 + np.exp(-x))), ((-1.0, 1.0), np.tanh), (None, lambda x: x)],
)
def test_gaussians_are_scipys_densities_around_means_in_the_range(value_range, squash):
    means = squash(np.asarray(OUTPUTS[..., :1], np.float64))
    targets = np.asarray(IMAGES)
    fixed, learned = Gaussian(0.3), LearnedGaussian(0.05)
    wanted = -stats.norm(means, math.sqrt(0.3)).logpdf(targets)
    np.testing.assert_allclose(compiled(fixed.nll)(OUTPUTS[..., :1], IMAGES, value_range), summed(wanted), rtol=1e-4)
    raw, lowest = np.asarray(OUTPUTS[..., 1:], np.float64), 2 * math.log(0.05)
    logvar = lowest + np.log1p(np.exp(raw - lowest))
    wanted = -stats.norm(means, np.exp(logvar / 2)).logpdf(targets)
    np.testing.assert_allclose(compiled(learned.nll)(OUTPUTS, IMAGES, value_range), summed(wanted), rtol=1e-4)
    for likelihood, outputs in ((fixed, OUTPUTS[..., :1]), (learned, OUTPUTS)):
        np.testing.assert_allclose(likelihood.mean(outputs, value_range), means, atol=1e-6)


def test_a_variance_of_a_half_is_the_sum_of_squared_errors_up_to_a_constant():
    """The 784 times the mean squared error of a course (docs/courses.md), with another number of pixels."""
    nll = np.asarray(compiled(Gaussian(0.5).nll)(OUTPUTS[..., :1], IMAGES, None))
    squares = summed(np.square(OUTPUTS[..., :1] - IMAGES))
    np.testing.assert_allclose(nll - squares, 16 * 0.5 * math.log(math.pi), atol=1e-4)


def test_a_learned_deviation_stays_above_its_minimum_with_a_gradient_below_it():
    likelihood = LearnedGaussian(0.05)
    low = jnp.concatenate([jnp.zeros((1, 2, 2, 1)), jnp.full((1, 2, 2, 1), -30.0)], axis=-1)
    exact = jnp.full((1, 2, 2, 1), 0.5)
    nll = compiled(likelihood.nll)(low, exact, UNIT)
    assert nll[0] == pytest.approx(4 * (0.5 * math.log(2 * math.pi) + math.log(0.05)), rel=1e-5)
    beginning = low.at[..., 1].set(2 * math.log(0.05) - 3.0)
    far = jax.grad(lambda outputs: compiled(likelihood.nll)(outputs, exact + 0.5, UNIT).sum())(beginning)
    assert (far[..., 1] < -0.01).all()


def test_the_levels_of_a_discretized_logistic_sum_to_one():
    levels = jnp.linspace(-1.0, 1.0, 5)[:, None]
    for raw in (-0.5, 1.0):
        outputs = jnp.tile(jnp.array([[0.2, raw]]), (5, 1))
        nll = compiled(DiscretizedLogistic(5).nll)(outputs, levels, (-1.0, 1.0))
        assert np.exp(-nll).sum() == pytest.approx(1.0, rel=1e-5)


def test_discretized_images_are_at_levels_and_stored_pixels_stay_as_they_are():
    stored = jnp.arange(256, dtype=jnp.float32)[None] * (2 / 255) - 1
    np.testing.assert_allclose(
        compiled(DiscretizedLogistic().observe)(stored, KEYS[:1], (-1.0, 1.0)), stored, atol=1e-6
    )
    coarse = compiled(DiscretizedLogistic(3).observe)(IMAGES, KEYS, UNIT)
    assert set(np.unique(coarse)) == {0.0, 0.5, 1.0}
    assert np.abs(coarse - IMAGES).max() <= 0.25 + 1e-6


def test_the_mean_of_a_discretized_logistic_is_clipped_to_the_range():
    means = DiscretizedLogistic().mean(5 * OUTPUTS, (-1.0, 1.0))
    np.testing.assert_array_equal(means, np.clip(5 * np.asarray(OUTPUTS[..., :1]), -1, 1))


@pytest.mark.parametrize("likelihood", ALL)
def test_outputs_of_the_likelihoods_shape_give_one_nll_and_one_mean_an_image(likelihood):
    shape = likelihood.output_shape((4, 4, 1))
    outputs = OUTPUTS[..., : shape[-1]]
    assert outputs.shape[1:] == shape
    targets = compiled(likelihood.observe)(IMAGES, KEYS, UNIT)
    assert compiled(likelihood.nll)(outputs, targets, UNIT).shape == (NUM,)
    means = likelihood.mean(outputs, UNIT)
    assert means.shape == IMAGES.shape and means.min() >= 0 and means.max() <= 1


@pytest.mark.parametrize("likelihood", ALL)
def test_extreme_outputs_have_finite_losses_and_gradients(likelihood):
    shape = likelihood.output_shape((4, 4, 1))
    for extreme in (-1e3, 1e3):
        outputs = jnp.full((NUM, *shape), extreme)
        loss, gradient = jax.value_and_grad(lambda o: compiled(likelihood.nll)(o, jnp.round(IMAGES), UNIT).sum())(
            outputs
        )
        assert np.isfinite(loss) and np.isfinite(gradient).all()


@pytest.mark.parametrize("likelihood", [Bernoulli(), DiscretizedLogistic()])
def test_likelihoods_of_pixels_need_a_range(likelihood):
    with pytest.raises(ValueError, match=r"need a value_range such as \(0.0, 1.0\), not None"):
        compiled(likelihood.observe)(IMAGES, KEYS, None)


@pytest.mark.parametrize(
    "make",
    [lambda: Gaussian(0.0), lambda: LearnedGaussian(0.0), lambda: DiscretizedLogistic(1)],
)
def test_settings_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="but must be"):
        make()
