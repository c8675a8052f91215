"""Holes filled and guides changed by runs of denoisers."""

import dataclasses
import re

import numpy as np
import pytest
from PIL import Image

from experiments import data, latents
from experiments.command_line.errors import UserError
from experiments.latents import denoised, trained
from jaxgen.diffusion.editing import RePaint, SDEdit
from jaxgen.diffusion.samplers import DDIM, Adaptive, DPMSolver
from jaxgen.diffusion.schedules import VP
from tests.experiments import small_runs
from tests.experiments.latents.test_latents import draw, near, tile


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run whose sampler goes no single steps, so that another stands in."""
    model = dataclasses.replace(small_runs.DENOISER, sampler=DPMSolver(3, 2))
    return small_runs.save(model, tmp_path_factory.mktemp("runs") / "ddpm")


def test_known_pixels_stay_and_draws_differ(folder, tmp_path, capsys):
    options = ["--images", "test:4,7", "--draws", 2, "--resamples", 2, "--jump", 1]
    found = draw(folder, "repaint", tmp_path / "r.png", *options)
    wanted = data.load("digits", "test").batch([4, 7])
    hole = np.zeros((8, 8), bool)
    hole[2:6, 2:6] = True
    for row in range(2):
        assert near(tile(found, row, 0, 2, 4), wanted[row])
        for column in (1, 2, 3):
            np.testing.assert_array_equal(tile(found, row, column, 2, 4)[~hole], wanted[row, ..., 0][~hole])
        assert (tile(found, row, 1, 2, 4)[hole] == 128).all()
        assert (tile(found, row, 2, 2, 4) != tile(found, row, 3, 2, 4)).any()
    printed = capsys.readouterr().out
    assert "25% of the pixels are missing" in printed
    assert (
        "2 images, 2 draws of 3 levels of DDIM: PSNR in the holes" in printed
        and "of the mean of what is known" in printed
    )


def test_a_guide_is_left_alone_at_0_and_changed_above(folder, tmp_path, capsys):
    options = ["--images", "test:4", "--strength", 0, 0.7, "--repeats", 2]
    found = draw(folder, "sdedit", tmp_path / "s.png", *options)
    wanted = data.load("digits", "test").batch([4])[0]
    assert near(tile(found, 0, 0, 1, 3), wanted) and near(tile(found, 0, 1, 1, 3), wanted)
    assert not near(tile(found, 0, 2, 1, 3), wanted)
    printed = capsys.readouterr().out
    assert "strength 0, 2 times 3 levels of DDIM: PSNR infinite dB" in printed


def test_what_a_mask_keeps_of_a_guide_of_ones_own_stays(folder, tmp_path, capsys):
    kept = np.zeros((8, 8), np.uint8)
    kept[:, :3] = 255
    Image.fromarray(kept).save(tmp_path / "kept.png")
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(tmp_path / "guide.png")
    options = ["--images", tmp_path / "guide.png", "--mask", tmp_path / "kept.png", "--strength", 0.7, "--label", "3"]
    found = tile(draw(folder, "sdedit", tmp_path / "s.png", *options), 0, 1, 1, 2)
    np.testing.assert_array_equal(found[:, :3], np.arange(64).reshape(8, 8)[:, :3])
    assert "38% of the pixels are left as they are" in capsys.readouterr().out


def test_an_adaptive_sampler_leaves_the_number_of_levels_to_ddim(folder):
    run = trained.load(folder)
    model = dataclasses.replace(run.config, schedule=VP(), sampler=Adaptive(1))
    adaptive = dataclasses.replace(run, experiment=dataclasses.replace(run.experiment, model=model))
    assert denoised.said(run) == "3 levels of DDIM" and denoised.said(adaptive) == f"{DDIM().steps} levels of DDIM"


def test_an_image_does_not_depend_on_those_beside_it(folder):
    run, images = trained.load(folder), data.load("digits", "test").batch([4, 7, 9])
    masks, labels = np.zeros((3, 8, 8, 1), np.float32), np.array([1, 2, 3], np.int32)
    for how in (RePaint(1, 2), SDEdit(0.7, 1)):
        edit = denoised.by_denoiser(run, how)
        together = edit(images, masks, labels, 0)
        np.testing.assert_array_equal(edit(images[:1], masks[:1], labels[:1], 0), together[:1])
        assert together.dtype == np.uint8


def test_a_sampler_of_single_steps_is_used_as_it_is(folder):
    assert denoised.said(trained.load(folder)) == "3 levels of DDIM"
    run = trained.load(folder)
    changed = dataclasses.replace(
        run, experiment=dataclasses.replace(run.experiment, model=dataclasses.replace(run.config, sampler=DDIM(2, 0.5)))
    )
    assert denoised.said(changed) == "2 levels of DDIM"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("repaint --draws 0", r"--draws is 0, but must be in \[1, 100\]"),
        ("repaint --jump 0", "--jump is 0, but must be at least 1"),
        ("repaint --mask round", "--mask is round"),
        ("sdedit --strength 0.5 1.5", r"--strength is \(0\.5, 1\.5\)"),
        ("sdedit --repeats 0", r"--repeats is 0, but must be in \[1, 1,000\]"),
        ("sdedit --label ten", "--label 'ten' is no class"),
    ],
)
def test_bad_words_are_refused_in_one_sentence(folder, options, message, tmp_path, capsys):
    name, *rest = options.split()
    with pytest.raises((UserError, SystemExit)) as error:
        latents.main([str(folder), name, "--out", str(tmp_path / "x.png"), *rest])
    assert re.search(message, str(error.value) + capsys.readouterr().err) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("action", ["repaint", "sdedit"])
def test_models_that_do_not_denoise_are_refused(action, tmp_path):
    gan = small_runs.save(small_runs.GAN, tmp_path / "gan")
    with pytest.raises(UserError, match="wgan_gp is no denoiser that changes images; use a run of ddpm or edm"):
        latents.main([str(gan), action, "--out", str(tmp_path / "x.png")])
