"""Films through the latent space of a run."""

import importlib.util
import sys

import numpy as np
import pytest
from PIL import Image

from experiments import latents
from experiments.command_line.errors import UserError
from experiments.latents import trained
from experiments.pictures import films
from tests.experiments import small_runs


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    return small_runs.save(small_runs.GAN, tmp_path_factory.mktemp("runs") / "gan")


def film(folder, out, *options):
    assert latents.main([str(folder), "video", "--out", str(out), *map(str, options)]) == 0
    return out


def test_a_film_begins_and_goes_on_at_the_images(gan, tmp_path, capsys):
    options = ["--images", "sample:0,5", "--steps", 4, "--side", 16, "--per-second", 10]
    for more, num in (((), 8), (("--closed",), 8)):
        with Image.open(film(gan, tmp_path / "v.gif", *options, *more)) as opened:
            assert opened.n_frames == num and opened.size == (16, 16) and opened.info["duration"] == 100
            run = trained.load(gan)
            wanted = run.decode(run.draw(np.array([0, 5]), 0))
            for frame, pixels in zip((0, 4), wanted, strict=True):
                opened.seek(frame)
                shown = np.asarray(opened.convert("L"))[::2, ::2].astype(int)
                assert np.abs(shown - pixels[..., 0]).max() <= 1
    assert "8 frames of 16x16 pixels, 0.8 seconds" in capsys.readouterr().out


def test_without_the_extra_an_mp4_is_refused_before_anything_is_drawn(gan, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"an MP4 needs imageio-ffmpeg: pip install -e '.\[video\]', or write a .gif"):
        films.require_encoder(tmp_path / "v.mp4")
    films.require_encoder(tmp_path / "v.gif")


@pytest.mark.skipif(importlib.util.find_spec("imageio_ffmpeg") is None, reason="the extra video is not installed")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the reader forks, and leaves a pipe
def test_an_mp4_has_its_frames_and_even_sides(tmp_path):
    import imageio_ffmpeg

    grey = [np.full((17, 31, 3), 40 * number, np.uint8) for number in range(5)]
    films.save(tmp_path / "v.mp4", grey, per_second=10)
    reader = imageio_ffmpeg.read_frames(str(tmp_path / "v.mp4"))
    said = next(reader)
    assert said["size"] == (32, 18) and said["fps"] == 10
    means = [np.frombuffer(frame, np.uint8).mean() for frame in reader]
    np.testing.assert_allclose(means, [0, 40, 80, 120, 160], atol=4)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("video --images sample:1", "--images names one image; name two or more to go between"),
        ("video --out v.png", r"--out is v.png, but must end in \.gif or \.mp4"),
    ],
)
def test_what_is_no_film_is_said(options, message, gan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        latents.main([str(gan), *options.split()])
