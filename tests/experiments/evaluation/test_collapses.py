"""A model that ignores its class, and one that ignores all else, are told apart."""

import pytest

from experiments.evaluation import collapses
from tests.experiments import small_runs
from tests.experiments.judged import evaluated

CLASSES = 4


def rows(asked, variety, real=0.95):
    return [
        {"metric": "as_asked", "samples": {"value": asked}, "real": {"value": real}},
        {"metric": "class_variety", "samples": {"value": variety}, "real": {"value": 1.02}},
        {"metric": "modes", "name": "modes", "reason": "none"},
    ]


@pytest.mark.parametrize(
    ("asked", "variety", "words"),
    [
        (0.94, 0.9, []),
        (0.26, 0.9, ["ignores its condition"]),
        (0.94, 0.02, ["ignores its latents"]),
        (0.26, 0.02, ["ignores its condition", "ignores its latents"]),
        (None, None, []),
    ],
)
def test_each_collapse_has_a_sentence_of_its_own(asked, variety, words):
    found = collapses.warnings(rows(asked, variety), CLASSES)
    assert len(found) == len(words)
    for sentence, word in zip(found, words, strict=True):
        assert sentence.startswith("warning: ") and word in sentence
    if "ignores its condition" in words:
        assert "26.0% of the samples (95.0% of real ones, 25.0% by chance)" in found[0]


def test_a_model_of_random_weights_ignores_its_classes_and_evaluate_says_so(tmp_path, capsys):
    run = small_runs.save(small_runs.PLANE, tmp_path / "run")
    found = evaluated(run, tmp_path / "cache", "--num-samples", "60", "--num-halves", "2", "--metrics", "as_asked")
    assert len(found["warnings"]) == 1 and "ignores its condition" in found["warnings"][0]
    assert found["warnings"][0] in capsys.readouterr().out
