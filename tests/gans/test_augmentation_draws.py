"""How often and how far each transformation goes."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import affine_augmentations as affine
from jaxgen.gans import augmentation_draws as draws
from jaxgen.gans.augmentation_draws import Blit, Color, Cutout, Filter, Geometry, Noise

NUM = 4000
KEYS = jax.random.split(jax.random.key(0), NUM)
HALF = jnp.float32(0.5)


def each(draw, *settings, p=HALF):
    return np.asarray(jax.jit(jax.vmap(functools.partial(draw, *settings, p)))(KEYS), np.float64)


def share_within(found, wanted, num=NUM):
    assert found == pytest.approx(wanted, abs=4 * math.sqrt(wanted * (1 - wanted) / num))


def test_one_image_of_four_is_mirrored_with_p_a_half():
    found = each(draws.blit_map, Blit(1.0, 0.0, 0.0), (8, 8))
    share_within((found[:, 0, 0] == -1).mean(), 0.25)
    np.testing.assert_array_equal(found[:, 1:], np.broadcast_to(np.eye(3)[1:], (NUM, 2, 3)))


def test_quarter_turns_are_uniform_and_one_of_four_is_none():
    found = each(draws.blit_map, Blit(0.0, 1.0, 0.0), (8, 8))
    for turns, share in ((0, 0.5 + 0.125), (1, 0.125), (2, 0.125), (3, 0.125)):
        wanted = np.asarray(affine.quarter_turns(jnp.int32(turns)))
        share_within((found == wanted).all((1, 2)).mean(), share)


def test_shifts_go_an_eighth_of_each_side_to_whole_pixels():
    found = each(draws.blit_map, Blit(0.0, 0.0, 1.0), (16, 40))
    for axis, farthest in ((0, 5), (1, 2)):
        np.testing.assert_array_equal(np.unique(found[:, axis, 2]), np.arange(-farthest, farthest + 1))
        happened = 0.5 * (1 - 1 / (2 * farthest))  # all but those within half a pixel
        share_within((found[:, axis, 2] != 0).mean(), happened)


def test_multipliers_multiply_p_which_is_at_most_1():
    share_within((each(draws.blit_map, Blit(0.5, 0.0, 0.0), (8, 8))[:, 0, 0] == -1).mean(), 0.125)
    share_within((each(draws.blit_map, Blit(7.0, 0.0, 0.0), (8, 8))[:, 0, 0] == -1).mean(), 0.5)
    turned = each(draws.geometry_map, Geometry(0.0, 3.0, 0.0, 0.0), (8, 8))
    assert (turned[:, 0, 0] != 1).all()


def test_scales_are_normal_in_octaves_and_the_same_along_both_axes():
    found = each(draws.geometry_map, Geometry(1.0, 0.0, 0.0, 0.0), (8, 8))
    octaves = np.log2(found[:, 0, 0])
    np.testing.assert_array_equal(found[:, 0, 0], found[:, 1, 1])
    share_within((octaves != 0).mean(), 0.5)
    assert octaves[octaves != 0].std() == pytest.approx(0.2, rel=0.1)
    assert octaves[octaves != 0].mean() == pytest.approx(0.0, abs=4 * 0.2 / math.sqrt(NUM / 2))


def test_a_stretch_keeps_the_area():
    found = each(draws.geometry_map, Geometry(0.0, 0.0, 1.0, 0.0), (8, 8))
    np.testing.assert_allclose(found[:, 0, 0] * found[:, 1, 1], 1.0, rtol=1e-6)
    octaves = np.log2(found[:, 0, 0])
    share_within((octaves != 0).mean(), 0.5)
    assert octaves[octaves != 0].std() == pytest.approx(0.2, rel=0.1)


def test_half_of_the_images_are_turned_before_or_after_the_stretch():
    """Each with 1 - sqrt(1 - p); both with its square. An angle and the sum of two are uniform."""
    found = each(draws.geometry_map, Geometry(0.0, 1.0, 0.0, 0.0), (8, 8))
    angles = np.arctan2(found[:, 1, 0], found[:, 0, 0])
    happens = (found != np.eye(3)).any((1, 2))
    share_within(happens.mean(), 0.5)
    histogram = np.histogram(angles[happens], bins=4, range=(-math.pi, math.pi))[0]
    np.testing.assert_allclose(histogram, NUM / 8, atol=4 * math.sqrt(NUM / 8))
    small = each(draws.geometry_map, Geometry(0.0, 1.0, 0.0, 0.0, angle=0.1), (8, 8))
    angles = np.abs(np.arctan2(small[:, 1, 0], small[:, 0, 0]))
    assert 0.1 < angles.max() <= 0.2 + 1e-6  # two of one sign
    share_within((angles > 0.1).mean(), (1 - math.sqrt(0.5)) ** 2 / 4)  # half of one sign, half of their sums above


def test_shifts_by_parts_of_pixels_are_normal_in_shares_of_each_side():
    found = each(draws.geometry_map, Geometry(0.0, 0.0, 0.0, 1.0), (16, 40))
    for axis, side in ((0, 40), (1, 16)):
        moved = found[:, axis, 2][found[:, axis, 2] != 0]
        share_within(len(moved) / NUM, 0.5)
        assert moved.std() / side == pytest.approx(0.125, rel=0.1)


def test_colours_are_drawn_from_the_authors_distributions():
    """Each alone: the matrix says what was drawn."""

    def drawn(**multiplier):
        off = {"brightness": 0.0, "contrast": 0.0, "luma_flip": 0.0, "hue": 0.0, "saturation": 0.0}
        return each(draws.color_map, Color(**off | multiplier), 3)

    brightness = drawn(brightness=1.0)[:, 0, 3]
    contrast = np.log2(drawn(contrast=1.0)[:, 0, 0])
    saturation = drawn(saturation=1.0)[:, 0, 0] - drawn(saturation=1.0)[:, 0, 1]
    for values, std in ((brightness, 0.2), (contrast, 0.5), (np.log2(saturation), 1.0)):
        happens = np.abs(values) > 1e-6
        share_within(happens.mean(), 0.5)
        assert values[happens].std() == pytest.approx(std, rel=0.1)
        assert values[happens].mean() == pytest.approx(0.0, abs=4 * std / math.sqrt(NUM / 2))
    share_within((np.abs(drawn(luma_flip=1.0)[:, 0, 0] - 1) > 0.1).mean(), 0.25)
    hue = drawn(hue=1.0)
    share_within((hue != np.eye(4)).any((1, 2)).mean(), 0.5)
    share_within((np.trace(hue[:, :3, :3], axis1=1, axis2=2) > 1).mean(), 0.5 + 0.25)  # 1 + 2 cos(angle)


def test_the_whole_colour_map_is_the_product_in_order_and_grey_images_have_no_hue():
    """With p = 1 and the deviations 0 the luma alone is flipped or not, after the brightness has moved by nothing."""
    flips = each(draws.color_map, Color(1.0, 1.0, 1.0, 0.0, 0.0, 0.3, 0.0), 3, p=jnp.float32(1.0))
    level = flips[:, :3, :3].sum(2).mean(1)  # of greys: 1 or -1
    assert set(np.round(level, 5)) == {-1.0, 1.0}
    brightness = each(draws.color_map, Color(1.0, 0.0, 0.0, 0.0, 0.0, 0.3), 3, p=jnp.float32(1.0))[:, 0, 3]
    np.testing.assert_allclose(flips[:, 0, 3], level * brightness, atol=1e-6)  # brightness first, then the flip
    grey = each(draws.color_map, Color(0.0, 0.0, 0.0, 1.0, 1.0), 1, p=jnp.float32(1.0))
    np.testing.assert_array_equal(grey, np.broadcast_to(np.eye(4), grey.shape))


def test_bands_happen_one_by_one_and_each_keeps_the_expected_power():
    found = each(draws.band_gains, Filter(1.0))
    share_within((found == 1).all(1).mean(), 0.5**4)
    one = each(draws.band_gains, Filter(1.0), p=jnp.float32(0.02))
    single = one[[len(np.unique(row)) == 2 for row in one]]
    assert len(single) > 100
    np.testing.assert_allclose((np.array([10, 1, 1, 1]) / 13 * single**2).sum(1), 1.0, rtol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        lambda: Blit(mirror=-1.0),
        lambda: Geometry(scale_std=-0.1),
        lambda: Color(hue=-1.0),
        lambda: Filter(-1.0),
        lambda: Noise(std=-1.0),
        lambda: Cutout(-1.0),
    ],
)
def test_settings_below_0_are_refused(settings):
    with pytest.raises(ValueError, match="must be at least 0"):
        settings()
