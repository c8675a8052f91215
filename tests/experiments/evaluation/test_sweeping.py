"""`experiments.sweep`: a run drawn in many ways, each judged."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments import sweep
from experiments.command_line.errors import UserError
from experiments.evaluation import sweeping
from experiments.models import sampling
from jaxgen.diffusion.samplers import DDIM
from tests.experiments import small_runs

NUM = 40
SHORT = ("--num-samples", str(NUM), "--num-halves", "2", "--extractor", "pixels")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_runs.save(small_runs.DENOISER, tmp_path_factory.mktemp("sweep") / "run")


@pytest.fixture(scope="module")
def found(run):
    ways = ("--sampler", "ddim", "heun", "--sampler.steps", "2", "3")
    assert sweep.main([str(run), *ways, *SHORT, "--metrics", "frechet", "precision_recall"]) == 0
    return json.loads((run / "sweep.json").read_text())


@pytest.mark.exhaustive
def test_every_combination_is_a_point_with_its_evaluations(found):
    settings = [(point["settings"]["sampler"], point["settings"]["sampler.steps"]) for point in found["points"]]
    assert settings == [("ddim", "2"), ("ddim", "3"), ("heun", "2"), ("heun", "3")]
    assert [point["evaluations"] for point in found["points"]] == [2, 3, 3, 5]
    assert [one["name"] for one in found["metrics"]] == ["Frechet distance", "precision", "recall"]
    assert found["real"].keys() == {"Frechet distance", "precision", "recall"}
    for point in found["points"]:
        assert point["values"]["Frechet distance"]["num"] == NUM
    assert len({point["values"]["Frechet distance"]["value"] for point in found["points"]}) == 4


def test_a_point_is_what_evaluate_finds_for_these_settings(run, found):
    from tests.experiments.judged import evaluated

    same = evaluated(run, run / "cache", *SHORT, "--metrics", "frechet", "--sampler", "heun", "--sampler.steps", "3")
    value = same["rows"][0]["samples"]
    assert found["points"][3]["values"]["Frechet distance"] == value
    assert found["real"]["Frechet distance"] == same["rows"][0]["real"]


def test_the_table_and_the_picture_show_every_point(run, found):
    text = sweeping.lines(found)
    assert sum(line.startswith(("ddim", "heun")) for line in text) == 4
    assert any(line.startswith("real, held out") for line in text)
    with Image.open(run / "sweep.png") as picture:
        assert np.asarray(picture).std() > 0
    with Image.open(run / "tradeoff.png") as picture:
        assert np.asarray(picture.convert("RGB")).std() > 0
    lines = {sweeping._line(point): sweeping._place(point, 0) for point in found["points"]}
    assert lines == {"ddim": 3.0, "heun": 5.0}  # a line a sampler, over the evaluations


def test_a_sweep_over_guidance_has_its_scale_as_place_and_the_sampler_in_the_legend():
    point = {"settings": {"sampler": "ddim", "guidance.scale": "1.5"}, "evaluations": 3, "values": {}}
    assert (sweeping._line(point), sweeping._place(point, 0)) == ("ddim", 1.5)
    both = {"settings": {"sampler.steps": "9", "guidance.scale": "2"}, "evaluations": 9, "values": {}}
    assert (sweeping._line(both), sweeping._place(both, 0)) == ("scale 2", 9.0)
    words = {"settings": {"sampler": "ddim"}, "evaluations": None, "values": {}}
    assert sweeping._place(words, 4) == 4.0


def test_precision_stands_over_recall_and_without_either_there_is_no_picture(monkeypatch):
    seen = []
    monkeypatch.setattr(sweeping.curves, "tradeoff", lambda *args: seen.append(args) or b"")
    values = [{"recall": {"value": 0.1 * k}, "precision": {"value": 1 - 0.2 * k}} for k in (1, 2)]
    settings = [{"drawing.threshold": text} for text in ("0.5", "1")]
    points = [
        {"settings": own, "evaluations": None, "values": value} for own, value in zip(settings, values, strict=True)
    ]
    real = {"recall": {"value": 0.7}, "precision": {"value": 0.6}}
    assert sweeping.tradeoff({"points": points, "real": real}) == b""
    ((names, lines, held_out),) = seen
    assert (names, held_out) == (("recall", "precision"), (0.7, 0.6))
    assert [stop.name for stop in lines[""]] == ["0.5", "1"]
    np.testing.assert_allclose([stop[:2] for stop in lines[""]], [[0.1, 0.8], [0.2, 0.6]])
    assert sweeping.tradeoff({"points": [points[0] | {"values": {}}], "real": {}}) is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--sampler.steps", "5"), "two values or more"),
        ((), "two values or more"),
        (("--sampler.steps", "--sampler", "ddim"), "--sampler.steps has no value"),
    ],
)
def test_nothing_to_compare_is_refused(run, words, sentence):
    with pytest.raises(UserError, match=sentence):
        sweep.main([str(run), *words])


def test_a_model_without_a_sampler_is_refused(tmp_path):
    gan = small_runs.save(small_runs.GAN, tmp_path / "gan")
    with pytest.raises(UserError, match="has no sampler"):
        sweep.main([str(gan), "--sampler.steps", "2", "3"])


def test_values_after_an_equals_sign_and_without_a_folder(run, capsys):
    options, ways = sweeping.parse(run, ["--sampler.steps=2", "3", "--num-samples", "9"], "p", "d")
    assert [way.changes["sampler"] if way.changes else None for way in ways] == [DDIM(2), None]
    assert options.num_samples == 9 and options.metrics == sweeping.METRICS
    assert sweep.main([]) == 0
    assert "usage" in capsys.readouterr().out


def test_the_latents_of_all_ways_are_the_same(run):
    drawn = [sampling.draw(run, 4, 0)[1] for _ in range(2)]
    assert np.array_equal(*drawn)
