"""Images put together of the maps of StyleGAN and StyleGAN 2."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import style_features, styles
from jaxgen.latents import feature_mixing
from jaxgen.latents.feature_mixing import Box, Padding
from jaxgen.nets.hook_point import Features, HookPoint
from tests.gans.test_style_features import drawn, ws_of

SIDE = 8
WAYS: tuple[Padding, ...] = ("reflect", "circular")
MAPPED = pytest.mark.parametrize("name", ["stylegan", "stylegan2"])


def pair(name, num=2):
    """The styles of two images each, (num, 2, layers, features)."""
    return jnp.stack([ws_of(name, 1, num), ws_of(name, 2, num)], axis=1)


@functools.cache
def mixing(name, layers=None):
    draw = drawn(name)
    return jax.jit(lambda ws, alphas: feature_mixing.mixed(draw, ws, alphas, layers))


@functools.cache
def drawing(name):
    return jax.jit(drawn(name))


def noise(num=2, seed=3):
    """Any A."""
    return jax.random.uniform(jax.random.key(seed), (num, 1, SIDE, SIDE, 1))


def near(found, wanted):
    np.testing.assert_allclose(found, wanted, atol=2e-5 * float(np.abs(wanted).max()))


@MAPPED
def test_alpha_0_is_the_first_image_and_alpha_1_the_second_exactly(name):
    ws, none = pair(name), jnp.zeros((2, 1, SIDE, SIDE, 1))
    first, second = mixing(name)(ws, none), mixing(name)(ws, none + 1)
    near(first, drawing(name)(ws[:, 0]))
    near(second, drawing(name)(ws[:, 1]))
    swapped = ws[:, ::-1]  # the other's place in the batch: the same program
    np.testing.assert_array_equal(mixing(name)(swapped, none + 1), first)
    np.testing.assert_array_equal(mixing(name)(swapped, none), second)
    half = mixing(name)(ws, 0.5 * (none + 1))
    assert min(np.abs(half - one).max() for one in (first, second)) > 1e-3


@MAPPED
def test_equal_latents_leave_any_alpha_unchanged(name):
    ws = jnp.stack([ws_of(name, 1, 2)] * 2, axis=1)
    np.testing.assert_array_equal(mixing(name)(ws, noise()), mixing(name)(ws, 0 * noise()))


@MAPPED
def test_alpha_1_in_some_layers_is_the_mixture_of_these_styles(name):
    ws, ones = pair(name), jnp.ones((2, 1, SIDE, SIDE, 1))
    near(mixing(name, (0, 1))(ws, ones), drawing(name)(styles.mix(ws[:, 1], ws[:, 0], 2)))


def test_a_ramp_leads_from_image_to_image():
    """At the last layer each column has its own share; at the margins the finest maps are one image's alone."""
    last = ws_of("stylegan2").shape[1] - 1
    ws, alpha = pair("stylegan2"), feature_mixing.ramp(SIDE, SIDE, "width")
    found = mixing("stylegan2", (last,))(ws, jnp.broadcast_to(alpha, (2, 1, SIDE, SIDE, 1)))
    ends = drawing("stylegan2")(ws[:, 0]), drawing("stylegan2")(styles.mix(ws[:, 0], ws[:, 1], last))
    near(found, ends[0] + alpha[None] * (ends[1] - ends[0]))
    np.testing.assert_array_equal(alpha[:, :2], 0.0)
    np.testing.assert_array_equal(alpha[:, 6:], 1.0)
    assert (np.diff(alpha[0, 1:7, 0]) > 0).all()
    np.testing.assert_array_equal(feature_mixing.ramp(8, 3, "height")[:, 0], feature_mixing.ramp(1, 8, "width")[0])


def test_examples_are_mixed_each_on_its_own_and_on_several_devices_alike():
    ws, alphas = pair("stylegan2", 4), noise(4)
    found = mixing("stylegan2")(ws, alphas)
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:4]), ("i",))
    cut = jax.device_put((ws, alphas), jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("i")))
    near(mixing("stylegan2")(*cut), found)
    near(mixing("stylegan2")(ws[1:3], alphas[1:3]), found[1:3])


@MAPPED
def test_a_panorama_of_one_image_is_the_image_and_of_full_overlap_a_ramp_over_it(name):
    draw, ws = drawn(name), pair(name)
    panorama = jax.jit(lambda ws, overlap: feature_mixing.panorama(draw, ws, overlap), static_argnums=1)
    near(panorama(ws[:, :1], 2), drawing(name)(ws[:, 0]))
    ramp = jnp.broadcast_to(feature_mixing.ramp(SIDE, SIDE, "width", 0.0), (2, 1, SIDE, SIDE, 1))
    near(panorama(ws, SIDE), mixing(name)(ws, ramp))
    three = jnp.concatenate([ws, ws[:, :1]], axis=1)
    assert panorama(three, 4).shape == (2, 8, 16, 1)


class Row(nn.Module):
    """The style of the one layer is a row of pixels."""

    @nn.compact
    def __call__(self, ws):
        return HookPoint(0)(Features(ws.reshape(-1, 1, 4, 1), None)).hidden


def test_a_panorama_of_rows_of_pixels_by_hand():
    rows = jnp.arange(12.0).reshape(1, 3, 1, 4) ** 2
    found = feature_mixing.panorama(lambda ws: Row().apply({}, ws), rows, 2)  # pyright: ignore
    a, b, c = np.asarray(rows[0, :, 0])
    middles = [0.75 * one[2:] * [1, 1 / 3] + 0.25 * two[:2] * [1, 3] for one, two in ((a, b), (b, c))]
    np.testing.assert_allclose(found.ravel(), [*a[:2], *middles[0], *middles[1], *c[2:]], rtol=1e-6)


@pytest.mark.parametrize(("name", "layer"), [("stylegan", 0), ("stylegan2", 0), ("stylegan2", 1)])
def test_a_whole_map_swapped_is_the_mixture_with_the_others_lower_layers(name, layer):
    draw, ws, others = drawn(name), ws_of(name, 1), ws_of(name, 2)
    swap = jax.jit(lambda box, ws, others: feature_mixing.swapped(draw, ws, others, box, layer), static_argnums=0)
    near(swap(Box(0, 0, SIDE, SIDE), ws, others), drawing(name)(styles.mix(others, ws, layer + 1)))
    part = Box(2, 2, 4, 2)
    near(swap(part, ws, ws), drawing(name)(ws))
    assert np.abs(swap(part, ws, others) - drawing(name)(ws)).max() > 1e-3


def test_a_box_is_brought_to_the_size_of_the_maps_and_rounded_down():
    draw, ws, others = drawn("stylegan2"), ws_of("stylegan2", 1), ws_of("stylegan2", 2)
    swap = jax.jit(lambda box: feature_mixing.swapped(draw, ws, others, box, 0), static_argnums=0)
    np.testing.assert_array_equal(swap(Box(3, 5, 4, 2)), swap(Box(2, 4, 4, 2)))  # edges 1 to 3 and 2 to 3 of 4


def test_what_is_outside_of_the_box_stays_in_the_maps():
    draw, ws, others = drawn("stylegan2"), ws_of("stylegan2", 1), ws_of("stylegan2", 2)
    inside = np.zeros((1, SIDE, SIDE, 1), bool)
    inside[:, 2:8, 4:6] = True

    @jax.jit
    def both(ws, others):
        own, other = (style_features.features_at(draw, each, 2) for each in (ws, others))
        kept = jax.tree.map(lambda own, other: jnp.where(inside, other, own), own, other)
        found = feature_mixing.swapped(draw, ws, others, Box(2, 4, 6, 2), 2)
        return found, style_features.edited(draw, ws, {2: lambda _: kept})

    near(*both(ws, others))


@pytest.mark.parametrize(("name", "side"), [("stylegan", "width"), ("stylegan2", "width"), ("stylegan2", "height")])
def test_larger_maps_make_larger_images(name, side):
    draw, ws = drawn(name), ws_of(name)
    shape = (3, 2 * SIDE, SIDE, 1) if side == "height" else (3, SIDE, 2 * SIDE, 1)

    @jax.jit
    def images(ws):
        padded = [feature_mixing.padded(draw, ws, 1, side, padding) for padding in WAYS]
        return [feature_mixing.stretched(draw, ws, 1, side), *padded]

    for found in images(ws):
        assert found.shape == shape and np.isfinite(found).all()


@pytest.mark.parametrize(
    ("padding", "row"),
    [
        ("reflect", [2, 1, 0, 1, 2, 3, 2, 1]),
        ("replicate", [0, 0, 0, 1, 2, 3, 3, 3]),
        ("circular", [2, 3, 0, 1, 2, 3, 0, 1]),
    ],
)
def test_padding_by_hand_and_the_middle_is_the_original(padding, row):
    maps = jax.random.normal(jax.random.key(0), (2, 4, 6, 3))
    for side, axis in feature_mixing.AXES.items():
        found = feature_mixing.pad(maps, side, padding)
        size = maps.shape[axis]
        middle = jnp.take(found, np.arange(size // 2, size // 2 + size), axis)
        np.testing.assert_array_equal(middle, maps)
    line = feature_mixing.pad(jnp.arange(4.0).reshape(1, 1, 4, 1), "width", padding)
    np.testing.assert_array_equal(line.ravel(), row)


def test_maps_that_are_stretched_at_the_end_give_a_stretched_image():
    draw, ws = drawn("stylegan2"), ws_of("stylegan2")
    found = jax.jit(lambda ws: feature_mixing.stretched(draw, ws, 3, "width"))(ws)
    near(found, np.repeat(drawing("stylegan2")(ws), 2, axis=2))


def test_a_blurred_box_is_a_product_of_smoothed_lines_and_a_whole_image_is_1():
    np.testing.assert_allclose(feature_mixing.blurred_box(Box(0, 0, 8, 12), 8, 12), 1.0, atol=1e-6)
    found = np.asarray(feature_mixing.blurred_box(Box(4, 6, 4, 6), 12, 18))[..., 0]
    np.testing.assert_allclose(found, found[::-1], atol=1e-6)
    assert np.linalg.matrix_rank(found) == 1
    line = np.zeros(12)
    line[4:8] = 1
    kernel = np.exp(-0.5 * (np.array([-1, 0, 1]) / 3) ** 2)
    rows = np.convolve(line, kernel / kernel.sum(), "same")
    np.testing.assert_allclose(found[:, 9] / found[6, 9], rows / rows[6], atol=1e-6)
    assert found[0].max() == 0 and found[6, 9] == pytest.approx(1.0)


def test_what_does_not_fit_is_refused():
    draw, ws = drawn("stylegan2"), pair("stylegan2")
    alone, alphas = ws[:, 0], noise()
    for call, message in (
        (lambda: feature_mixing.mixed(draw, ws, alphas, (1, 4)), r"layers is \[4\], but must be in \[0, 4\)"),
        (lambda: feature_mixing.mixed(draw, ws, alphas[:, :, :4]), r"size of alphas is \(4, 8\), but must be that of"),
        (lambda: feature_mixing.mixed(draw, ws[:, :1], alphas), r"shape of alphas is .* but must be \(2, 0, ...\)"),
        (lambda: feature_mixing.panorama(draw, ws, 3), r"overlap is 3, but must be a multiple of 2 in \[2, 8\]"),
        (lambda: feature_mixing.panorama(draw, ws, 10), "overlap is 10, but must be"),
        (lambda: feature_mixing.swapped(draw, alone, alone, Box(0, 0, 8, 9), 1), "of a part of the 8x8 image"),
        (lambda: feature_mixing.swapped(draw, alone, alone, Box(0, 0, 1, 4), 0), "of 2x2 pixels or more, a place of"),
        (lambda: feature_mixing.stretched(draw, alone, 4, "width"), r"layers is \[4\], but must be in \[0, 4\)"),
        (lambda: feature_mixing.blurred_box(Box(2, 2, 0, 1), 4, 4), "box is .2, 2, 0, 1., but must be top, left"),
        (lambda: feature_mixing.ramp(4, 4, "width", 0.5), r"margin is 0.5, but must be in \[0, 0.5\)"),
    ):
        with pytest.raises(ValueError, match=message):
            jax.eval_shape(call)
    with pytest.raises(ValueError, match=r"size of maps is 18x18, but must be a part of the image's 16x16: use"):
        jax.eval_shape(lambda: feature_mixing.mixed(drawn("stylegan3"), pair("stylegan3"), jnp.ones((2, 1, 16, 16, 1))))


def test_nan_stays_with_its_image():
    ws = pair("stylegan2").at[0].set(jnp.nan)
    found = mixing("stylegan2")(ws, noise())
    assert np.isnan(found[0]).all() and np.isfinite(found[1]).all()
