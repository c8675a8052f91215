import numpy as np
import pytest
from PIL import Image

from experiments.pictures import figures


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


def tiles(*values, side=32):
    return np.stack([np.full((side, side, 1), value, np.uint8) for value in values])


def test_a_grid_without_gaps_has_its_tiles_side_by_side():
    picture = figures.grid(tiles(10, 20, 30, 40), 2, gap=0)
    assert picture.shape == (64, 64, 3)
    assert [picture[31, 31, 0], picture[31, 32, 0], picture[32, 31, 0], picture[32, 32, 0]] == [10, 20, 30, 40]


def test_tiles_are_enlarged_to_the_side_asked_for():
    assert figures.grid(tiles(1, side=8), gap=0, shortest_side=33).shape == (40, 40, 3)


def test_labels_stand_in_margins_and_leave_the_grid_as_it_is():
    grid = figures.grid(tiles(0, 0, 0, 0), 2)
    picture = figures.labelled(grid, ["first", "second"], ["a", "b"])
    height, width, _ = grid.shape
    np.testing.assert_array_equal(picture[-height:, -width:], grid)
    left, top = picture[-height:, :-width], picture[:-height, -width:]
    for rows in (left[: height // 2], left[height // 2 :]):
        assert (rows < 128).any()
    for columns in (top[:, : width // 2], top[:, width // 2 :]):
        assert (columns < 128).any()
    assert (picture[:-height, :-width] == 255).all()


def test_without_labels_a_grid_has_no_margins():
    grid = figures.grid(tiles(0, 0))
    np.testing.assert_array_equal(figures.labelled(grid), grid)
    assert figures.labelled(grid, ["row"]).shape[0] == grid.shape[0]
    assert figures.labelled(grid, (), ["", ""]).shape == grid.shape


def test_a_label_wider_than_its_column_is_cut():
    grid = figures.grid(tiles(0, 0), 2)
    picture = figures.labelled(grid, (), ["a very long name", ""])
    assert (picture[: -grid.shape[0], 36:] == 255).all()


@pytest.mark.parametrize("label", ["Äpfel", "яблоко", "μῆλον", "−1.5"])
def test_letters_of_other_alphabets_are_drawn(label):
    """Each has a picture of its own, where a letter that a font lacks is a box like any other."""
    grid = figures.grid(tiles(0, side=100))
    marks = [figures.labelled(grid, [letter]) for letter in {*label}]
    boxed = figures.labelled(grid, ["\U0001f34e"])
    assert not any(np.array_equal(mark, boxed) for mark in marks)
    assert len({mark.tobytes() for mark in marks}) == len(marks)


@pytest.mark.parametrize("channels", ["grey", "colour"])
def test_a_gif_has_its_frames_its_pace_and_loops(tmp_path, channels):
    frames = [np.full((6, 5, 3), value, np.uint8) for value in (0, 100, 255)]
    if channels == "colour":
        frames = [frame * np.array([1, 0, 0], np.uint8) for frame in frames]
    path = tmp_path / "new" / "way.gif"
    figures.save_gif(path, frames, milliseconds=120)
    with Image.open(path) as animation:
        assert (animation.n_frames, animation.size, animation.info["loop"]) == (3, (5, 6), 0)
        for index, frame in enumerate(frames):
            animation.seek(index)
            assert animation.info["duration"] == 120
            np.testing.assert_array_equal(np.asarray(animation.convert("RGB")), frame)
    assert [file.name for file in path.parent.iterdir()] == ["way.gif"]


def test_a_png_of_greys_has_one_channel_and_the_same_pixels(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 1), np.uint8).repeat(3, axis=2)
    figures.save_png(tmp_path / "grey.png", picture)
    with Image.open(tmp_path / "grey.png") as found:
        assert found.mode == "L"
        np.testing.assert_array_equal(np.asarray(found.convert("RGB")), picture)
