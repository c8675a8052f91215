"""A person's pictures: orientation, colours, transparency, and what is no picture."""

import io

import numpy as np
import pytest
from PIL import Image

from experiments.command_line.errors import UserError
from experiments.data.rows import PictureError
from experiments.translations import reading, sources
from experiments.translations.reading import Picture
from tests.experiments.pictures_on_disk import encoded, pixels, png_of_size, write_all


def saved(path, image, **options):
    image.save(path, **options)
    return path


def test_a_picture_is_turned_as_the_camera_was_held(tmp_path):
    image = Image.fromarray(pixels(4, 6))
    exif = image.getexif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270 degrees
    found = reading.read(saved(tmp_path / "a.png", image, exif=exif), 3)
    np.testing.assert_array_equal(found.pixels, np.rot90(pixels(4, 6), -1))
    assert found.alpha is None


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGB", "CMYK"])
def test_pictures_of_every_mode_have_the_channels_that_the_network_takes(mode, tmp_path):
    kind = "tiff" if mode == "CMYK" else "png"
    path = saved(tmp_path / f"a.{kind}", Image.fromarray(pixels(5, 7)).convert(mode))
    assert reading.read(path, 3).pixels.shape == (5, 7, 3)
    assert reading.read(path, 1).pixels.shape == (5, 7, 1)


def test_transparency_is_laid_on_white_kept_and_written_again(tmp_path):
    image = Image.fromarray(pixels(4, 4)).convert("RGBA")
    alpha = np.zeros((4, 4), np.uint8)
    alpha[:, :2] = 255
    image.putalpha(Image.fromarray(alpha))
    found = reading.read(saved(tmp_path / "a.png", image), 3)
    np.testing.assert_array_equal(found.alpha, alpha)
    np.testing.assert_array_equal(found.pixels[:, :2], pixels(4, 4)[:, :2])
    assert (found.pixels[:, 2:] == 255).all()
    reading.write(tmp_path / "out" / "b.png", Picture(pixels(8, 8), found.alpha))
    with Image.open(tmp_path / "out" / "b.png") as again:
        assert again.mode == "RGBA" and again.size == (8, 8)
        np.testing.assert_array_equal(np.asarray(again)[..., :3], pixels(8, 8))
        assert np.asarray(again)[:, 0, 3].min() == 255 and np.asarray(again)[:, -1, 3].max() == 0


def test_a_colour_that_stands_for_clear_is_transparency_and_opaque_alpha_is_none(tmp_path):
    palette = Image.fromarray(pixels(4, 4, 1)[..., 0]).convert("P")
    saved(tmp_path / "a.gif", palette, transparency=int(np.asarray(palette)[0, 0]))
    assert reading.read(tmp_path / "a.gif", 3).alpha[0, 0] == 0
    deep = Image.fromarray(np.arange(16, dtype=np.uint16).reshape(4, 4) * 4000)
    saved(tmp_path / "b.png", deep, transparency=4000)
    assert (reading.read(tmp_path / "b.png", 1).alpha == 0).sum() == 1
    opaque = Image.fromarray(pixels(4, 4)).convert("RGBA")
    assert reading.read(saved(tmp_path / "c.png", opaque), 3).alpha is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"text", "is no picture"),
        (encoded(pixels(9, 9))[:80], "is damaged"),
        (png_of_size(10**5, 10**5), "more than"),
    ],
)
def test_what_is_no_picture_is_said(content, says, tmp_path):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(PictureError, match=says):
        reading.read(tmp_path / "a.png", 3)


def test_half_of_a_picture_of_pairs_is_read(tmp_path):
    both = pixels(4, 8)
    (tmp_path / "a.png").write_bytes(encoded(both))
    np.testing.assert_array_equal(reading.read(tmp_path / "a.png", 3, "right").pixels, both[:, 4:])


def test_pixels_at_another_size_are_pillows(tmp_path):
    array = pixels(9, 9)
    wanted = np.asarray(Image.open(io.BytesIO(encoded(array))).resize((4, 6), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(reading.resized(array, 6, 4), wanted)
    assert reading.resized(array, 9, 9) is array


def test_pictures_below_a_folder_keep_their_places_and_none_hides_another(tmp_path):
    write_all(
        tmp_path,
        {"a.png": encoded(), "a.jpg": encoded(kind="JPEG"), "deep/b.bmp": encoded(kind="BMP"), "notes.txt": "x"},
    )
    out = tmp_path / "out"
    write_all(out, {"old.png": encoded()})
    found = sources.found(tmp_path, out)
    names = [sources.place(out, tmp_path).of(one).relative_to(out).as_posix() for one in found]
    assert names == ["a.jpg.png", "a.png.png", "deep/b.png"]


def test_one_picture_is_written_to_the_file_that_is_named(tmp_path):
    write_all(tmp_path, {"a.jpg": encoded(kind="JPEG")})
    (one,) = sources.found(tmp_path / "a.jpg", tmp_path / "b.png")
    place = sources.place(tmp_path / "b.png", tmp_path / "a.jpg")
    assert place.of(one) == tmp_path / "b.png" and place.of(one, "cat", "2") == tmp_path / "b_cat_2.png"


@pytest.mark.parametrize(
    ("given", "out", "says"),
    [
        ("nowhere", "out", "there is no picture and no folder"),
        ("pictures", "pictures", "the folder of the pictures themselves"),
        ("pictures/a.png", "pictures/a.png", "the picture itself"),
        ("pictures", "out.png", "one file for a folder of pictures"),
        ("pictures", "out.jpg", "but pictures are written as PNG"),
        ("texts", "out", "holds no pictures"),
    ],
)
def test_places_that_cannot_be_meant_are_refused(given, out, says, tmp_path):
    write_all(tmp_path, {"pictures/a.png": encoded(), "texts/a.txt": "a"})

    def asked():
        sources.place(tmp_path / out, tmp_path / given)
        sources.found(tmp_path / given, tmp_path / out)

    with pytest.raises(UserError, match=says):
        asked()
