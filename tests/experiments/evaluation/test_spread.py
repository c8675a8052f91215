"""Several runs together, by hand; and the command on two runs."""

import pytest

from experiments import evaluate
from experiments.command_line.errors import UserError
from experiments.evaluation import judging, spread
from experiments.runs import run_folder


def evaluation(*rows):
    return {"rows": [{"name": name, "extractor": by, "better": "lower", **row} for name, by, row in rows]}


EACH = [
    evaluation(
        ("distance", "pca", {"samples": {"value": 3.0}}),
        ("share", None, {"samples": {"value": 0.5}}),
        ("lost", None, {"reason": "no labels"}),
    ),
    evaluation(("distance", "pca", {"samples": {"value": 7.0}}), ("share", None, {"samples": {"reason": "few"}})),
    evaluation(("distance", "pca", {"samples": {"value": 5.0}}), ("distance", "pixels", {"samples": {"value": 1.0}})),
]


def test_the_mean_lies_between_the_lowest_and_the_highest_of_the_runs_that_have_the_metric():
    (found,) = spread.of(EACH)
    assert found == ("distance (low)", "pca", (3.0, 7.0, 5.0)) and str(found) == "5 [3, 7]"
    assert spread.of(EACH[:1]) == []


def test_a_person_reads_a_line_for_each_metric():
    first, head, line = spread.lines(EACH)
    assert first == "over 3 runs:" and head.split() == ["metric", "extractor", "runs", "mean", "[lowest,", "highest]"]
    assert line.split() == ["distance", "(low)", "pca", "3", "5", "[3,", "7]"]


def test_the_command_judges_each_run_with_the_options_and_ends_with_all_of_them(monkeypatch, capsys, tmp_path):
    from experiments.evaluation import table
    from experiments.models import samplers

    asked = []

    def parse(_, folder, options, **__):
        asked.append((folder, options))
        return "options", "changes"

    monkeypatch.setattr(run_folder, "read", lambda folder: None)
    monkeypatch.setattr(samplers, "parse", parse)
    monkeypatch.setattr(judging, "evaluate", lambda folder, *_: EACH[int(folder.name)])
    monkeypatch.setattr(table, "lines", lambda found: [f"{len(found['rows'])} rows"])
    runs = [tmp_path / str(number) for number in range(3)]
    assert evaluate.main([*map(str, runs), "--seed", "4"]) == 0
    assert asked == [(folder, ["--seed", "4"]) for folder in runs]
    printed = capsys.readouterr().out.splitlines()
    assert printed[:4] == ["3 rows", "2 rows", "2 rows", ""] and printed[4:] == spread.lines(EACH)
    evaluate.main([str(runs[0])])
    assert capsys.readouterr().out == "3 rows\n"


def test_a_folder_that_is_no_run_is_named_before_any_run_is_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "evaluate", lambda *_: pytest.fail("nothing is to be judged"))
    with pytest.raises(UserError, match="nothing"):
        evaluate.main([str(tmp_path / "nothing"), str(tmp_path / "other")])
