"""Sets of 1, 2 and 4 examples and of one class: what cannot be measured is left out with its reason, nothing dies."""

import dataclasses
import json

import numpy as np
import pytest

from experiments import data, likelihood
from experiments.command_line.errors import UserError
from experiments.evaluation import during, measures, rows
from experiments.evaluation.rows import Prepared
from experiments.evaluation.sets import Examples
from experiments.runs.experiment import Experiment
from experiments.training import runner
from tests.experiments import small_runs
from tests.experiments.judged import evaluated

QUICK = {"batch_size": 8, "steps_per_call": 1, "num_samples": 4, "pictures": (), "steps": 2}


def examples(num, images=(16, 16, 1)):
    numbers = np.random.default_rng(num)
    features, logits = numbers.normal(size=(num, 5)), numbers.normal(size=(num, 3))
    pixels = numbers.integers(0, 256, (num, *images)).astype(np.uint8)
    return Examples(pixels, np.zeros(num, np.int32), features.astype(np.float32), logits.astype(np.float32))


def points(num):
    return dataclasses.replace(examples(num), pixels=np.random.default_rng(num).normal(size=(num, 2)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("measure", measures.all_of("ring8"), ids=lambda measure: measure.name)
def test_a_measure_has_a_value_from_its_least_number_on_and_a_reason_below(measure):
    make = points if measure.name == "modes" else examples
    for num in sorted({1, 2, 4, measure.least - 1, measure.least} - {0}):
        reference = make(num)
        reason = measures.why_not(measure, num, num)
        prepared = Prepared(measure.prepare(reference), num)
        if num < max(measure.least, measure.least_reference):
            assert reason and "needs at least" in reason
            with pytest.raises(ValueError, match="needs at least"):
                rows.cells(measure, prepared, reference, 0, 2)
        else:
            assert reason is None
            assert all(np.isfinite(cell.value) for cell in rows.cells(measure, prepared, reference, 0, 2)), num


def test_fewer_real_examples_than_samples_are_a_reason():
    there = {measure.name: measure for measure in measures.all_of("digits")}
    assert "needs at least 9 real training examples, but there are 5" in measures.why_not(there["two_sample"], 9, 5)
    assert measures.why_not(there["frechet"], 9, 1) and not measures.why_not(there["frechet"], 9, 2)


def pictures_of(tmp_path, num, labels=None):
    path = tmp_path / f"{num}.npz"
    content = np.random.default_rng(num).integers(0, 256, (num, 8, 8, 1)).astype(np.uint8)
    arrays = {"x_train": content, "x_test": content[:1]}
    if labels is not None:
        arrays |= {"y_train": np.asarray(labels), "y_test": np.asarray(labels[:1])}
    np.savez(path, **arrays)
    return f"npz:{path}"


@pytest.mark.parametrize("num", [2, 4])
def test_a_run_on_a_few_pictures_is_evaluated_as_far_as_that_goes(tmp_path, num, capsys):
    chosen = Experiment(model=small_runs.GAN, data=pictures_of(tmp_path, num), eval_every=1, **QUICK)
    assert runner.train("wgan_gp_digits", chosen, tmp_path / "run") == 0
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    names = set(during.names(chosen, data.load_for(chosen)))
    assert {name for name in lines[-1] if name.startswith("eval/")} == names
    assert all(np.isfinite(value) for line in lines for value in line.values())
    left = "eval/precision" not in names
    assert ("goes without precision and recall: it needs at least 4 examples" in capsys.readouterr().out) == left


def test_an_evaluation_of_one_picture_is_refused_before_the_run_begins(tmp_path):
    chosen = Experiment(model=small_runs.GAN, data=pictures_of(tmp_path, 1), eval_every=1, **QUICK)
    with pytest.raises(UserError, match=r"--eval-every 1 cannot evaluate anything: npz:.* has 1 for training"):
        runner.train("wgan_gp_digits", chosen, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.exhaustive
@pytest.mark.parametrize(("num", "labels"), [(1, None), (2, None), (4, None), (4, [0, 0, 0, 0]), (4, [0, 1, 0, 1])])
def test_evaluate_writes_a_value_or_a_reason_for_every_row(tmp_path, num, labels):
    run = small_runs.save(small_runs.GAN, tmp_path / "run", data=pictures_of(tmp_path, num, labels))
    found = evaluated(run, tmp_path / "cache", "--num-samples", "4", "--num-halves", "2")
    for row in found["rows"]:
        for name in ("samples", "real"):
            cell = row.get(name)
            assert "reason" in row or cell is None or "reason" in cell or np.isfinite(cell["value"])


def test_a_likelihood_of_one_held_out_picture_is_refused(tmp_path):
    run = small_runs.save(small_runs.WIDE, tmp_path / "run", data=pictures_of(tmp_path, 4))
    with pytest.raises(UserError, match="holds out 1 example, but a standard error needs at least 2"):
        likelihood.main([str(run)])
