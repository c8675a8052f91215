"""Exact moves, the laws of the wavelet, and SciPy's own way to the same resampled images."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage, signal

from jaxgen import affine_augmentations as affine

SHAPES = [(6, 6, 3), (8, 6, 1), (7, 5, 2)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def images(shape, num=2):
    return jax.random.uniform(jax.random.key(0), (num, *shape), minval=-1.0)


def maps(*each):
    return jnp.stack(each)


def number(value):
    return jnp.float32(value)


def test_taps_are_those_of_an_orthonormal_wavelet():
    """Sum sqrt(2), energy 1, orthogonal to its own shifts by two: doubling and halving are inverse to each other."""
    taps = np.array(affine.SYM6)
    assert taps.sum() == pytest.approx(math.sqrt(2), abs=1e-12)
    assert (taps**2).sum() == pytest.approx(1.0, abs=1e-11)
    np.testing.assert_allclose([(taps[shift:] * taps[:-shift]).sum() for shift in (2, 4, 6, 8, 10)], 0.0, atol=1e-11)
    assert np.argmax(taps) == affine.MIDDLE
    assert abs((np.arange(12) * taps).sum() / taps.sum() - affine.MIDDLE) < 0.1


def test_maps_are_what_their_names_say():
    x = np.array([3.0, 1.0, 1.0])
    turned = affine.rotation(number(math.pi / 2)) @ x
    np.testing.assert_allclose(turned, [-1.0, 3.0, 1.0], atol=1e-6)
    np.testing.assert_array_equal(affine.quarter_turns(jnp.int32(3)), [[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(affine.translation(number(2.0), number(-4.0)) @ x, [5.0, -3.0, 1.0])
    np.testing.assert_array_equal(affine.scaling(number(2.0), number(0.5)) @ x, [6.0, 0.5, 1.0])


@every_shape
def test_flips_and_half_turns_are_exact_and_their_own_inverse(shape):
    x = images(shape)
    inverse = maps(affine.scaling(number(-1.0), number(1.0)), affine.quarter_turns(jnp.int32(2)))
    found = affine.move_pixels(x, inverse)
    np.testing.assert_array_equal(found[0], np.asarray(x)[0, :, ::-1])
    np.testing.assert_array_equal(found[1], np.asarray(x)[1, ::-1, ::-1])
    np.testing.assert_array_equal(affine.move_pixels(found, inverse), x)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_are_numpys_and_back(turns):
    """The image turns by the inverse of the inverse map; with y down, from x to y is clockwise."""
    x = images((6, 6, 3))
    forth = affine.move_pixels(x, maps(*[affine.quarter_turns(jnp.int32(-turns))] * 2))
    np.testing.assert_array_equal(forth, np.rot90(x, -turns, axes=(1, 2)))
    back = affine.move_pixels(forth, maps(*[affine.quarter_turns(jnp.int32(turns))] * 2))
    np.testing.assert_array_equal(back, x)


@pytest.mark.parametrize("steps", [(2, -1), (0, 3), (-9, 20)], ids=str)
def test_shifts_are_exact_and_show_the_reflection(steps):
    x, (right, down) = images((6, 5, 2)), steps
    found = affine.move_pixels(x, maps(*[affine.translation(number(-right), number(-down))] * 2))
    padded = np.pad(x, ((0, 0), (30, 30), (30, 30), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(found, padded[:, 30 - down : 36 - down, 30 - right : 35 - right])


@every_shape
def test_resampling_by_the_identity_or_whole_pixels_changes_nothing_but_rounding(shape):
    x = images(shape)
    inverse = maps(jnp.eye(3), affine.translation(number(-1.0), number(2.0)))
    np.testing.assert_allclose(affine.resample(x, inverse), affine.move_pixels(x, inverse), atol=2e-6)


def resampled(image, inverse):
    """As the authors do it, with padding enough: SciPy's resampling and linear interpolation of one channel."""
    taps, pad, (height, width) = np.array(affine.SYM6), 40, image.shape
    padded = np.pad(image, pad, mode="reflect")
    for axis in (0, 1):
        padded = signal.upfirdn(math.sqrt(2) * taps, padded, up=2, axis=axis)
    first = -2 * pad - 5  # the place of the first sample, in half pixels
    rows, columns = (np.arange(-5, 2 * size + 5) / 2 - (size - 1) / 2 for size in (height, width))
    x, y = np.meshgrid(columns, rows)
    seen_x, seen_y, _ = inverse @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    places = [2 * (seen + (size - 1) / 2) - first for seen, size in ((seen_y, height), (seen_x, width))]
    sampled = ndimage.map_coordinates(padded, places, order=1, mode="constant", cval=np.nan).reshape(x.shape)
    for axis in (0, 1):
        sampled = np.apply_along_axis(lambda row: np.correlate(row, taps / math.sqrt(2), "valid")[::2], axis, sampled)
    return sampled


def test_resampling_is_scipys():
    x = images((9, 7, 2))
    one = affine.rotation(number(0.7)) @ affine.scaling(number(1.3), number(0.8))
    other = affine.translation(number(5.3), number(-0.6)) @ affine.rotation(number(-2.0))
    found = affine.resample(x, maps(one, other))
    for image, inverse, moved in zip(np.asarray(x), (one, other), np.asarray(found), strict=True):
        for channel in range(2):
            wanted = resampled(image[..., channel], np.asarray(inverse, np.float64))
            np.testing.assert_allclose(moved[..., channel], wanted, atol=5e-5)


def test_a_slow_wave_turns_as_its_formula_says():
    """Away from the border, where the reflection of a wave is no wave."""
    places = np.arange(24) - 11.5

    def wave(x, y):
        return np.cos(0.3 * x + 0.2 * y)

    turn = np.asarray(affine.rotation(number(0.4)))[:2, :2]
    x, y = np.meshgrid(places, places)
    seen = np.tensordot(turn, np.stack([x, y]), 1)
    found = affine.resample(jnp.float32(wave(x, y))[None, :, :, None], affine.rotation(number(0.4))[None])
    inner = slice(6, 18)
    np.testing.assert_allclose(found[0, inner, inner, 0], wave(*seen)[inner, inner], atol=0.02)


@pytest.mark.parametrize("move", [affine.resample, affine.move_pixels])
def test_gradients_flow_back_as_the_transposed_map_and_can_be_differentiated(move):
    """Both are linear: <v, T x> = <T' v, x>; the slope of a network behind T has a gradient in T's images."""
    x = images((5, 6, 2))
    inverse = maps(affine.rotation(number(0.7)), affine.translation(number(1.3), number(-2.4)))
    cotangent = jax.random.normal(jax.random.key(1), x.shape)
    outputs, pull = jax.vjp(lambda each: move(each, inverse), x)
    assert float((cotangent * outputs).sum()) == pytest.approx(float((pull(cotangent)[0] * x).sum()), rel=1e-4)

    def squared_slope(points):
        return (jax.grad(lambda each: (move(each, inverse) ** 3).sum())(points) ** 2).sum()

    direction = jax.random.normal(jax.random.key(2), x.shape)
    ahead, behind = (squared_slope(x + step * direction) for step in (1e-2, -1e-2))
    slope = float((jax.grad(squared_slope)(x) * direction).sum())
    assert slope == pytest.approx(float(ahead - behind) / 2e-2, rel=1e-2)


def test_halves_stay_halves():
    x = images((5, 6, 2)).astype(jnp.bfloat16)
    for move in (affine.resample, affine.move_pixels):
        assert move(x, maps(jnp.eye(3), jnp.eye(3))).dtype == jnp.bfloat16


@pytest.mark.parametrize("move", [affine.resample, affine.move_pixels])
def test_images_of_one_row_have_no_reflection(move):
    with pytest.raises(ValueError, match="size of images is 1x5, but must be at least 2x2"):
        move(jnp.ones((1, 1, 5, 1)), jnp.eye(3)[None])
