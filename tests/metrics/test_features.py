"""Features: TensorFlow 1's resizing as torch-fidelity has it, principal components as scikit-learn has them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.decomposition import PCA

from jaxgen.metrics import inception_inputs, moments, pca_extractor, raw_pixels, resize_bilinear
from tests.metrics import inputs
from tests.metrics.golden import stored
from tests.metrics.numbers import in_float64, single

jitted = jax.jit(resize_bilinear, static_argnums=(1, 2))


@pytest.mark.parametrize("size", [(40, 32), (512, 300)])
def test_resizing_agrees_with_torch_fidelity(size):
    images = single(inputs.pixels(1, *size))
    value = jitted(images, 299, 299)[0, ::23, ::31]
    np.testing.assert_allclose(value, stored("resize")["{}x{}".format(*size)], atol=1e-4)


def test_resizing_to_the_same_size_changes_nothing_and_halving_takes_every_second_pixel():
    images = single(inputs.pixels(1))
    np.testing.assert_array_equal(jitted(images, 40, 32), images)
    np.testing.assert_array_equal(jitted(images, 20, 16), images[:, ::2, ::2])
    np.testing.assert_array_equal(jitted(images, 80, 64)[:, ::2, ::2], images)


def test_resizing_keeps_a_ramp_up_to_its_last_pixel():
    ramp = jnp.arange(10.0)[None, :, None, None]
    np.testing.assert_allclose(jitted(ramp, 40, 1)[0, :, 0, 0], np.minimum(np.arange(40) / 4, 9), atol=1e-6)


def test_inception_inputs_are_those_of_stored_pixels():
    pixels = jnp.asarray(inputs.pixels(1, 299, 299))
    value = inception_inputs(pixels)
    np.testing.assert_array_equal(value, (single(pixels) - 128) / 128)
    np.testing.assert_array_equal(inception_inputs(single(pixels) / 255, (0.0, 1.0)), value)
    grey = inception_inputs(pixels[..., :1])
    np.testing.assert_array_equal(grey, jnp.repeat(value[..., :1], 3, axis=3))


def test_principal_components_are_those_of_scikit_learn_up_to_sign():
    features, others = inputs.pairs()
    expected = PCA(3).fit(features).transform(others)
    found = in_float64(lambda x, y: pca_extractor(moments(x), 3)(y), features, others)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=1e-8, atol=1e-10)


def test_all_principal_components_keep_distances_and_their_signs_are_fixed():
    features = single(inputs.features())
    found = pca_extractor(moments(features), 8)(features)
    np.testing.assert_allclose(np.cov(found.T), np.diag(np.diag(np.cov(found.T))), atol=1e-3)
    difference = jnp.linalg.norm(features[:-1] - features[1:], axis=1)
    np.testing.assert_allclose(jnp.linalg.norm(found[:-1] - found[1:], axis=1), difference, rtol=1e-4)
    directions = pca_extractor(moments(features)._replace(mean=jnp.zeros(8)), 8)(jnp.eye(8))
    assert (jnp.take_along_axis(directions, jnp.abs(directions).argmax(axis=0)[None], axis=0) > 0).all()


def test_raw_pixels_are_the_images_in_a_row():
    images = single(inputs.pixels(2, 3, 4) / 255.0)
    np.testing.assert_array_equal(raw_pixels(images), np.asarray(images).reshape(2, 36))


def test_images_that_are_none_are_refused():
    with pytest.raises(ValueError, match=r"images have shape \(2, 8, 8\), but must be \(N, height, width, 1 or 3\)"):
        inception_inputs(jnp.zeros((2, 8, 8)))
    with pytest.raises(ValueError, match=r"images have shape \(2, 8, 8, 2\), but must be"):
        inception_inputs(jnp.zeros((2, 8, 8, 2)))
    with pytest.raises(ValueError, match="images are int32, but must be uint8 pixels or floats"):
        inception_inputs(jnp.zeros((2, 8, 8, 3), int))
    with pytest.raises(ValueError, match=r"size is \(0, 4\), but must be positive"):
        resize_bilinear(jnp.zeros((1, 4, 4, 1)), 0, 4)
    with pytest.raises(ValueError, match="num is 9, but must be from 1 to the 8 features"):
        pca_extractor(moments(single(inputs.features())), 9)
    with pytest.raises(ValueError, match=r"images have shape \(3,\), but must be \(N, \.\.\.\)"):
        raw_pixels(jnp.zeros(3))
