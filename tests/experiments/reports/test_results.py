"""The pages of results are those that the command writes from the records, and records say what a run was."""

import json
import pathlib
import re

import pytest

from experiments import results as command
from experiments.command_line.errors import UserError
from experiments.reports import records, results
from experiments.runs import run_folder
from experiments.runs.experiment import load

DOCS = pathlib.Path(__file__).parents[3] / "docs"


def test_the_pages_of_the_repository_are_what_the_records_give():
    known = [one for _, one in records.read(DOCS / "results" / "runs")]
    for name, text in results.pages(known, DOCS / "figures").items():
        assert (DOCS / "results" / name).read_text(encoding="utf-8") == text, "run python -m experiments.results"


def test_every_record_stands_on_a_page():
    known = [one for _, one in records.read(DOCS / "results" / "runs")]
    pages = "".join(
        (DOCS / "results" / name).read_text(encoding="utf-8") for name in results.pages(known, DOCS / "figures")
    )
    for one in known:
        assert one["command"].replace(f" --seed {one['seed']}", "") in pages
        assert f"{one['minutes']:.1f}" in pages


def finished_run(folder: pathlib.Path, seed: int = 0, **changes) -> pathlib.Path:
    """The folder of a run that was not trained, but says so."""
    import dataclasses

    experiment = dataclasses.replace(load("wgan_gp_digits"), seed=seed, steps=200, out=folder, **changes)
    folder.mkdir(parents=True)
    run_folder.begin(folder, "wgan_gp_digits", experiment)
    lines = [
        {"step": 100, "steps_per_s": 2.0, "critic_loss": 1.0},
        {"step": 200, "steps_per_s": 1.0, "critic_loss": 0.5},
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    cell = {"value": 3.25 + seed, "low": 3.0, "high": 3.5, "num": 10}
    row = {"metric": "frechet", "name": "Frechet distance", "extractor": "pixels", "resize": "none", "better": "lower"}
    row |= {"interval": "halves", "num_reference": 30, "samples": cell, "real": {"value": 1.5, "low": 1.0, "high": 2.0}}
    evaluation = {"step": 200, "kind": "images", "num_samples": 10, "num_train": 30, "num_test": 5, "seed": 0}
    evaluation |= {"rows": [row], "classifier_accuracy": None, "splits": {"reference": "train"}}
    (folder / "evaluation.json").write_text(json.dumps(evaluation), encoding="utf-8")
    return folder


def test_two_seeds_of_a_run_stand_side_by_side_with_what_is_held_out(tmp_path, capsys):
    runs = [finished_run(tmp_path / f"run{seed}", seed) for seed in (0, 1)]
    out = tmp_path / "results"
    arguments = ["--out", str(out), "--figures", str(tmp_path), "--add", *map(str, runs)]
    assert command.main(arguments) == 0
    page = (out / "gans.md").read_text(encoding="utf-8")
    assert "| Frechet distance (low) | pixels | 3.25 [3, 3.5] | 4.25 [3, 3.5] | 1.5 [1, 2] |" in page
    assert "python -m experiments.train wgan_gp_digits --steps 200" in page
    assert "seed 0 and 1. Minutes of updates: 2.5, 2.5." in page
    assert "Frechet distance 3.25 / 4.25 (held out 1.5)" in (out / "index.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in (out / "runs").iterdir()) == [
        "wgan_gp_digits_s0_1.json",
        "wgan_gp_digits_s1_1.json",
    ]
    assert command.main(arguments) == 0  # the same runs again: the same files
    assert len(list((out / "runs").iterdir())) == 2
    links = re.findall(r"gans\.md#([\w-]+)", (out / "index.md").read_text(encoding="utf-8"))
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert links == [heading.replace("`", "").lower().replace(" ", "-") for heading in headings]


def test_a_record_names_no_place_of_the_machine(tmp_path):
    run = finished_run(
        tmp_path / "secret" / "run",
        data=f"folder:{tmp_path}/secret/photos",
        data_dir=tmp_path,
        pretrained=(f"features={tmp_path}/secret/w.npz",),
    )
    found = records.record(run)
    text = json.dumps(found)
    assert str(tmp_path) not in text
    assert "secret" not in text
    assert found["data"] == "folder:photos"
    assert (
        found["command"]
        == "python -m experiments.train wgan_gp_digits --data folder:photos --pretrained features=SOURCE --steps 200"
    )
    assert found["sessions"][0]["processor"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda run: (run / "metrics.jsonl").write_text('{"step": 100, "steps_per_s": 1.0}\n'),
            "is at step 100 of 200",
        ),
        (
            lambda run: (run / "likelihood.json").write_text('{"step": 50}'),
            r"likelihood.json is of step 50, not of the",
        ),
        (lambda run: (run / "evaluation.json").write_text("{}"), "was not written by this version"),
    ],
)
def test_a_run_that_is_not_finished_or_measured_is_refused(tmp_path, change, message):
    run = finished_run(tmp_path / "run")
    change(run)
    with pytest.raises(UserError, match=message):
        command.main(["--out", str(tmp_path / "results"), "--add", str(run)])
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not JSON"), ("[]", "no record"), ('{"format": 0}', "no record")]
)
def test_a_damaged_record_is_named(tmp_path, text, message):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a.json").write_text(text)
    with pytest.raises(UserError, match=rf"a\.json .*{message}"):
        command.main(["--out", str(tmp_path)])


def test_without_records_the_option_is_named(tmp_path):
    with pytest.raises(UserError, match="give --add RUN"):
        command.main(["--out", str(tmp_path)])
