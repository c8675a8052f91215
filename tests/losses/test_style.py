"""Gram matrices and what they do not see."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.losses import gram_matrix, style_error

FEATURES = jax.random.normal(jax.random.key(0), (3, 4, 5, 6))
TARGETS = jax.random.normal(jax.random.key(1), (3, 4, 5, 6))


def by_loops(features):
    batch, height, width, channels = features.shape
    gram = np.zeros((batch, channels, channels))
    for row in range(height):
        for column in range(width):
            place = np.asarray(features[:, row, column], np.float64)
            gram += place[:, :, None] * place[:, None, :]
    return gram / (height * width * channels)


def test_a_gram_matrix_is_the_sum_over_places_of_products_of_channels():
    gram = gram_matrix(FEATURES)
    np.testing.assert_allclose(gram, by_loops(FEATURES), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gram, gram.swapaxes(1, 2))
    assert np.linalg.eigvalsh(np.asarray(gram, np.float64)).min() > -1e-6


def test_style_is_the_mean_difference_of_gram_matrices():
    wanted = np.abs(by_loops(FEATURES) - by_loops(TARGETS)).mean(axis=(1, 2))
    np.testing.assert_allclose(style_error(FEATURES, TARGETS), wanted, rtol=1e-4)


def test_style_does_not_see_where_features_are():
    """Nor how large the maps are: twice the same places are the same style."""
    places = FEATURES.reshape(3, 20, 6)[:, np.random.default_rng(0).permutation(20)].reshape(3, 5, 4, 6)
    np.testing.assert_allclose(style_error(FEATURES, places), 0.0, atol=1e-6)
    doubled = jnp.concatenate([FEATURES, FEATURES], axis=1)
    np.testing.assert_allclose(style_error(FEATURES, doubled), 0.0, atol=1e-6)
    np.testing.assert_allclose(style_error(FEATURES, -FEATURES), 0.0, atol=1e-6)


def test_style_sees_which_channels_appear_together():
    exchanged = FEATURES[..., ::-1]
    assert (style_error(FEATURES, exchanged) > 1e-3).all()
