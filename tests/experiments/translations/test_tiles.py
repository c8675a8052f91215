"""Borders and tiles: what goes around a picture comes off again, and seams are not seen."""

import numpy as np
import pytest

from experiments.translations import borders, tiles
from tests.experiments.pictures_on_disk import pixels


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 40), (32, 33), (64, 64)])
def test_a_border_brings_sides_to_a_multiple_and_is_cut_off_again(height, width):
    picture = pixels(height, width)
    border = borders.to_multiple(height, width, 32)
    padded = borders.reflected(picture, border)
    assert all(
        side % 32 == 0 and side - before < 32 for side, before in zip(padded.shape[:2], (height, width), strict=True)
    )
    np.testing.assert_array_equal(borders.cut(padded, border), picture)
    larger = padded.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(borders.cut(larger, border, 2), picture.repeat(2, axis=0).repeat(2, axis=1))


def test_a_border_mirrors_the_picture():
    row = np.arange(4, dtype=np.uint8)[None, :, None]
    assert borders.reflected(row, borders.Border(0, 0, 2, 2)).ravel().tolist() == [2, 1, 0, 1, 2, 3, 2, 1]


@pytest.mark.parametrize(("length", "side", "overlap", "stride"), [(96, 32, 8, 4), (40, 32, 8, 8), (1000, 100, 25, 1)])
def test_tiles_cover_a_length_with_their_overlap_on_the_grid_of_the_stride(length, side, overlap, stride):
    found = tiles.starts(length, side, overlap, stride)
    assert found[0] == 0 and found[-1] == length - side
    assert all(start % stride == 0 for start in found)
    gaps = np.diff(found)
    assert gaps.min() > 0 and gaps.max() <= side - overlap + stride


def test_a_picture_smaller_than_a_tile_is_one_tile():
    assert tiles.starts(16, 32, 8, 4) == [0]


@pytest.mark.parametrize("factor", [1, 2])
def test_a_network_of_each_pixel_alone_does_not_feel_the_tiles(factor):
    picture = pixels(48, 80)

    def apply(tile):
        return (255.0 - tile).repeat(factor, axis=0).repeat(factor, axis=1)

    found = tiles.blended(apply, picture, 32, 8, 4)
    np.testing.assert_allclose(found, apply(picture), atol=1e-3)


def test_tiles_that_differ_in_brightness_blend_without_a_seam():
    """A network that brightens each tile by another amount, as one with instance norms may."""
    amounts = iter(range(100))
    found = tiles.blended(
        lambda tile: np.full((*tile.shape[:2], 1), 40.0 * (next(amounts) % 2)), pixels(32, 80), 32, 16, 4
    )
    assert found.max() > 39 and found.min() < 1
    assert np.abs(np.diff(found[:, :, 0], axis=1)).max() <= 40 * np.pi / 2 / 16 + 1e-3  # the steepest place of sin^2
    assert tiles.ramp(32, 16).min() > 0
