"""A sampler's settings are replaced when a finished run draws."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from experiments import evaluate, export, latents, sample
from experiments.command_line.errors import UserError
from experiments.models import samplers, sampling
from experiments.runs import restore
from jaxgen.diffusion.guidance import ClassifierFree, NoGuidance
from jaxgen.diffusion.samplers import Euler
from tests.experiments import shaped, small_runs
from tests.experiments.models_of_tests import own_models  # noqa: F401


@pytest.fixture
def run(own_models, tmp_path):  # noqa: F811
    return small_runs.save(shaped.Config(), tmp_path / "run")


def test_a_run_draws_with_the_settings_that_are_given(run, tmp_path):
    """The double's images are 1 / steps darker; pixels are 127.5 times as bright."""
    for name, options in (("usual", []), ("many", ["--sampler.steps", "20"])):
        assert sample.main([str(run), "--num", "4", "--out", str(tmp_path / f"{name}.png"), *options]) == 0
    usual, many = (np.asarray(Image.open(tmp_path / f"{name}.png")).astype(int) for name in ("usual", "many"))
    assert (many >= usual).all() and (many > usual).any()
    _, drawn = sampling.draw(run, 4, 0, changes={"sampler": shaped.Sampler(steps=20)})
    _, again = sampling.draw(run, 4, 0)
    inside = (again > 0) & (drawn < 255)
    np.testing.assert_allclose(drawn[inside].astype(int) - again[inside], 127.5 * (1 / 4 - 1 / 20), atol=1)


def test_help_lists_them(run, capsys):
    with pytest.raises(SystemExit):
        sample.main([str(run), "--help"])
    said = capsys.readouterr().out
    assert "--sampler.steps" in said and "--sampler.gain" in said


def test_what_is_wrong_with_a_setting_is_said(run):
    with pytest.raises(SystemExit):
        sample.main([str(run), "--sampler.step", "20"])


@pytest.fixture(scope="module")
def diffusion(tmp_path_factory):
    """Runs of models whose samplers and guidance are values: of digits by class, and of points."""
    folder = tmp_path_factory.mktemp("diffusion")
    points = small_runs.save(small_runs.POINTS, folder / "points", data="ring8")
    return {"digits": small_runs.save(small_runs.DENOISER, folder / "digits"), "points": points}


def changes_of(run, *argv):
    _, changes = samplers.parse(sample.Options(), run, argv, prog="sample", description="")
    return changes


@pytest.mark.exhaustive
def test_another_sampler_and_guidance_are_named(diffusion, tmp_path):
    assert changes_of(diffusion["digits"]) == {}
    options = ["--sampler", "euler", "--guidance.scale", "3", "--guidance", "classifier-free", "--sampler.steps", "4"]
    chosen = {"sampler": Euler(4), "guidance": ClassifierFree(3.0)}
    assert changes_of(diffusion["digits"], *options) == chosen
    assert sample.main([str(diffusion["digits"]), "--num", "3", "--out", str(tmp_path / "a.npz"), *options]) == 0
    with np.load(tmp_path / "a.npz") as found:
        _, wanted = sampling.draw(diffusion["digits"], 3, 0, changes=chosen)
        np.testing.assert_array_equal(found["arr_0"], wanted)
    assert (wanted != sampling.draw(diffusion["digits"], 3, 0)[1]).any()


@pytest.mark.parametrize("words", [["--guidance", "4"], ["--guidance=4"], ["--guidance", "4e0", "--num", "8"]])
def test_a_number_in_place_of_the_name_of_a_guidance_is_its_scale(diffusion, words):
    chosen = changes_of(diffusion["digits"], "--guidance", "classifier-free", *words)
    assert chosen == {"guidance": ClassifierFree(4.0)}


def test_guidance_by_a_number_alone_is_for_a_run_that_has_guidance(diffusion, tmp_path, capsys):
    guided = dataclasses.replace(small_runs.DENOISER, guidance=ClassifierFree(2.0, least=0.5))
    run = small_runs.save(guided, tmp_path / "guided")
    assert changes_of(run, "--guidance", "4") == {"guidance": ClassifierFree(4.0, least=0.5)}
    assert changes_of(run, "--guidance", "no-guidance") == {"guidance": NoGuidance()}
    with pytest.raises(
        UserError, match=r"--guidance\.scale is no setting of no-guidance; give --guidance by-classifier"
    ):
        changes_of(diffusion["digits"], "--guidance", "4")
    with pytest.raises(SystemExit):
        changes_of(run, "--help")
    assert "--guidance 4 is short for --guidance.scale 4" in " ".join(capsys.readouterr().out.split())


MEANINGLESS = [
    ("digits", "--sampler.steps 11", "ddpm cannot draw with the sampler DDIM: steps is 11, but must be at most 10"),
    ("digits", "--sampler.grid shifted", "grid is Shifted, but must be another one, for times in"),
    ("digits", "--sampler ancestral --sampler.steps 5 --sampler.variance learned", "predicts no variance"),
    ("digits", "--guidance by-classifier", "with the guidance ByClassifier: .*needs a model with a classifier"),
    ("points", "--sampler.grid leading", "flow_matching cannot draw with the sampler Euler: grid is Leading"),
    ("points", "--sampler heun", "with the sampler Heun: grid is Karras, .*this schedule begins at pure noise"),
    ("points", "--sampler.churn.amount 2", "churn is 2.0, but must be 0"),
    ("points", "--sampler.limit dynamic-threshold", "limit is DynamicThreshold"),
    ("points", "--guidance classifier-free", "with the guidance ClassifierFree: guidance needs a model of classes"),
    ("digits", "--sampler hein", "--sampler is 'hein', but did you mean heun"),
    ("digits", "--guidance.scale 2", "--guidance.scale is no setting of no-guidance; give --guidance by-classifier or"),
]


@pytest.mark.parametrize(("run", "argv", "message"), MEANINGLESS)
def test_what_has_no_meaning_is_said_before_anything_is_loaded(diffusion, monkeypatch, run, argv, message):
    monkeypatch.setattr(restore, "at", lambda *_: pytest.fail("loaded"))
    with pytest.raises(UserError, match=message):
        sample.main([str(diffusion[run]), *argv.split()])


@pytest.mark.parametrize(("command", "words"), [(evaluate, []), (export, ["--out", "new"]), (latents, ["interpolate"])])
def test_every_command_that_draws_takes_them(diffusion, command, words):
    with pytest.raises(UserError, match="steps is 11, but must be at most 10"):
        command.main([str(diffusion["digits"]), *words, "--sampler.steps", "11"])


def test_an_evaluation_says_what_it_was_drawn_with(diffusion, capsys):
    options = ["--num-samples", "20", "--metrics", "nearest", "--extractor", "pixels", "--sampler", "euler"]
    assert evaluate.main([str(diffusion["points"]), *options, "--sampler.steps", "2"]) == 0
    found = json.loads((diffusion["points"] / "evaluation.json").read_text())
    assert found["sampler"] == repr(Euler(2)) and found["guidance"] == "NoGuidance()"
    assert f"sampler: {Euler(2)!r}" in capsys.readouterr().out


@pytest.mark.parametrize("command", [sample, evaluate])
def test_a_model_without_a_sampler_says_so(command, tmp_path):
    run = small_runs.save(small_runs.GAN, tmp_path)
    with pytest.raises(UserError, match=r"--sampler\.steps is given, but wgan_gp has no sampler; leave it out"):
        command.main([str(run), "--sampler.steps", "20"])


def test_evaluate_judges_samples_drawn_with_them(run):
    options = ["--num-samples", "20", "--metrics", "nearest", "--extractor", "pixels"]
    values = []
    for more in ([], ["--sampler.steps", "1"]):
        assert evaluate.main([str(run), *options, *more]) == 0
        found = json.loads((run / "evaluation.json").read_text())
        values.append(found["rows"][0]["samples"]["value"])
    assert values[0] != values[1]


def test_a_config_without_the_field_has_no_settings():
    assert samplers.settings(small_runs.GAN) == {}
    assert samplers.settings(shaped.Config()) == {"sampler": shaped.Sampler()}
