"""Pictures of style-based runs: what noise changes, styles mixed, and whether detail sticks."""

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from experiments import latents
from experiments.command_line.errors import UserError
from experiments.latents import sticking, trained
from experiments.latents.styled import Styled
from jaxgen.gans import styles
from tests.experiments import small_runs
from tests.experiments.latents.test_latents import draw, near, tile


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_runs.save(small_runs.STYLED, tmp_path_factory.mktemp("runs") / "styled")


@pytest.fixture(scope="module")
def styled(folder):
    return Styled(trained.load(folder))


def ws_of(styled, numbers):
    return styled.ws(styled.points((f"sample:{numbers}",), 0, None))


def test_noise_shows_variants_their_deviation_and_parts_of_the_noise(folder, styled, tmp_path, capsys):
    found = draw(folder, "noise", tmp_path / "n.png", "--images", "sample:0,5", "--variants", 1, "--draws", 6)
    quiet = trained.load(folder, changes={"drawing": styles.Drawing(noise=0.0)})
    for row, pixels in enumerate(Styled(quiet).pixels(ws_of(styled, "0,5"))):
        assert near(tile(found, row, 3, 2, 6), pixels)
    tiles = [tile(found, 0, column, 2, 6) for column in range(6)]
    assert not any(near(one, tiles[3][..., None]) for one in (tiles[0], tiles[1], tiles[4], tiles[5]))
    assert max(tile(found, row, 2, 2, 6).max() for row in range(2)) >= 254
    printed = capsys.readouterr().out
    assert "fine layers: 2 of maps of side 8; coarse layers: 1 of maps of side 4" in printed
    assert "noise in coarse layers: standard deviation" in printed


def test_mix_takes_a_band_of_layers_of_the_row_and_the_rest_of_the_column(folder, styled, tmp_path):
    options = ["--rows", "sample:0,1", "--columns", "sample:2,3,4", "--layers", 1, 3]
    found = draw(folder, "mix", tmp_path / "m.png", *options)
    givers, takers = (jnp.asarray(ws_of(styled, numbers)) for numbers in ("0,1", "2,3,4"))
    for column, pixels in enumerate(styled.pixels(np.asarray(takers)), 1):
        assert near(tile(found, 0, column, 7, 4), pixels)
    coarse = styles.mix(givers[1:], takers[2:], 1)
    middle = styles.mix(styles.mix(takers[2:], givers[1:], 1), takers[2:], 3)
    fine = styles.mix(takers[2:], givers[1:], 3)
    for row, wanted in ((2, coarse), (4, middle), (6, fine)):
        assert near(tile(found, row, 0, 7, 4), styled.pixels(np.asarray(givers[1:]))[0])
        assert near(tile(found, row, 3, 7, 4), styled.pixels(np.asarray(wanted))[0])


def test_detail_of_equal_images_stays_in_their_mean_and_that_of_independent_ones_is_lost():
    images = np.random.default_rng(0).normal(size=(16, 32, 32, 3))
    assert sticking.sharpness(np.repeat(images[:1], 4, axis=0)) == pytest.approx(1.0)
    assert sticking.sharpness(images) == pytest.approx(1 / 16, rel=0.1)
    assert sticking.sharpness(np.ones((2, 4, 4, 1))) == 0.0


def test_sticking_shows_images_means_and_a_column_of_pixels_over_time(folder, styled, tmp_path, capsys):
    options = ["--images", "sample:0,1", "--num-nearby", 2, "--nearby", 0.5]
    found = draw(folder, "sticking", tmp_path / "s.png", *options)
    ws = ws_of(styled, "0,1")
    assert near(tile(found, 1, 0, 2, 3), styled.pixels(ws)[1])
    strip = tile(found, 0, 2, 2, 3)
    for time in (0, 3):
        moved = ((1 - time / 8) * ws[:1] + time / 8 * ws[1:]).astype(np.float32)
        assert np.abs(strip[:, time] - styled.pixels(moved)[0, :, 4, 0].astype(int)).max() <= 1
    assert "in the mean of 2 images of nearby styles" in capsys.readouterr().out
    path = tmp_path / "s.gif"
    draw(folder, "sticking", path, *options, "--steps", 3)
    with Image.open(path) as film:
        assert film.n_frames == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("noise --coarse 8", "--coarse is 8, but maps have sides of 4, 8; choose one of these but the largest"),
        ("mix --layers 2 4", r"--layers is 2 4, but must be two numbers in order, in \[1, 3\]"),
        ("sticking --images sample:1", "names one image; name two or more"),
        ("mix --rows 3", "stylegan2 has no encoder, so '3' has no place in its latent space"),
    ],
)
def test_what_cannot_be_drawn_is_said(options, message, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        latents.main([str(folder), *options.split()])


def test_runs_without_styles_or_without_noise_are_refused(styled, tmp_path, monkeypatch):
    gan = small_runs.save(small_runs.GAN, tmp_path / "gan")
    for action in ("noise", "mix", "sticking"):
        with pytest.raises(UserError, match="wgan_gp has no styles; use a run of a style-based model"):
            latents.main([str(gan), action])
    monkeypatch.setattr(Styled, "map_sizes", lambda *_: {})
    with pytest.raises(UserError, match="stylegan2 has no noise inputs"):
        latents.main([str(styled.run.folder), "noise", "--out", str(tmp_path / "n.png")])
