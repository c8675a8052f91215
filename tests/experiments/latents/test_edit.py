"""Images edited by what is painted on them, of finished runs."""

import numpy as np
import pytest
from PIL import Image

from experiments import data, latents
from experiments.command_line.errors import UserError
from experiments.latents import layers, trained
from experiments.latents.layers import Painted, Wishes
from tests.experiments import small_runs
from tests.experiments.latents.test_latents import arrays, draw, near, tile

FEW = ("--starts", 6, "--keep", 4, "--columns", 2)


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    return small_runs.save(small_runs.GAN, tmp_path_factory.mktemp("runs") / "gan")


@pytest.fixture(scope="module")
def cvae(tmp_path_factory):
    return small_runs.save(small_runs.PLANE, tmp_path_factory.mktemp("runs") / "cvae")


@pytest.fixture
def layer(tmp_path):
    """Light where rows 1 to 4 and columns 2 to 4 are."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[1:5, 2:5] = (230, 230, 230, 255)
    Image.fromarray(pixels).save(tmp_path / "layer.png")
    return tmp_path / "layer.png"


def test_a_stroke_moves_the_pixels_under_it_and_candidates_are_kept(gan, layer, tmp_path, capsys):
    found = draw(gan, "edit", tmp_path / "e.png", "--images", "sample:3", "--layer", layer, "--closeness", 0.01, *FEW)
    run = trained.load(gan)
    kept, (start,) = arrays(tmp_path / "e.npz"), run.decode(run.draw(np.array([3]), 0))
    made = run.decode(kept["latents"])
    assert near(tile(found, 0, 0, 1, 6), start) and near(tile(found, 0, 1, 1, 6), start)
    assert near(tile(found, 0, 3, 1, 6), made[0]) and near(tile(found, 0, 4, 1, 6), made[1])
    under = (slice(1, 5), slice(2, 5))
    assert (tile(found, 0, 2, 1, 6)[under] == 230).all()
    errors = [((image.astype(float)[under] - 230) ** 2).mean() for image in (start, made[0])]
    assert errors[1] < 0.8 * errors[0]
    assert kept["latents"].shape == (4, 3) and (np.diff(kept["values"]) >= 0).all()
    assert list(kept["names"])[:2] == ["sample 3, candidate 1", "sample 3, candidate 2"]
    printed = capsys.readouterr().out
    assert f"sample 3: {kept['values'][0]:.4g} of the best of 4 candidates" in printed
    draw(gan, "interpolate", tmp_path / "i.png", "--images", f"latents:{tmp_path / 'e.npz'}", "--steps", 2)


def test_the_photograph_of_a_conditional_model_is_found_first_and_changes(cvae, layer, tmp_path, capsys):
    options = ["--images", "7", "--layer", layer, "--kind", "edges", "--closeness", 0.01, *FEW]
    found = draw(cvae, "edit", tmp_path / "e.png", *options)
    test = data.load("digits", "test")
    photograph = test.batch(np.flatnonzero(test.labels == 7)[:1])[0]
    assert near(tile(found, 0, 0, 1, 6), photograph)
    assert (tile(found, 0, 2, 1, 6)[1:5, 2:5] == 255).all()  # lines are white, whatever their colour
    assert (arrays(tmp_path / "e.npz")["labels"] == 7).all()
    assert "7: latents found, PSNR" in capsys.readouterr().out


def test_an_edit_that_asks_for_what_is_there_keeps_the_image_bit_for_bit(gan, tmp_path):
    run = trained.load(gan)
    (start,) = run.decode(run.draw(np.array([5]), 0))
    Image.fromarray(np.dstack([start[..., 0]] * 3 + [np.full((8, 8), 255, np.uint8)])).save(tmp_path / "full.png")
    with pytest.raises(UserError, match=r"full.png is opaque everywhere; give a layer"):
        draw(gan, "edit", tmp_path / "e.png", "--layer", tmp_path / "full.png")
    found = draw(gan, "edit", tmp_path / "e.png", "--images", "sample:5", "--moves", "3,3>3,3", *FEW)
    np.testing.assert_allclose(arrays(tmp_path / "e.npz")["latents"][0], run.draw(np.array([5]), 0)[0], atol=0.01)
    assert np.abs(tile(found, 0, 5, 1, 6) - start[..., 0].astype(int)).max() <= 2


def test_a_move_shows_its_patch_at_its_place(gan, tmp_path):
    found = draw(gan, "edit", tmp_path / "e.png", "--moves", "2,2>5,6", "--side", 3, *FEW)
    run = trained.load(gan)
    (start,) = run.decode(run.draw(np.array([0]), 0))
    wanted = start.copy()
    wanted[4:7, 5:8] = start[1:4, 1:4]
    assert near(tile(found, 0, 2, 1, 6), wanted)


def test_layers_are_read_with_their_opacity_and_laid_on_one_another(tmp_path):
    pixels = np.zeros((4, 6, 4), np.uint8)
    pixels[0, 0], pixels[3, 5] = (10, 20, 30, 255), (200, 0, 0, 51)
    Image.fromarray(pixels).save(tmp_path / "layer.png")
    found = layers.read(tmp_path / "layer.png", (4, 6, 3))
    assert found.pixels[0, 0].tolist() == [10, 20, 30] and found.mask.dtype == np.float32
    assert found.mask[0, 0, 0] == 1 and found.mask[3, 5, 0] == np.float32(0.2) and found.mask.sum() == np.float32(1.2)
    above = Painted(np.full((4, 6, 3), 7, np.uint8), np.zeros((4, 6, 1), np.float32))
    above.mask[0, 0] = 1
    both = layers.over(found, above)
    assert both is not None and both.pixels[0, 0].tolist() == [7] * 3 and both.mask[3, 5, 0] == np.float32(0.2)
    assert layers.over(None, above) is above and layers.over(found, None) is found
    lines = layers.lines(found)
    assert lines.pixels[3, 5].tolist() == [51] * 3 and lines.mask[3, 5, 0] == 1 and lines.mask.sum() == 2
    seen = layers.laid_on(np.full((4, 6, 3), 100, np.uint8), Wishes(above, lines))
    assert seen[0, 0].tolist() == [7] * 3 and seen[3, 5].tolist() == [51] * 3 and seen[1, 1].tolist() == [100] * 3


def test_a_brush_paints_the_pixels_under_it():
    pixels = np.zeros((8, 8, 1), np.uint8)
    dot = layers.stroke(pixels, [(2.3, 5.9)], 0.1)
    assert np.argwhere(dot[..., 0]).tolist() == [[2, 5]]
    line = layers.stroke(pixels, [(1.5, 1.5), (1.5, 6.5)], 1)
    assert np.argwhere(line[..., 0]).tolist() == [[1, column] for column in range(1, 7)]
    disk = layers.stroke(pixels, [(4.0, 4.0)], 4)
    assert disk.sum() == 12 and disk[2:6, 3:5].all() and disk[3:5, 2:6].all()
    corner = layers.stroke(pixels, [(-3.0, 9.0)], 1)  # the pointer has left the image
    assert np.argwhere(corner[..., 0]).tolist() == [[0, 7]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", "nothing is wanted of the images; give --layer LAYER.png or --moves"),
        ("--layer none.png", "--layer is none.png, but must be a picture with transparency"),
        ("--layer small.png", "small.png has 3x2 pixels, but the images of this run 8x8; give a layer of theirs"),
        ("--layer empty.png", "empty.png is transparent everywhere; give a layer"),
        ("--layer text.png", "text.png .*; give a layer as png"),
        ("--moves 2-3", r"--moves has '2-3'; say row,column>row,column in pixels from 0, such as '2,3>5,3'"),
        ("--moves 2,3>8,3", r"--moves has '2,3>8,3', but images of 8 rows and 8 columns end before it"),
    ],
)
def test_a_wrong_wish_is_named(options, message, gan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((2, 3, 4), np.uint8)).save("small.png")
    Image.fromarray(np.zeros((8, 8, 4), np.uint8)).save("empty.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UserError, match=message) as error:
        latents.main([str(gan), "edit", *options.split()])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--keep 0", "--keep is 0, but must be at least 1"),
        ("--side 2", "--side is 2, but must be odd and positive"),
        ("--closeness nan", "--closeness is nan, but must be at least 0 and finite"),
        ("--learning-rate 0", "--learning-rate is 0.0, but must be above 0 and finite"),
    ],
)
def test_a_wrong_option_is_named(options, message, gan, capsys):
    with pytest.raises(SystemExit):
        latents.main([str(gan), "edit", *options.split()])
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())
