"""Latents of images that are searched for, and what is kept of them."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from experiments import data, latents
from experiments.command_line.errors import UserError
from experiments.evaluation import classifier
from experiments.latents import compared, searching, sources, trained
from experiments.latents.sources import Words
from jaxgen.minimization import LBFGS, Descent
from tests.experiments import small_runs
from tests.experiments.latents.test_latents import arrays, draw, near, tile

FEW = ("--starts", 2)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    models = {
        "gan": dataclasses.replace(small_runs.GAN, latent_dim=3),
        "cvae": small_runs.PLANE,
        "styled": small_runs.STYLED,
        "symbols": small_runs.SYMBOLS,
    }
    return {name: small_runs.save(model, folder / name) for name, model in models.items()}


def test_draws_are_found_again_and_shown_beside_their_ratio(folders, tmp_path, capsys):
    found = draw(folders["gan"], "project", tmp_path / "p.png", "--images", "sample:0,5", "--starts", 8)
    run = trained.load(folders["gan"])
    wanted = run.decode(run.draw(np.array([0, 5]), 0))
    kept = arrays(tmp_path / "p.npz")
    assert (
        kept["latents"].shape == (2, 3)
        and str(kept["space"]) == "z"
        and list(kept["names"]) == ["sample 0", "sample 5"]
    )
    made = run.decode(kept["latents"])
    for row in range(2):
        assert near(tile(found, row, 0, 2, 2), wanted[row]) and near(tile(found, row, 1, 2, 2), made[row])
    assert (kept["psnr"] > 40).all()
    assert "2 images, PSNR" in capsys.readouterr().out


def test_held_out_images_and_classes_are_found_as_near_as_the_model_comes(folders, tmp_path):
    options = ["--images", "test:3", "7", "--num", 2, "--method", "adam", "--steps", 100, "--starts", 4]
    draw(folders["cvae"], "project", tmp_path / "p.png", *options)
    kept, test = arrays(tmp_path / "p.npz"), data.load("digits", "test")
    assert list(kept["labels"]) == [test.labels[3], 7, 7]
    run, pixels = trained.load(folders["cvae"]), test.batch([3, *np.flatnonzero(test.labels == 7)[:2]])
    ratios = searching.decibels(run.decode(kept["latents"], kept["labels"]), pixels)
    np.testing.assert_allclose(ratios, kept["psnr"], atol=0.1)
    for start in searching.space_of(run, "z", 0).starts(4, 3, kept["labels"]):
        assert (ratios >= searching.decibels(run.decode(start, kept["labels"]), pixels) - 0.1).all()


def test_a_search_begins_at_the_encoding_and_what_is_found_is_shown_under_other_classes(folders, tmp_path):
    run, options = trained.load(folders["cvae"]), ["--images", "test:3", "7", "--num", 1, "--starts", 1, "--steps", 3]
    found = draw(folders["cvae"], "project", tmp_path / "p.png", *options, "--classes", "2", "7")
    kept, test = arrays(tmp_path / "p.npz"), data.load("digits", "test")
    pixels = test.batch([3, np.flatnonzero(test.labels == 7)[0]])
    encoded = run.decode(run.encode(pixels, kept["labels"]), kept["labels"])
    assert (kept["psnr"] >= searching.decibels(encoded, pixels) - 0.1).all()
    for column, label in ((2, 2), (3, 7)):
        wanted = run.decode(kept["latents"], np.full(2, label, np.int32))
        assert all(near(tile(found, row, column, 2, 4), wanted[row]) for row in range(2))


def test_styles_of_each_layer_of_a_style_based_run_are_found(folders, tmp_path):
    options = ["--images", "sample:2", "--space", "w+", "--steps", 15]
    draw(folders["styled"], "project", tmp_path / "p.png", *options, *FEW)
    kept = arrays(tmp_path / "p.npz")
    assert kept["latents"].shape == (1, 4, 4) and str(kept["space"]) == "w+" and kept["psnr"][0] > 15


def test_scales_are_sought_from_those_of_styles_and_make_what_these_make(folders, tmp_path):
    run = trained.load(folders["styled"])
    of_styles, of_scales = (searching.space_of(run, name, 0) for name in ("w+", "s"))
    ws, scales = (space.starts(2, 3, None) for space in (of_styles, of_scales))
    assert scales.shape[:2] == (2, 3) and scales.ndim == 3
    wanted = of_styles.of(run.state)(jnp.asarray(ws[1]))
    np.testing.assert_allclose(of_scales.of(run.state)(jnp.asarray(scales[1])), wanted, atol=1e-5)
    draw(folders["styled"], "project", tmp_path / "p.png", "--images", "sample:2", "--space", "s", "--steps", 15, *FEW)
    kept = arrays(tmp_path / "p.npz")
    assert kept["latents"].shape == (1, scales.shape[2]) and str(kept["space"]) == "s" and kept["psnr"][0] > 15


@pytest.mark.exhaustive
def test_images_are_compared_in_features_and_in_pixels_with_a_weight(folders, tmp_path, monkeypatch, capsys):
    """What is named is what is made small: the features of the classifier that the data's own images gave."""
    monkeypatch.setattr(classifier, "USUAL", classifier.Settings(channels=2, width=4, steps=20))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    options = ["--images", "sample:0,5", "--features", "classifier", "--steps", 8, *FEW]
    kept = {}
    for weight in (0.0, 0.5):
        draw(folders["gan"], "project", tmp_path / "p.png", *options, "--pixel-weight", weight)
        kept[weight] = arrays(tmp_path / "p.npz")
    said = capsys.readouterr().out
    assert "distance: mean squared error of the features of a convolutional classifier, " in said
    assert "training images, and 0.5 times that of pixels" in said
    run = trained.load(folders["gan"])
    wanted = run.decode(run.draw(np.array([0, 5]), 0))
    for weight, found in kept.items():
        by = compared.compared(run, "classifier", weight)
        distances = by.between(run.decode(found["latents"]), wanted, run.config.value_range)
        np.testing.assert_allclose(found["distance"], distances, rtol=1e-4, atol=1e-7)
        for start in searching.space_of(run, "z", 0).starts(2, 2, None):
            assert (distances < by.between(run.decode(start), wanted, run.config.value_range)).all()


def test_the_projector_of_stylegan2_finds_styles_and_its_own_noise(folders, tmp_path):
    options = ["--images", "sample:2,3", "--space", "w", "--method", "projector", "--steps", 60]
    draw(folders["styled"], "project", tmp_path / "p.png", *options)
    kept = arrays(tmp_path / "p.npz")
    assert kept["latents"].shape == (2, 4) and (kept["psnr"] > 15).all()


def test_what_was_found_is_a_word_of_other_actions(folders, tmp_path):
    draw(folders["gan"], "project", tmp_path / "p.png", "--images", "sample:0,5", *FEW)
    kept, word = arrays(tmp_path / "p.npz"), f"latents:{tmp_path / 'p.npz'}"
    points, _ = sources.points(Words(trained.load(folders["gan"])), [word], 1)
    np.testing.assert_array_equal(points.latents, kept["latents"])
    found = draw(folders["gan"], "interpolate", tmp_path / "i.png", "--images", word, "--steps", 2, "--way", "linear")
    made = trained.load(folders["gan"]).decode(kept["latents"])
    assert near(tile(found, 0, 0, 1, 3), made[0]) and near(tile(found, 0, 2, 1, 3), made[1])


def test_no_search_begins_at_a_draw_that_is_shown(folders):
    run = trained.load(folders["gan"])
    starts = searching.space_of(run, "z", 0).starts(4, 8, None)
    drawn = run.draw(np.arange(32), 0)
    assert np.abs(starts.reshape(-1, 1, 3) - drawn[None]).max(axis=2).min() > 1e-4


def test_the_mean_style_is_the_first_start(folders):
    run = trained.load(folders["styled"])
    starts = searching.space_of(run, "w+", 0).starts(2, 3, None)
    assert starts.shape == (2, 3, 4, 4)
    np.testing.assert_array_equal(starts[0, 0], starts[0, 2])
    assert not np.allclose(starts[1, 0], starts[1, 2])


def test_options_say_which_search_it_is():
    assert searching.minimizer_of("lbfgs", None, 0.1) == LBFGS(100)
    adam = searching.minimizer_of("adam", 7, 0.5)
    assert isinstance(adam, Descent) and adam.steps == 7 and adam.optimizer.learning_rate == 0.5


@pytest.mark.parametrize(
    ("run", "options", "message"),
    [
        ("gan", "project --space w", "wgan_gp has no styles; use a run of a style-based model"),
        ("styled", "project --images sample:1 --method projector", "finds styles w and noise; say --space w, not z"),
        ("gan", "project --classes 3", "--classes is 3, but wgan_gp is not told classes; leave it out"),
        ("cvae", "project --classes 3 12", "--classes '12' is no class"),
        ("symbols", "project", "vq_vae makes no image from a latent vector alone"),
        ("gan", "project --images cat", "'cat' is neither a file nor a class of digits"),
        ("gan", "project --out p.gif", r"must end in \.png$"),
        ("gan", "interpolate --images latents:none.npz", "none.npz holds no latents; give a file that latents RUN"),
        (
            "gan",
            "interpolate --images latents:w.npz",
            r"w.npz holds latents of the space w\+; find them with --space z",
        ),
        ("gan", "interpolate --images latents:z.npz", r"z.npz holds latents of shape \(2, 5\); those of .* have 3"),
        ("cvae", "interpolate --images latents:two.npz", "two.npz holds no labels, but cvae is told classes"),
        ("gan", "reconstruct --images latents:z.npz", "wgan_gp has no encoder"),
        ("cvae", "reconstruct --images latents:z.npz", "draws latent vectors, which have no original"),
    ],
)
def test_what_cannot_be_found_is_said(run, options, message, folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, space, size in (("w", "w+", 3), ("z", "z", 5), ("two", "z", 2)):
        np.savez(tmp_path / f"{name}.npz", latents=np.zeros((2, size)), space=space, names=["a", "b"])
    with pytest.raises(UserError, match=message) as error:
        latents.main([str(folders[run]), *options.split()])
    assert "\n" not in str(error.value) and not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("project --starts 0", "--starts is 0, but must be in [1, 1,000]"),
        ("project --pixel-weight 0.5", "--pixel-weight is 0.5, but must be 0 without --features: pixels are all"),
        (
            "project --features classifier --pixel-weight -1",
            "--pixel-weight is -1.0, but must be at least 0 and finite",
        ),
        ("project --steps 0", "--steps is 0, but must be in [1, 100,000]"),
        ("inpaint --learning-rate 0", "--learning-rate is 0.0, but must be above 0 and finite"),
        ("inpaint --window 4", "--window is 4, but must be odd and positive"),
        ("inpaint --prior-weight -1", "--prior-weight is -1.0, but must be at least 0 and finite"),
        ("directions --reach 0", "--reach is 0.0, but must be above 0 and finite"),
        ("directions --columns 1", "--columns is 1, but must be in [2, 500]"),
        ("video --side 4", "--side is 4, but must be in [16, 4,096]"),
        ("video --per-second 0", "--per-second is 0, but must be in [1, 120]"),
    ],
)
def test_a_wrong_option_says_what_is_right(options, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        latents.main(["nowhere", *options.split()])
    assert exit_.value.code == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())
