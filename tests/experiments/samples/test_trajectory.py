"""`python -m experiments.sample RUN --trajectory`."""

import dataclasses

import numpy as np
import pytest
from PIL import Image, ImageSequence

from experiments import sample
from experiments.command_line.errors import UserError
from experiments.models import sampling
from experiments.pictures import figures, trajectories
from jaxgen.nets.unet.cross_attention import CrossAttentionUNet
from tests.experiments import small_runs
from tests.text_to_image.test_latent_diffusion import PIXELS


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return small_runs.save(small_runs.DENOISER, tmp_path_factory.mktemp("images") / "run")


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    return small_runs.save(small_runs.POINTS, tmp_path_factory.mktemp("points") / "run", data="ring8")


def frames(path):
    with Image.open(path) as moving:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(moving)]


def test_an_animation_of_images_ends_with_those_that_sample_draws(images, capsys):
    assert sample.main([str(images), "--trajectory", "--num", "6", "--label", "3", "5", "--seed", "4"]) == 0
    assert "the way of 6 images of step 2 in 3 steps" in capsys.readouterr().out
    found = frames(images / "trajectory.gif")
    sample.main([str(images), "--num", "6", "--label", "3", "5", "--seed", "4", "--out", str(images / "a.npz")])
    with np.load(images / "a.npz") as archive:
        wanted = figures.grid(archive["arr_0"], 2)
    assert np.abs(found[-1].astype(int) - wanted).max() <= 1
    assert (found[0] != wanted).any() and found[0].shape == wanted.shape


@pytest.mark.exhaustive
def test_the_way_is_to_the_sentences_that_are_asked_for(tmp_path, monkeypatch):
    denoiser = CrossAttentionUNet(32, (1,), 1, attention=(8,), heads=1)
    config = dataclasses.replace(PIXELS, image_shape=(8, 8, 1), caption_length=8, denoiser=denoiser)
    run, seen = small_runs.save(config, tmp_path / "run", data="shapes_captions"), {}
    monkeypatch.setattr(trajectories, "rows", lambda pixels: seen.update(pixels=pixels) or pixels[-1, 0].repeat(3, -1))
    asked = [str(run), "--text", "red", "--text", "blue", "--num", "4", "--guidance", "4"]
    assert sample.main([*asked, "--trajectory", "--out", str(tmp_path / "a.png")]) == 0
    assert sample.main([*asked, "--out", str(tmp_path / "a.npz")]) == 0
    with np.load(tmp_path / "a.npz") as archive:
        np.testing.assert_allclose(seen["pixels"][-1].astype(int), archive["arr_0"], atol=1)
        assert sample.main([*asked[:3], *asked[5:], "--out", str(tmp_path / "b.npz")]) == 0
        with np.load(tmp_path / "b.npz") as other:
            np.testing.assert_array_equal(other["arr_0"][::2], archive["arr_0"][::2])
            assert (other["arr_0"][1::2] != archive["arr_0"][1::2]).any()


def test_images_in_rows_end_with_the_samples(images, tmp_path):
    out = tmp_path / "a.png"
    assert sample.main([str(images), "--trajectory", "--num", "3", "--batch-size", "2", "--out", str(out)]) == 0
    with Image.open(out) as picture:
        found = np.asarray(picture.convert("RGB"))
    _, drawn = sampling.draw(images, 3, 0)
    wanted = figures.grid(drawn, 1)
    assert found.shape[1] == 2 + 4 * (wanted.shape[1] - 2)
    assert np.abs(found[:, -wanted.shape[1] :].astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("name", ["a.gif", "a.png"])
def test_points_are_drawn_over_real_ones(points, tmp_path, monkeypatch, name):
    seen = {}
    drawing = "moving_points" if name == "a.gif" else "curves"

    def watched(states, real):
        seen.update(states=states, real=real)
        return [np.zeros((4, 4, 3), np.uint8)] * 2 if name == "a.gif" else np.zeros((4, 4, 3), np.uint8)

    monkeypatch.setattr(trajectories, drawing, watched)
    assert sample.main([str(points), "--trajectory", "--num", "7", "--out", str(tmp_path / name)]) == 0
    assert seen["states"].shape == (4, 7, 2) and seen["real"].shape == (7, 2)
    np.testing.assert_allclose(seen["states"][-1], sampling.draw(points, 7, 0)[1], rtol=1e-5)
    assert (tmp_path / name).stat().st_size > 20


def test_what_has_no_trajectory_is_told(images, tmp_path):
    gan = small_runs.save(small_runs.GAN, tmp_path / "gan")
    for run, options, message in (
        (gan, [], "wgan_gp has no trajectory, since it makes no images of noise in steps"),
        (images, ["--out", "a.npz"], r"--out is a.npz, but must end in .gif or .png for a --trajectory"),
        (images, ["--columns", "2", "--out", "a.png"], "--columns is of"),
    ):
        with pytest.raises(UserError, match=message):
            sample.main([str(run), "--trajectory", *options])
    with pytest.raises(UserError, match=r"a.gif, but must end in .png"):
        sample.main([str(images), "--out", "a.gif"])
