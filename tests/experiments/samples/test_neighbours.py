"""`sample --nearest`: the nearest training images, and the picture of them."""

import numpy as np
import pytest
from PIL import Image

from experiments import data, sample
from experiments.command_line.errors import UserError
from experiments.samples import neighbours
from tests.experiments import small_runs


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    return small_runs.save(small_runs.GAN, tmp_path_factory.mktemp("gan") / "run")


def test_neighbours_are_those_of_all_distances_block_by_block(monkeypatch):
    training = data.load("digits")
    samples = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), np.uint8)
    samples[1] = training.batch(np.array([7]))[0]
    monkeypatch.setattr(neighbours, "BLOCK", 400)
    indices, distances = neighbours.nearest(samples, training, 5)
    rows, others = (
        np.asarray(each, np.float64).reshape(-1, 64) / 255 for each in (samples, training.batch(range(1500)))
    )
    every = np.linalg.norm(rows[:, None] - others[None], axis=2)
    np.testing.assert_array_equal(indices, np.argsort(every, axis=1)[:, :5])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :5], atol=5e-3)
    assert indices[1, 0] == 7


def test_a_picture_has_a_row_for_each_sample(gan, tmp_path, capsys):
    out = tmp_path / "near.png"
    assert sample.main([str(gan), "--num", "3", "--nearest", "2", "--out", str(out)]) == 0
    assert "3 samples of step 2 beside the nearest training images, at" in capsys.readouterr().out
    with Image.open(out) as picture:
        width, height = picture.size
    assert width == 3 * (32 + 2) + 2 and height > 3 * (32 + 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--nearest", "2", "--out", "a.npz"), "--nearest is of a picture, but --out is a.npz"),
        (("--nearest", "2", "--columns", "2"), "--nearest and --columns are of different pictures"),
        (("--nearest", "2", "--trajectory", "--out", "a.png"), "--nearest and --trajectory are of different"),
        (("--same-latents", "--nearest", "2"), "--same-latents and --nearest are of different"),
        (("--same-latents",), "--same-latents is given, but wgan_gp is not told classes"),
    ],
)
def test_what_cannot_be_is_refused(gan, options, message):
    with pytest.raises(UserError, match=message):
        sample.main([str(gan), *options])


def test_points_have_no_nearest_picture(tmp_path):
    points = small_runs.save(small_runs.POINTS, tmp_path / "points", data="ring8")
    with pytest.raises(UserError, match="--nearest is of images"):
        sample.main([str(points), "--nearest", "2"])
