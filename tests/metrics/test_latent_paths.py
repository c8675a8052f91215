"""Perceptual path length: generators whose lengths are known, trimmed means against NumPy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.metrics import perceptual_path_lengths, trimmed_mean
from tests.metrics import inputs
from tests.metrics.numbers import in_float64

RNG = np.random.default_rng(0)
STARTS, ENDS, TIMES = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 4)), RNG.uniform(size=6)
MATRIX = RNG.normal(size=(4, 12))


def squared(a, b):
    return ((a - b) ** 2).reshape(len(a), -1).sum(1)


def linear(a, b, t):
    return a + t[:, None] * (b - a)


def spherical(a, b, t):
    """sin((1 - t) angle) / sin(angle) a + sin(t angle) / sin(angle) b, of unit vectors."""
    a, b = (x / jnp.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    angle = jnp.arccos((a * b).sum(1))[:, None]
    t = t[:, None]
    return (jnp.sin((1 - t) * angle) * a + jnp.sin(t * angle) * b) / jnp.sin(angle)


def lengths(interpolate, epsilon, times=TIMES):
    def found(matrix, starts, ends, times):
        images = functools.partial(lambda z: (z @ matrix).reshape(-1, 2, 2, 3))
        return perceptual_path_lengths(images, squared, interpolate, (starts, ends), times, epsilon=epsilon)

    return in_float64(found, MATRIX, STARTS, ENDS, times)


@pytest.mark.parametrize("epsilon", [1e-4, 0.25])
@pytest.mark.parametrize("times", [TIMES, np.zeros(6)])
def test_linear_generator_has_its_squared_slope_whatever_the_step(epsilon, times):
    expected = (((ENDS - STARTS) @ MATRIX) ** 2).sum(1)
    np.testing.assert_allclose(lengths(linear, epsilon, times), expected, rtol=1e-7)


def test_great_circle_has_the_squared_angle():
    def identity(starts, ends, times):
        return perceptual_path_lengths(lambda z: z, squared, spherical, (starts, ends), times)

    cosines = (STARTS * ENDS).sum(1) / np.linalg.norm(STARTS, axis=1) / np.linalg.norm(ENDS, axis=1)
    np.testing.assert_allclose(in_float64(identity, STARTS, ENDS, TIMES), np.arccos(cosines) ** 2, rtol=1e-6)


def test_constant_generator_has_length_zero():
    zeros = jnp.zeros((3, 2))
    found = perceptual_path_lengths(jnp.zeros_like, squared, linear, (zeros, zeros + 1), jnp.zeros(3))
    np.testing.assert_array_equal(found, 0)


@pytest.mark.parametrize(("lower", "upper"), [(1.0, 99.0), (0.0, 100.0), (10.0, 60.0)])
def test_trimmed_mean_is_that_of_the_authors(lower, upper):
    values = inputs.features(50)[:, 0] ** 2
    low = np.percentile(values, lower, method="lower")
    high = np.percentile(values, upper, method="higher")
    expected = values[(low <= values) & (values <= high)].mean()
    np.testing.assert_allclose(in_float64(lambda v: trimmed_mean(v, lower=lower, upper=upper), values), expected)


def test_one_wild_value_is_left_out():
    # Of 1000 values the percentiles 1 and 99 leave about 10 out at either end.
    values = jnp.ones(1000).at[3].set(1e6)
    np.testing.assert_allclose(trimmed_mean(values), 1.0)


def test_latents_and_settings_that_do_not_fit_are_refused():
    zeros = jnp.zeros((3, 2))
    paths = functools.partial(perceptual_path_lengths, jnp.sin, squared, linear)
    for bad in (((zeros, zeros[:1]), jnp.zeros(3)), ((zeros, zeros), jnp.zeros(2))):
        with pytest.raises(ValueError, match="do not fit: they must be"):
            paths(*bad)
    with pytest.raises(ValueError, match=r"epsilon is 0\.0, but must be positive"):
        paths((zeros, zeros), jnp.zeros(3), epsilon=0.0)
    with pytest.raises(ValueError, match=r"percentiles is \(9\.0, 9\.0\), but must be in order"):
        trimmed_mean(jnp.zeros(3), lower=9.0, upper=9.0)
    with pytest.raises(ValueError, match="distance"):
        perceptual_path_lengths(jnp.sin, lambda a, b: a - b, linear, (zeros, zeros), jnp.zeros(3))
    assert jax.eval_shape(paths, (zeros, zeros), jnp.zeros(3)).shape == (3,)
