"""Laws of each map of colours, and the hue and saturation of colours that are known by name."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import color_augmentations as color


def images(channels=3, num=2):
    return jax.random.uniform(jax.random.key(0), (num, 4, 5, channels), minval=-1.0)


def recolored(one, x):
    return np.asarray(color.recolor(x, jnp.broadcast_to(one, (len(x), 4, 4))))


NEUTRAL = {
    "brightness": color.brightness(jnp.float32(0.0)),
    "contrast": color.contrast(jnp.float32(1.0)),
    "luma_flip": color.luma_flip(jnp.array(False)),
    "hue": color.hue(jnp.float32(0.0)),
    "saturation": color.saturation(jnp.float32(1.0)),
}


@pytest.mark.parametrize("name", NEUTRAL)
def test_the_neutral_map_is_exactly_the_identity(name):
    np.testing.assert_array_equal(NEUTRAL[name], np.eye(4, dtype=np.float32))
    for channels in (1, 3):
        np.testing.assert_array_equal(recolored(NEUTRAL[name], images(channels)), images(channels))


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_adds_and_keeps_differences_and_contrast_multiplies(channels):
    x = images(channels)
    np.testing.assert_allclose(recolored(color.brightness(jnp.float32(0.3)), x) - x, 0.3, atol=1e-6)
    np.testing.assert_allclose(recolored(color.contrast(jnp.float32(1.7)), x), 1.7 * np.asarray(x), rtol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_flipping_the_luma_exchanges_dark_and_light_and_twice_is_the_identity(channels):
    x, flip = images(channels), color.luma_flip(jnp.array(True))
    found = recolored(flip, x)
    np.testing.assert_allclose(found.mean(3), -x.mean(3), atol=1e-6)
    chroma = np.asarray(x - x.mean(3, keepdims=True))
    np.testing.assert_allclose(found - found.mean(3, keepdims=True), chroma, atol=1e-6)
    np.testing.assert_allclose(recolored(flip, jnp.asarray(found)), x, atol=1e-6)


def test_a_third_of_a_turn_of_hue_makes_red_green_and_a_whole_one_nothing():
    third = color.hue(jnp.float32(2 * math.pi / 3))
    np.testing.assert_allclose(third[:3, :3] @ np.eye(3), np.roll(np.eye(3), 1, axis=0), atol=1e-6)
    whole = third @ third @ third
    np.testing.assert_allclose(whole, np.eye(4), atol=1e-6)


@pytest.mark.parametrize("angle", [0.4, -2.0])
def test_hue_is_a_rotation_that_keeps_greys(angle):
    turn = np.asarray(color.hue(jnp.float32(angle)))
    np.testing.assert_allclose(turn @ turn.T, np.eye(4), atol=1e-6)
    assert np.linalg.det(turn) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(turn[:3, :3] @ np.ones(3), np.ones(3), atol=1e-6)
    assert np.trace(turn[:3, :3]) == pytest.approx(1 + 2 * math.cos(angle), abs=1e-6)


def test_saturation_scales_the_distance_from_grey():
    x = images()
    found = recolored(color.saturation(jnp.float32(0.4)), x)
    np.testing.assert_allclose(found.mean(3), x.mean(3), atol=1e-6)
    chroma = np.asarray(x - x.mean(3, keepdims=True))
    np.testing.assert_allclose(found - found.mean(3, keepdims=True), 0.4 * chroma, atol=1e-6)


def test_maps_are_applied_from_right_to_left_each_to_its_image():
    x = images()
    brighter, stronger = color.brightness(jnp.float32(0.5)), color.contrast(jnp.float32(2.0))
    found = color.recolor(x, jnp.stack([stronger @ brighter, brighter @ stronger]))
    np.testing.assert_allclose(found[0], 2 * (x[0] + 0.5), rtol=1e-5)
    np.testing.assert_allclose(found[1], 2 * x[1] + 0.5, rtol=1e-5)


def test_a_grey_image_becomes_the_mean_of_its_three_colours():
    x, some = images(1), jax.random.normal(jax.random.key(1), (2, 4, 4))
    of_colors = color.recolor(jnp.broadcast_to(x, (*x.shape[:3], 3)), some)
    np.testing.assert_allclose(color.recolor(x, some), of_colors.mean(3, keepdims=True), atol=1e-5)


def test_halves_stay_halves_and_two_channels_are_refused():
    assert color.recolor(images().astype(jnp.bfloat16), jnp.stack([jnp.eye(4)] * 2)).dtype == jnp.bfloat16
    with pytest.raises(ValueError, match="channels of images is 2, but must be 1 or 3"):
        color.recolor(images(2), jnp.stack([jnp.eye(4)] * 2))
