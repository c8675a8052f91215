"""Holes in images, filled by finished runs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from experiments import data, latents
from experiments.command_line.errors import UserError
from experiments.evaluation import holes as baseline
from experiments.latents import filling, holes, searching, trained
from jaxgen.gans import ebgan
from tests.experiments import small_runs
from tests.experiments.latents.test_latents import arrays, draw, near, tile

FEW = ("--starts", 2, "--steps", 60)


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    return small_runs.save(small_runs.GAN, tmp_path_factory.mktemp("runs") / "gan")


@pytest.fixture(scope="module")
def cvae(tmp_path_factory):
    return small_runs.save(small_runs.PLANE, tmp_path_factory.mktemp("runs") / "cvae")


def test_a_draw_with_a_hole_is_filled_and_known_pixels_are_its_own(gan, tmp_path, capsys):
    found = draw(gan, "inpaint", tmp_path / "i.png", "--images", "sample:0,5", *FEW)
    run = trained.load(gan)
    wanted = run.decode(run.draw(np.array([0, 5]), 0))
    kept = arrays(tmp_path / "i.npz")
    known = kept["masks"][..., 0] > 0
    for row in range(2):
        seen, filled = tile(found, row, 1, 2, 4), tile(found, row, 3, 2, 4)
        assert near(tile(found, row, 0, 2, 4), wanted[row])
        np.testing.assert_array_equal(filled[known[row]], wanted[row, ..., 0][known[row]])
        np.testing.assert_array_equal(seen[known[row]], wanted[row, ..., 0][known[row]])
        assert (seen[~known[row]] == 128).all()
    assert kept["latents"].shape == (2, 3) and (kept["psnr"] > kept["hole_psnr"]).all() and (kept["psnr"] > 15).all()
    printed = capsys.readouterr().out
    assert "25% of the pixels are missing" in printed and "2 images, PSNR" in printed
    plain = baseline.plain(wanted, kept["masks"])
    assert f"of what is known: PSNR {searching.decibels(plain, wanted).mean():.1f} dB" in printed


def test_a_model_without_discriminator_fills_without_the_prior(cvae, tmp_path, capsys):
    options = ["--images", "7", "--num", 2, "--mask", "random", *FEW]
    found = draw(cvae, "inpaint", tmp_path / "i.png", *options)
    assert "cvae has no discriminator: holes are filled without the prior" in capsys.readouterr().out
    kept, test = arrays(tmp_path / "i.npz"), data.load("digits", "test")
    assert list(kept["labels"]) == [7, 7]
    assert near(tile(found, 0, 0, 2, 4), test.batch(np.flatnonzero(test.labels == 7)[:1])[0])


def test_a_mask_of_ones_own_without_a_hole_gives_the_image(cvae, tmp_path, capsys):
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / "white.png")
    found = draw(cvae, "inpaint", tmp_path / "i.png", "--images", "test:4", "--mask", tmp_path / "white.png", *FEW)
    assert near(tile(found, 0, 3, 1, 4), data.load("digits", "test").batch([4])[0])
    assert "PSNR infinite dB" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "share"), [("centre", 0.25), ("half", 0.5), ("random", 0.8), ("pattern", 0.25)])
@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 48, 3)])
def test_masks_have_their_share_of_holes(name, share, shape):
    found, said = holes.masks(name, 3, shape, 0)
    assert found.shape == (3, *shape[:2], 1) and found.dtype == np.float32 and set(np.unique(found)) == {0.0, 1.0}
    wanted = 1 / 6 if name == "centre" and shape[1] == 48 else share
    assert 1 - found.mean() == pytest.approx(wanted, abs=0.1)
    assert said == f"{1 - found.mean():.0%} of the pixels are missing"
    np.testing.assert_array_equal(holes.masks(name, 3, shape, 0)[0], found)


def test_a_mask_of_ones_own_has_its_hole_where_it_is_dark_or_transparent(tmp_path):
    pixels = np.full((4, 6, 2), 255, np.uint8)
    pixels[0, 0], pixels[1, 1, 1] = (0, 255), 0
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    found, _ = holes.masks(str(tmp_path / "mask.png"), 2, (4, 6, 3), 0)
    assert sorted(zip(*(part.tolist() for part in np.nonzero(found[1, ..., 0] == 0)), strict=True)) == [(0, 0), (1, 1)]


def test_the_prior_is_low_for_what_scores_high_and_is_the_energy_of_ebgan(gan, tmp_path):
    images = jax.random.uniform(jax.random.key(0), (3, 8, 8, 1))
    run = trained.load(gan)
    scores = small_runs.wgan_gp.discriminate(run.config, run.state, images)
    found = filling.prior_of(run, run.state)(images)
    assert (np.argsort(found) == np.argsort(-scores)).all()
    config = ebgan.Config(image_shape=small_runs.SHAPE)
    run = trained.load(small_runs.save(config, tmp_path / "ebgan"))
    energies = jnp.concatenate([ebgan.discriminate(run.config, run.state, image[None]) for image in images])
    np.testing.assert_allclose(filling.prior_of(run, run.state)(images), energies, rtol=1e-4)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("circle", "--mask is circle, but must be centre, half, random, pattern or a picture, white where pixels are"),
        ("small.png", "small.png has 3x2 pixels, but the images of this run 8x8; give a mask of theirs"),
        ("text.png", "text.png .*; give a mask as png"),
    ],
)
def test_a_wrong_mask_is_named(mask, message, gan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((2, 3), np.uint8)).save("small.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UserError, match=message) as error:
        latents.main([str(gan), "inpaint", "--images", "sample:0", "--mask", mask])
    assert "\n" not in str(error.value)
