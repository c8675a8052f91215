import json

import pytest

from experiments.training import reporting, writers


def test_a_line_holds_metrics_and_rates(tmp_path, capsys):
    seen = []
    sink = writers.Sink(lambda step, metrics: seen.append((step, metrics)), lambda *_: None)
    with reporting.Reporter(tmp_path, 0, 20, [sink]) as reporter:
        reporter.progress(10)
        reporter.log(10, {"loss": 0.5}, images_per_step=64)
    line = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert line["step"] == 10
    assert line["loss"] == 0.5
    assert line["images_per_s"] == pytest.approx(64 * line["steps_per_s"])
    assert seen == [(10, {key: value for key, value in line.items() if key != "step"})]
    assert "step 10/20" in capsys.readouterr().out


def test_lines_after_the_step_that_a_run_resumes_from_are_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"step": 4, "lo')  # cut short by a kill
    with reporting.Reporter(tmp_path, 2, 9, []) as reporter:
        reporter.log(3, {}, 1)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2, 3]


@pytest.mark.parametrize(("seconds", "text"), [(5, "5s"), (184.4, "3m04s"), (3720, "1h02m"), (0, "0s")])
def test_durations_read_as_a_person_says_them(seconds, text):
    assert reporting.duration(seconds) == text


def test_the_time_left_does_not_count_the_compiler(tmp_path, capsys, monkeypatch):
    """100 s for the first 10 steps, then 20 for as many more: a step a second. The file has the whole rate."""
    now = [0.0]
    monkeypatch.setattr(reporting.time, "monotonic", lambda: now[0])
    with reporting.Reporter(tmp_path, 0, 50, []) as reporter:
        now[0] = 100.0
        reporter.progress(10)
        now[0] = 120.0
        reporter.progress(30)
        reporter.log(30, {}, 1)
        now[0] = 140.0
        reporter.log(40, {}, 1)
    shown = capsys.readouterr().out.splitlines()
    assert "step 30/50  1.0 steps/s  20s left" in shown[0] and "step 40/50  0.5 steps/s  20s left" in shown[1]
    first, second = map(json.loads, (tmp_path / "metrics.jsonl").read_text().splitlines())
    assert (first["steps_per_s"], second["steps_per_s"]) == (0.25, 0.5)
