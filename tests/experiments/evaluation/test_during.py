"""Evaluation while a run trains."""

import json

import pytest

from experiments.command_line.errors import UserError
from experiments.data import toys
from experiments.evaluation import classifier, during
from experiments.runs import restore
from experiments.runs.experiment import Experiment
from experiments.training.loop import Loop
from tests.experiments import small_runs
from tests.experiments.judged import TINY

RATES = ("steps_per_s", "images_per_s")
SETTINGS = {
    "eval_every": 2,
    "eval_samples": 20,
    "steps_per_call": 1,
    "log_every": 3,
    "checkpoint_every": 2,
    "keep": 1,
    "best": "eval/frechet_distance",
}


@pytest.fixture(scope="module", autouse=True)
def tiny_classifier(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(classifier, "USUAL", TINY)
        patched.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def lines_of(folder):
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in RATES} for line in found]


@pytest.mark.exhaustive
def test_a_run_that_stops_and_goes_on_is_evaluated_alike_and_keeps_its_best(tmp_path):
    small_runs.train("wgan_gp_digits", small_runs.GAN, tmp_path / "whole", **(SETTINGS | {"steps": 6}))
    for steps in (3, 6):
        small_runs.train("wgan_gp_digits", small_runs.GAN, tmp_path / "parts", **(SETTINGS | {"steps": steps}))
    whole, parts = lines_of(tmp_path / "whole"), lines_of(tmp_path / "parts")
    assert whole == parts
    assert [line["step"] for line in whole] == [2, 3, 4, 6]
    judged = {line["step"]: line for line in whole if "eval/frechet_distance" in line}
    assert list(judged) == [2, 4, 6]
    assert "critic_loss" not in judged[2] and "critic_loss" in judged[6]
    names = {"frechet_distance", "kernel_distance", "precision", "recall", "recognised", "classifier_accuracy"}
    assert {name for name in judged[2] if name != "step"} == {f"eval/{name}" for name in names}
    assert len({line["eval/frechet_distance"] for line in judged.values()}) == 3
    best = min(judged, key=lambda step: judged[step]["eval/frechet_distance"])
    for name in ("whole", "parts"):
        _, _, step, _ = restore.at(tmp_path / name, "best")
        assert step == best


def refused(tmp_path, monkeypatch, **settings):
    monkeypatch.setattr(Loop, "run", lambda *_: pytest.fail("trained"))
    with pytest.raises(UserError) as error:
        small_runs.train("wgan_gp_digits", small_runs.GAN, tmp_path / "run", **(SETTINGS | settings))
    assert not (tmp_path / "run").exists()
    return str(error.value)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"eval_every": None}, "--best eval/frechet_distance needs --eval-every"),
        ({"eval_every": 3}, "make one a multiple of the other"),
        ({"best": "eval/frechet"}, "did you mean eval/frechet_distance?"),
        ({"best": "eval/modes_covered"}, "there are: "),
    ],
)
def test_a_best_that_no_checkpoint_would_know_is_refused(settings, sentence, tmp_path, monkeypatch):
    assert sentence in refused(tmp_path, monkeypatch, **settings)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"eval_every": 0}, "--eval-every is 0, but must be at least 1"),
        ({"eval_samples": 9}, "--eval-samples is 9, but must be at least 10"),
    ],
)
def test_settings_out_of_range_are_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Experiment(model=small_runs.GAN, **settings)


def test_points_have_modes_in_place_of_classes():
    from experiments import data

    experiment = Experiment(model=small_runs.GAN, data="ring8", eval_every=1)
    names = during.names(experiment, data.load("ring8"))
    assert {"eval/modes_covered", "eval/high_quality"} < set(names)
    assert not {"eval/recognised", during.ACCURACY} & set(names)
    assert "ring8" in toys.TOYS
    assert during.names(Experiment(model=small_runs.GAN, data="ring8"), data.load("ring8")) == []
