"""Equivariance in decibels: closed forms, and images whose moved versions are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.metrics import (
    MaskedErrors,
    equivariance,
    limit_as_rotated,
    rotate,
    shift,
    shift_subpixel,
    squared_errors,
)

SIDE = 32


def blobs(move):
    """Two Gaussian blobs of 2.5 pixels, whose places (x, y), from the middle, `move` changes; (1, 32, 32, 2)."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    maps = []
    for place in ((3.0, -2.0), (-4.5, 1.0)):
        a, b = move(np.array(place))
        maps.append(np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * 2.5**2)))
    return jnp.asarray(np.stack(maps, axis=2)[None], jnp.float32)


def rotation(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def quality(moved, wanted, mask):
    return float(equivariance(squared_errors(moved, wanted, mask), data_range=1.0))


ORIGINAL = blobs(lambda place: place)


def test_sums_are_added_before_the_ratio_and_the_logarithm():
    """Errors of 0.5 on 2 x 3 and of 0.1 on 4 x 3 of the numbers: 10 log10(4 x 18 / (6 x 0.25 + 12 x 0.01))."""
    rng = np.random.default_rng(0)
    images = jnp.asarray(rng.normal(size=(2, 2, 2, 3)), jnp.float32)
    errors = jnp.array([0.5, 0.1])[:, None, None, None]
    mask = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]])
    parts = [squared_errors(images[i : i + 1], images[i : i + 1] + errors[i : i + 1], mask[i : i + 1]) for i in (0, 1)]
    whole = squared_errors(images, images + errors, mask)
    for found in (whole, MaskedErrors(*(sum(each) for each in zip(*parts, strict=True)))):
        assert float(found.num) == 18 and float(found.squared) == pytest.approx(6 * 0.25 + 12 * 0.01, rel=1e-5)
        assert float(equivariance(found)) == pytest.approx(10 * np.log10(4 * 18 / 1.62), rel=1e-5)
    assert np.isinf(equivariance(squared_errors(images, images, mask)))


def test_a_shift_is_numpys_roll_where_nothing_comes_in():
    images = jax.random.normal(jax.random.key(0), (3, 5, 7, 2))
    offsets = [(2, -1), (0, 0), (-9, 1)]
    moved, mask = shift(images, jnp.array(offsets))
    for number, (x, y) in enumerate(offsets):
        wanted, known = np.zeros((5, 7, 2)), np.zeros((5, 7))
        for row in range(5):
            for column in range(7):
                if 0 <= row - y < 5 and 0 <= column - x < 7:
                    wanted[row, column], known[row, column] = images[number, row - y, column - x], 1
        np.testing.assert_array_equal(moved[number], wanted.astype(np.float32))
        np.testing.assert_array_equal(mask[number], known)


def test_a_smooth_image_moves_by_fractions_of_a_pixel():
    for offset in ((0.5, -1.25), (-2.0, 3.0), (0.1, 0.0)):
        moved, mask = shift_subpixel(ORIGINAL, jnp.array([offset]))
        assert quality(moved, blobs(lambda place, offset=offset: place + np.array(offset)), mask) > 45
    assert quality(moved, blobs(lambda place: place - np.array([0.6, 0.0])), mask) < 40


def test_by_whole_pixels_the_fractional_shift_is_the_other_away_from_the_border():
    images = jax.random.normal(jax.random.key(0), (1, 16, 16, 1))
    (moved, mask), (wanted, _) = shift_subpixel(images, jnp.array([[2.0, -1.0]])), shift(images, jnp.array([[2, -1]]))
    np.testing.assert_allclose(moved, wanted * mask[..., None], atol=1e-6)
    np.testing.assert_array_equal(
        np.flatnonzero(mask[0, 8]), np.arange(5, 16)
    )  # of o - 2 - 3 to o - 2 + 2 none is outside
    np.testing.assert_array_equal(np.flatnonzero(mask[0, :, 8]), np.arange(2, 13))


@pytest.mark.exhaustive
def test_a_smooth_image_turns_clockwise():
    """The nearest of four places a pixel leaves an error; turned the wrong way nothing fits."""
    for angle in (0.7, -2.1):
        moved, mask = rotate(ORIGINAL, jnp.array([angle]))
        wanted = blobs(lambda place, angle=angle: rotation(angle) @ place)
        assert quality(moved, wanted, mask) > 36
        assert quality(moved, blobs(lambda place, angle=angle: rotation(-angle) @ place), mask) < 20
        limited, inside = limit_as_rotated(wanted, jnp.array([angle]))
        assert quality(limited, wanted, inside) > 55
        assert mask.sum() > 200 and inside.sum() == 20**2


def test_a_quarter_of_a_turn_is_numpys_rot90_through_the_same_filter():
    """Also for images that no pixel grid holds at other angles: noise."""
    images = jax.random.normal(jax.random.key(0), (1, 24, 24, 1))
    moved, mask = rotate(images, jnp.array([np.pi / 2]))
    limited, inside = limit_as_rotated(jnp.rot90(images, -1, (1, 2)), jnp.array([np.pi / 2]))
    np.testing.assert_array_equal(mask, inside)
    np.testing.assert_allclose(moved, limited, atol=1e-4)
    assert np.abs(limited).max() > 0.5


def test_the_filter_passes_what_both_grids_hold():
    """Waves of 0.3 cycles a pixel pass. At 45 degrees (0.45, 0.45) is outside of the turned square: it is stopped."""
    y, x = np.mgrid[:48, :48]
    waves = [np.cos(2 * np.pi * (a * x + b * y)) for a, b in ((0.3, 0.0), (0.45, 0.45))]
    images = jnp.asarray(np.stack(waves, axis=2)[None], jnp.float32)
    limited, mask = limit_as_rotated(images, jnp.array([np.pi / 4]))
    kept = (limited**2).sum((0, 1, 2)) / (images**2 * mask[..., None]).sum((0, 1, 2))
    assert kept[0] > 0.95 and kept[1] < 0.02


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: squared_errors(ORIGINAL, ORIGINAL, jnp.ones((1, 3, 3))), r"shape of mask is \(1, 3, 3\), but must be"),
        (lambda: shift(ORIGINAL, jnp.zeros((2, 2), jnp.int32)), r"shape of offsets is \(2, 2\), but must be \(1, 2\)"),
        (lambda: shift_subpixel(ORIGINAL, jnp.zeros((1, 3))), r"shape of offsets is \(1, 3\), but must be \(1, 2\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
