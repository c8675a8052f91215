import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxgen import images

RANGES = [(-1.0, 1.0), (0.0, 1.0)]


@given(value_range=st.sampled_from(RANGES))
def test_every_pixel_value_survives_the_way_there_and_back(value_range):
    pixels = jnp.arange(256, dtype=jnp.uint8)
    scaled = images.scale(pixels, value_range)
    assert scaled.dtype == jnp.float32
    assert (scaled.min(), scaled.max()) == value_range
    np.testing.assert_array_equal(images.to_pixels(scaled, value_range), pixels)


def test_floats_pass_as_they_are():
    batch = jnp.array([0.3, -2.0])
    assert images.scale(batch, None) is batch


def test_values_out_of_range_are_clipped_when_drawn():
    np.testing.assert_array_equal(images.to_pixels(jnp.array([-9.0, 9.0])), [0, 255])


@pytest.mark.parametrize("value_range", RANGES)
def test_squash_fills_the_range_and_no_more(value_range):
    outputs = images.squash(jnp.array([-50.0, 0.0, 50.0]), value_range)
    np.testing.assert_allclose(outputs, [value_range[0], sum(value_range) / 2, value_range[1]], atol=1e-6)


def test_squash_is_tanh_or_sigmoid_or_nothing():
    x = jnp.array([-1.5, 0.2, 2.0])
    np.testing.assert_allclose(images.squash(x, (-1.0, 1.0)), np.tanh(x), rtol=1e-6)
    np.testing.assert_allclose(images.squash(x, (0.0, 1.0)), 1 / (1 + np.exp(-x)), rtol=1e-6)
    assert images.squash(x, None) is x


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: images.scale(jnp.zeros(2, jnp.int32)), "dtype int32; give uint8 pixels or floats"),
        (lambda: images.scale(jnp.zeros(2, jnp.uint8), None), "uint8 pixels need a value_range"),
        (lambda: images.scale(jnp.zeros((0, 2, 2, 1))), "batch size is 0, but must be at least 1"),
        (lambda: images.to_pixels(jnp.zeros(2), None), "data without bounds"),
        (
            lambda: images.squash(jnp.zeros(2), (0.0, 2.0)),
            r"value_range is \(0.0, 2.0\), but must be",
        ),
    ],
)
def test_bad_input_gets_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_images_are_cut_to_the_range_and_left_alone_without_one():
    values = jnp.array([-2.0, -0.5, 0.5, 3.0])
    np.testing.assert_array_equal(images.clip(values, (-1.0, 1.0)), [-1.0, -0.5, 0.5, 1.0])
    np.testing.assert_array_equal(images.clip(values, (0.0, 1.0)), [0.0, 0.0, 0.5, 1.0])
    assert images.clip(values, None) is values


def test_networks_of_features_get_images_in_minus_1_to_1_and_data_without_bounds_as_they_are():
    for value_range in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        low, high = value_range
        found = images.centred(jnp.array([low, (3 * low + high) / 4, high]), value_range)
        np.testing.assert_allclose(found, [-1.0, -0.5, 1.0], atol=1e-6)
    np.testing.assert_array_equal(images.centred(jnp.array([7.0]), None), [7.0])
