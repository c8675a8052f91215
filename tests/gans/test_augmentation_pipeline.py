"""How often and how far each transformation goes, and what the order and the guards promise."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import affine_augmentations as affine
from jaxgen import parallel
from jaxgen.gans import augmentation_pipeline as pipelines
from jaxgen.gans.augmentation_pipeline import BGCFNC, Blit, Color, Cutout, Filter, Geometry, Noise, Pipeline

NUM = 4000
KEYS = jax.random.split(jax.random.key(0), NUM)
STILL, RIGID, COLORLESS = Blit(0.0, 0.0, 0.0), Geometry(0.0, 0.0, 0.0, 0.0), Color(0.0, 0.0, 0.0, 0.0, 0.0)
NOTHING = Pipeline(STILL, RIGID, COLORLESS)
HALF = jnp.float32(0.5)


def images(shape=(6, 6, 3), num=4):
    return jax.random.uniform(jax.random.key(1), (num, *shape), minval=-1.0)


def each(draw, *settings, p=HALF):
    return np.asarray(jax.jit(jax.vmap(functools.partial(draw, *settings, p)))(KEYS), np.float64)


def share_within(found, wanted, num=NUM):
    assert found == pytest.approx(wanted, abs=4 * math.sqrt(wanted * (1 - wanted) / num))


@pytest.mark.parametrize("pipeline", [Pipeline(), BGCFNC, NOTHING], ids=["bgc", "all", "nothing"])
@pytest.mark.parametrize("shape", [(6, 6, 3), (5, 7, 1)], ids=str)
def test_with_p_0_images_are_returned_bit_for_bit_and_so_is_the_gradient(pipeline, shape):
    x, cotangent = images(shape), jax.random.normal(jax.random.key(2), (4, *shape))

    @jax.jit
    def both(x):
        found, pull = jax.vjp(lambda each: pipeline.transform(each, jnp.float32(0.0), KEYS[:4]), x)
        return found, pull(cotangent)[0]

    found, pulled = both(x)
    np.testing.assert_array_equal(found, x)
    np.testing.assert_array_equal(pulled, cotangent)


def test_without_transformations_nothing_happens_with_any_p():
    np.testing.assert_array_equal(NOTHING.transform(images(), jnp.float32(1.0), KEYS[:4]), images())


def test_one_image_of_four_is_mirrored_with_p_a_half():
    found = each(pipelines.blit_map, Blit(1.0, 0.0, 0.0), (8, 8))
    share_within((found[:, 0, 0] == -1).mean(), 0.25)
    np.testing.assert_array_equal(found[:, 1:], np.broadcast_to(np.eye(3)[1:], (NUM, 2, 3)))


def test_quarter_turns_are_uniform_and_one_of_four_is_none():
    found = each(pipelines.blit_map, Blit(0.0, 1.0, 0.0), (8, 8))
    for turns, share in ((0, 0.5 + 0.125), (1, 0.125), (2, 0.125), (3, 0.125)):
        wanted = np.asarray(affine.quarter_turns(jnp.int32(turns)))
        share_within((found == wanted).all((1, 2)).mean(), share)


def test_shifts_go_an_eighth_of_each_side_to_whole_pixels():
    found = each(pipelines.blit_map, Blit(0.0, 0.0, 1.0), (16, 40))
    for axis, farthest in ((0, 5), (1, 2)):
        np.testing.assert_array_equal(np.unique(found[:, axis, 2]), np.arange(-farthest, farthest + 1))
        happened = 0.5 * (1 - 1 / (2 * farthest))  # all but those within half a pixel
        share_within((found[:, axis, 2] != 0).mean(), happened)


def test_multipliers_multiply_p_which_is_at_most_1():
    share_within((each(pipelines.blit_map, Blit(0.5, 0.0, 0.0), (8, 8))[:, 0, 0] == -1).mean(), 0.125)
    share_within((each(pipelines.blit_map, Blit(7.0, 0.0, 0.0), (8, 8))[:, 0, 0] == -1).mean(), 0.5)
    turned = each(pipelines.geometry_map, Geometry(0.0, 3.0, 0.0, 0.0), (8, 8))
    assert (turned[:, 0, 0] != 1).all()


def test_scales_are_normal_in_octaves_and_the_same_along_both_axes():
    found = each(pipelines.geometry_map, Geometry(1.0, 0.0, 0.0, 0.0), (8, 8))
    octaves = np.log2(found[:, 0, 0])
    np.testing.assert_array_equal(found[:, 0, 0], found[:, 1, 1])
    share_within((octaves != 0).mean(), 0.5)
    assert octaves[octaves != 0].std() == pytest.approx(0.2, rel=0.1)
    assert octaves[octaves != 0].mean() == pytest.approx(0.0, abs=4 * 0.2 / math.sqrt(NUM / 2))


def test_a_stretch_keeps_the_area():
    found = each(pipelines.geometry_map, Geometry(0.0, 0.0, 1.0, 0.0), (8, 8))
    np.testing.assert_allclose(found[:, 0, 0] * found[:, 1, 1], 1.0, rtol=1e-6)
    octaves = np.log2(found[:, 0, 0])
    share_within((octaves != 0).mean(), 0.5)
    assert octaves[octaves != 0].std() == pytest.approx(0.2, rel=0.1)


def test_half_of_the_images_are_turned_before_or_after_the_stretch():
    """Each with 1 - sqrt(1 - p); both with its square. An angle and the sum of two are uniform."""
    found = each(pipelines.geometry_map, Geometry(0.0, 1.0, 0.0, 0.0), (8, 8))
    angles = np.arctan2(found[:, 1, 0], found[:, 0, 0])
    happens = (found != np.eye(3)).any((1, 2))
    share_within(happens.mean(), 0.5)
    histogram = np.histogram(angles[happens], bins=4, range=(-math.pi, math.pi))[0]
    np.testing.assert_allclose(histogram, NUM / 8, atol=4 * math.sqrt(NUM / 8))
    small = each(pipelines.geometry_map, Geometry(0.0, 1.0, 0.0, 0.0, angle=0.1), (8, 8))
    angles = np.abs(np.arctan2(small[:, 1, 0], small[:, 0, 0]))
    assert 0.1 < angles.max() <= 0.2 + 1e-6  # two of one sign
    share_within((angles > 0.1).mean(), (1 - math.sqrt(0.5)) ** 2 / 4)  # half of one sign, half of their sums above


def test_shifts_by_parts_of_pixels_are_normal_in_shares_of_each_side():
    found = each(pipelines.geometry_map, Geometry(0.0, 0.0, 0.0, 1.0), (16, 40))
    for axis, side in ((0, 40), (1, 16)):
        moved = found[:, axis, 2][found[:, axis, 2] != 0]
        share_within(len(moved) / NUM, 0.5)
        assert moved.std() / side == pytest.approx(0.125, rel=0.1)


def test_colours_are_drawn_from_the_authors_distributions():
    """Each alone: the matrix says what was drawn."""

    def drawn(**multiplier):
        off = {"brightness": 0.0, "contrast": 0.0, "luma_flip": 0.0, "hue": 0.0, "saturation": 0.0}
        return each(pipelines.color_map, Color(**off | multiplier), 3)

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
    flips = each(pipelines.color_map, Color(1.0, 1.0, 1.0, 0.0, 0.0, 0.3, 0.0), 3, p=jnp.float32(1.0))
    level = flips[:, :3, :3].sum(2).mean(1)  # of greys: 1 or -1
    assert set(np.round(level, 5)) == {-1.0, 1.0}
    brightness = each(pipelines.color_map, Color(1.0, 0.0, 0.0, 0.0, 0.0, 0.3), 3, p=jnp.float32(1.0))[:, 0, 3]
    np.testing.assert_allclose(flips[:, 0, 3], level * brightness, atol=1e-6)  # brightness first, then the flip
    grey = each(pipelines.color_map, Color(0.0, 0.0, 0.0, 1.0, 1.0), 1, p=jnp.float32(1.0))
    np.testing.assert_array_equal(grey, np.broadcast_to(np.eye(4), grey.shape))


def test_bands_happen_one_by_one_and_each_keeps_the_expected_power():
    found = each(pipelines.band_gains, Filter(1.0))
    share_within((found == 1).all(1).mean(), 0.5**4)
    one = each(pipelines.band_gains, Filter(1.0), p=jnp.float32(0.02))
    single = one[[len(np.unique(row)) == 2 for row in one]]
    assert len(single) > 100
    np.testing.assert_allclose((np.array([10, 1, 1, 1]) / 13 * single**2).sum(1), 1.0, rtol=1e-5)


def test_noise_has_a_strength_of_each_image_that_is_normal_itself():
    x = jnp.zeros((400, 8, 8, 1))
    found = np.asarray(Pipeline(STILL, RIGID, COLORLESS, noise=Noise(1.0)).transform(x, HALF, KEYS[:400]))
    sigma = np.sqrt((found**2).mean((1, 2, 3)))
    share_within((sigma > 0).mean(), 0.5, 400)
    assert np.sqrt((sigma[sigma > 0] ** 2).mean()) == pytest.approx(0.1, rel=0.2)


def test_half_of_the_images_lose_a_square_of_half_the_side():
    x = jnp.ones((400, 8, 8, 1))
    pipeline = Pipeline(STILL, RIGID, COLORLESS, cutout=Cutout(1.0))
    cut = np.asarray(pipeline.transform(x, HALF, KEYS[:400]))[..., 0] == 0
    share_within(cut.any((1, 2)).mean(), 0.5, 400)
    sides = cut.any(1).sum(1)[cut.any((1, 2))]
    assert (sides.min(), sides.max()) == (2, 4)
    assert sides.mean() == pytest.approx(3.5, abs=0.2)  # 4 but within a quarter of either border, there 3 on average


def test_an_image_that_is_only_mirrored_turned_or_shifted_has_the_same_pixels():
    x, pipeline = images((8, 8, 3), 50), Pipeline(color=COLORLESS, geometry=RIGID)
    found = np.asarray(jax.jit(pipeline.transform)(x, jnp.float32(1.0), KEYS[:50]))
    for image, moved in zip(np.asarray(x), found, strict=True):
        assert set(moved.ravel()) <= set(image.ravel())


def test_blit_comes_before_geometry():
    """A shift to the right in an image that is then mirrored, and one mirrored that is shifted: the map says which."""
    x, pipeline = images((8, 8, 1), 8), Pipeline(color=COLORLESS)
    keys, p = KEYS[:8], jnp.float32(1.0)
    found = jax.jit(pipeline.transform)(x, p, keys)

    @jax.jit
    def wanted():
        own = pipelines.fold(pipelines.fold(keys, pipelines.STREAM), 0)
        first = jax.vmap(functools.partial(pipelines.blit_map, Blit(), (8, 8), p))(pipelines.fold(own, 0))
        second = jax.vmap(functools.partial(pipelines.geometry_map, Geometry(), (8, 8), p))(pipelines.fold(own, 1))
        return affine.resample(x, first @ second)

    np.testing.assert_allclose(found, wanted(), atol=1e-5)


@pytest.mark.parametrize("twice", [False, pytest.param(True, marks=pytest.mark.exhaustive)])
def test_gradients_are_those_of_finite_differences_and_can_be_differentiated(twice):
    x, direction = images(), jax.random.normal(jax.random.key(3), (4, 6, 6, 3))

    def value(points):
        return (BGCFNC.transform(points, HALF, KEYS[:4]) ** 3).sum()

    def squared_slope(points):
        return (jax.grad(value)(points) ** 2).sum()

    function = squared_slope if twice else value
    found, gradient = jax.jit(function), jax.jit(jax.grad(function))(x)
    ahead, behind = (found(x + step * direction) for step in (3e-3, -3e-3))
    assert float((gradient * direction).sum()) == pytest.approx(float(ahead - behind) / 6e-3, rel=1e-2)


def test_four_devices_transform_as_one_does():
    def update(pipeline, state, batch, key, *, axis_name=None):
        return pipeline.transform(batch, HALF, parallel.example_keys(key, len(batch), axis_name)), {}

    x, key = images(num=8), jax.random.key(4)

    @jax.jit
    def both(x):
        def of_share(batch):
            return update(BGCFNC, (), batch, key, axis_name="i")[0]

        keys = jax.vmap(lambda number: jax.random.fold_in(key, number))(jnp.arange(8))
        return BGCFNC.transform(x, HALF, keys), jax.vmap(of_share, axis_name="i")(x.reshape(4, 2, 6, 6, 3))

    wanted, shares = both(x)
    np.testing.assert_allclose(shares.reshape(x.shape), wanted, atol=1e-5)
    assert (np.abs(wanted - x) > 1e-3).any((1, 2, 3)).all()


def test_halves_stay_halves():
    x = images().astype(jnp.bfloat16)
    assert jax.eval_shape(BGCFNC.transform, x, HALF, KEYS[:4]).dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("pipeline", "shape", "message"),
    [
        (Pipeline(), (4, 6), "shape of the inputs of augmentation is"),
        (Pipeline(), (4, 6, 6, 2), "channels of images is 2, but must be 1 or 3"),
        (Pipeline(), (4, 6, 5, 1), "size of images is 6x5, but must be even or odd in both sides, for quarter turns"),
    ],
)
def test_images_that_do_not_fit_are_refused(pipeline, shape, message):
    with pytest.raises(ValueError, match=message):
        pipeline.transform(jnp.ones(shape), HALF, KEYS[:4])


def test_parts_that_are_switched_off_ask_nothing_of_the_images():
    pipeline = Pipeline(Blit(quarter_turn=0.0), color=COLORLESS)
    assert jax.eval_shape(pipeline.transform, images((6, 5, 2)), HALF, KEYS[:4]).shape == (4, 6, 5, 2)


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
