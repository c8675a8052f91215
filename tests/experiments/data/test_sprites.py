import numpy as np
import pytest

from experiments import data
from experiments.data.options import ImageOptions
from experiments.data.sprites import NUM, SIZES, arrays, drawn, factors

SMALL = ImageOptions(size=16)


def number(shape=0, scale=5, orientation=0, x=16, y=16):
    return int(np.ravel_multi_index((0, shape, scale, orientation, x, y), SIZES))


def picture(side=64, **values):
    return drawn(np.array([number(**values)]), (side, side))[0, ..., 0].astype(np.float32) / 255


def middle(pixels):
    """Row and column of the centre of mass, in shares of the side."""
    places = (np.arange(len(pixels)) + 0.5) / len(pixels)
    return np.array([pixels.sum(axis=1) @ places, pixels.sum(axis=0) @ places]) / pixels.sum()


def test_numbers_names_and_arrays_are_those_of_dsprites():
    """Bases 245760, 40960, 1024, 32, 1; the first ellipse is picture 245,760, the first heart 491,520."""
    assert NUM == 737_280
    np.testing.assert_array_equal(
        factors(np.array([245_760, 491_520, 40_960 + 1024 + 32 + 1])),
        [[0, 1, 0, 0, 0, 0], [0, 2, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1]],
    )
    found = arrays(np.array([0, NUM - 1]))
    assert set(found) == {"imgs", "latents_values", "latents_classes"}
    np.testing.assert_allclose(found["latents_values"][1], [1, 3, 1, 2 * np.pi, 1, 1])
    np.testing.assert_array_equal(found["latents_classes"][1], [0, 2, 5, 39, 31, 31])
    assert found["imgs"].shape == (2, 64, 64) and set(np.unique(found["imgs"])) == {0, 1}


@pytest.mark.parametrize("shape", range(3))
@pytest.mark.parametrize("side", [16, 64])
def test_a_picture_shows_its_factors(shape, side):
    there = middle(picture(side, shape=shape))
    right, lower = middle(picture(side, shape=shape, x=20)), middle(picture(side, shape=shape, y=20))
    np.testing.assert_allclose([right - there, lower - there], [[0, 4 * 0.6 / 31], [4 * 0.6 / 31, 0]], atol=0.2 / side)
    small, large = (picture(side, shape=shape, scale=scale).sum() for scale in (0, 5))
    assert small / large == pytest.approx(1 / 4, rel=0.12)  # half as wide and high, of few pixels
    np.testing.assert_allclose(picture(side, shape=shape, orientation=39), picture(side, shape=shape), atol=0.02)
    assert np.abs(picture(side, shape=shape, orientation=5) - picture(side, shape=shape)).sum() > 1e-2 * side**2 / 16


def test_areas_are_those_of_the_shapes():
    """2 r^2; pi r^2 / 2; a square of side r and two half discs of diameter r."""
    radius = 0.18 * 256
    wanted = 2 * radius**2, np.pi * radius**2 / 2, radius**2 * (1 + np.pi / 4)
    for shape, area in enumerate(wanted):
        for orientation in (0, 7):
            assert picture(256, shape=shape, orientation=orientation).sum() == pytest.approx(area, rel=0.01)


def test_every_place_of_every_sprite_is_within_the_picture():
    corners = [number(s, 5, o, x, y) for s in range(3) for o in range(40) for x in (0, 31) for y in (0, 31)]
    pictures = drawn(np.array(corners), (64, 64))
    assert not np.concatenate([pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]]).any()


def test_places_next_to_each_other_differ_in_small_pictures_too():
    pictures = drawn(np.array([number(x=x) for x in range(32)]), (16, 16)).astype(int)
    assert (np.abs(np.diff(pictures, axis=0)).sum(axis=(1, 2, 3)) > 255).all()


def test_it_is_a_set_like_any_other_whose_label_is_the_shape():
    test, every = (data.load("sprites", part, images=SMALL) for part in ("test", "all"))
    assert "10,000 images of 16x16x1, 3 classes" in test.describe()
    assert len(every) == NUM and len(data.load("sprites", images=SMALL)) == NUM - 10_000
    places = np.array([5, 300_000, NUM - 1])
    np.testing.assert_array_equal(every.batch(places), drawn(places, (16, 16)))
    np.testing.assert_array_equal(every.labels[places], factors(places)[:, 1])
    assert test.fingerprint() == every.fingerprint()


def test_a_picture_is_one_whatever_else_is_drawn_with_it():
    some = np.arange(0, NUM, 1_000)
    np.testing.assert_array_equal(drawn(some, (16, 16))[130:140], drawn(some[130:140], (16, 16)))


def test_options_give_colour_and_other_shapes():
    options = ImageOptions(size=(16, 32), channels=3)
    wide = data.load("sprites", "test", images=options)
    assert wide.image_shape == (16, 32, 3)
    whole, cut = (drawn(np.array([number()]), shape)[0, ..., 0] for shape in ((32, 32), (16, 32)))
    np.testing.assert_array_equal(cut, whole[8:-8])
    squeezed = drawn(np.array([number()]), (16, 32), squeezed=True)[0, ..., 0] / 255.0
    np.testing.assert_allclose(middle(squeezed.T @ np.ones((16, 32)))[0], 0.5, atol=0.1)
    assert squeezed.sum() == pytest.approx(whole.sum() / 255 / 2, rel=0.1)
