import numpy as np
import pytest
from PIL import Image

from experiments import figures


def test_tiles_stand_row_by_row_with_white_between():
    pixels = np.stack([np.full((32, 32, 1), value, np.uint8) for value in (10, 20, 30)])
    picture = figures.grid(pixels, columns=2)
    assert picture.shape == (2 * 34 + 2, 2 * 34 + 2, 3)
    assert [picture[5, 5, 0], picture[5, 40, 0], picture[40, 5, 0], picture[40, 40, 0]] == [10, 20, 30, 255]


def test_small_images_are_enlarged_by_whole_pixels():
    pixels = np.zeros((1, 8, 8, 1), np.uint8)
    pixels[0, 0, 1] = 200
    picture = figures.grid(pixels)
    assert picture.shape == (36, 36, 3)
    tile = picture[2:34, 2:34, 0]
    np.testing.assert_array_equal(tile, pixels[0, :, :, 0].repeat(4, 0).repeat(4, 1))


def test_colours_are_kept():
    pixels = np.zeros((1, 40, 40, 3), np.uint8)
    pixels[..., 1] = 77
    assert figures.grid(pixels)[10, 10].tolist() == [0, 77, 0]


@pytest.mark.parametrize("shape", [(4, 8, 8), (4, 8, 8, 2), (4, 2)])
def test_what_is_no_image_is_refused(shape):
    with pytest.raises(ValueError, match="cannot be drawn"):
        figures.grid(np.zeros(shape, np.uint8))


def test_a_png_is_written_whole_into_a_new_folder(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    path = tmp_path / "new" / "picture.png"
    figures.save_png(path, picture)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), picture)
    assert [file.name for file in path.parent.iterdir()] == ["picture.png"]
