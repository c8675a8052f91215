import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from experiments.data.decoding import decode, fit_array
from experiments.data.options import ImageOptions
from experiments.data.rows import PictureError
from tests.experiments.pictures_on_disk import encoded, pixels

AS_IS = ImageOptions()


def saved(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_lossless_files_come_back_as_they_were(kind, channels):
    array = pixels(7, 5, channels)
    options = {"lossless": True} if kind == "WEBP" else {}
    expected = array if channels == 3 or kind != "WEBP" else array.repeat(3, axis=-1)  # WebP knows no grey
    np.testing.assert_array_equal(decode(encoded(array, kind, **options), AS_IS), expected)


def test_a_wrong_ending_does_not_matter_since_the_content_tells():
    assert decode(encoded(pixels(), "JPEG"), AS_IS).shape == (8, 8, 3)


def test_a_still_gif_is_a_picture():
    assert decode(encoded(pixels(), "GIF"), AS_IS).shape == (8, 8, 3)


def test_the_orientation_of_a_camera_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    array = pixels(4, 6)
    data = saved(Image.fromarray(array), exif=exif)
    np.testing.assert_array_equal(decode(data, AS_IS), np.rot90(array, -1))


def test_halves_of_a_picture():
    array = pixels(4, 6)
    for half, wanted in (("left", array[:, :3]), ("right", array[:, 3:])):
        np.testing.assert_array_equal(decode(encoded(array), AS_IS, half=half), wanted)


def test_a_set_of_rgb_takes_grey_pictures_and_one_of_grey_no_colours():
    grey = encoded(pixels(channels=1))
    assert decode(grey, AS_IS, 3).shape == (8, 8, 3)
    with pytest.raises(PictureError, match="colours among grey"):
        decode(encoded(), AS_IS, 1)
    assert decode(encoded(), ImageOptions(channels=1), 1).shape == (8, 8, 1)


def test_grey_is_the_luma_of_itu_r_601():
    array = pixels(6, 6)
    wanted = array @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(fit_array(array, ImageOptions(channels=1))[..., 0], wanted, atol=0.51)


@pytest.mark.parametrize(("height", "width", "box"), [(8, 12, np.s_[:, 2:10]), (12, 8, np.s_[2:10, :])])
def test_the_middle_square_is_cut(height, width, box):
    array = pixels(height, width)
    np.testing.assert_array_equal(fit_array(array, ImageOptions(size=8)), array[box])


def test_box_filtering_by_half_is_the_mean_of_four_pixels():
    array = pixels(8, 8, 1)
    means = array.reshape(4, 2, 4, 2).mean(axis=(1, 3))
    halved = fit_array(array, ImageOptions(size=4, resample="box"))
    np.testing.assert_allclose(halved[..., 0], means, atol=1.01)  # Pillow rounds across and down


@pytest.mark.parametrize("resample", ["lanczos", "box"])
def test_a_picture_of_one_colour_stays_so_at_any_size(resample):
    array = np.full((9, 13, 3), (7, 99, 240), np.uint8)
    for size in (1, 5, 32):
        resized = fit_array(array, ImageOptions(size=size, resample=resample))
        np.testing.assert_array_equal(resized, np.full((size, size, 3), (7, 99, 240)))


def test_without_cropping_the_whole_picture_is_squeezed():
    array = np.zeros((4, 8, 1), np.uint8)
    array[:, :4] = 255
    squeezed = fit_array(array, ImageOptions(size=4, crop="none", resample="box"))[..., 0]
    np.testing.assert_array_equal(squeezed, np.repeat([[255, 255, 0, 0]], 4, axis=0))


def test_pictures_of_the_size_asked_for_are_not_touched():
    array = pixels(8, 8)
    options = dataclasses.replace(ImageOptions(), size=8, channels=3)
    assert fit_array(array, options) is array
    np.testing.assert_array_equal(decode(encoded(array), options), array)


@pytest.mark.parametrize(
    ("height", "width", "size", "box"),
    [
        (8, 12, (8, 4), np.s_[:, 4:8]),
        (12, 8, (4, 8), np.s_[4:8, :]),
        (9, 8, (8, 8), np.s_[:8, :]),
        (8, 8, (8, 8), np.s_[:, :]),
    ],
)
def test_the_largest_middle_part_of_other_proportions_is_cut(height, width, size, box):
    array = pixels(height, width)
    np.testing.assert_array_equal(fit_array(array, ImageOptions(size=size)), array[box])


def test_a_reduced_jpeg_is_large_enough_for_both_sides():
    rows = np.linspace(0, 255, 640, dtype=np.uint8)[:, None, None] * np.ones((1, 320, 3), np.uint8)
    found = decode(encoded(rows, "JPEG"), ImageOptions(size=(80, 5)))
    assert found.shape == (80, 5, 3)
    np.testing.assert_allclose(found[:, 2, 0], rows.reshape(80, 8, -1).mean((1, 2)), atol=4)


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("JPEG", {"quality": 100})])
def test_the_nearest_pixel_mixes_no_colours_even_in_a_jpeg_that_could_be_read_reduced(kind, options):
    array = np.where(np.arange(640 * 640).reshape(640, 640, 1) // 3 % 2, np.uint8(255), np.uint8(0))
    found = decode(encoded(array, kind, **options), ImageOptions(16, resample="nearest"))
    assert ((found < 32) | (found > 223)).all()
