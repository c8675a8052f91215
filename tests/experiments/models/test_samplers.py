"""A sampler's settings are replaced when a finished run draws."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments import evaluate, sample
from experiments.command_line.errors import UserError
from experiments.models import samplers, sampling
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
