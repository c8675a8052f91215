"""A model that ignores its class, and one that ignores all else, are told apart."""

import numpy as np
import pytest

from experiments.evaluation import collapses, measures
from experiments.evaluation.sets import Examples
from tests.experiments import small_runs
from tests.experiments.judged import evaluated

CLASSES = 4
CENTRES = 10.0 * np.eye(CLASSES, 3, dtype=np.float32)


def examples(labels, spread, seed=0):
    """Features around the centre of each label's class."""
    noise = np.random.default_rng(seed).normal(size=(len(labels), 3)).astype(np.float32)
    return Examples(np.zeros((len(labels), 2)), labels=labels, features=CENTRES[labels] + spread * noise)


LABELS = np.arange(400) % CLASSES


def test_the_variety_within_classes_is_that_of_independent_pairs():
    """2 sigma^2 for each dimension, however far the classes lie apart."""
    assert measures.variety_within_classes(examples(LABELS, 0.5)) == pytest.approx(2 * 3 * 0.25, rel=0.1)
    found = examples(LABELS, 0.5)
    pairs = [
        ((found.features[c == LABELS][:, None] - found.features[c == LABELS][None]) ** 2).sum(2) for c in range(CLASSES)
    ]
    by_pairs = np.mean([square.sum() / (len(square) * (len(square) - 1)) for square in pairs])
    np.testing.assert_allclose(measures.variety_within_classes(found), by_pairs, rtol=1e-5)


def test_a_class_of_one_example_does_not_count_and_none_of_two_is_an_error():
    labels = np.array([0, 0, 1])
    wanted = measures.variety_within_classes(examples(labels[:2], 1.0))
    assert measures.variety_within_classes(Examples(np.zeros((3, 2)), labels, examples(labels, 1.0).features)) == (
        pytest.approx(wanted)
    )
    with pytest.raises(ValueError, match="two examples of a class"):
        measures.variety_within_classes(examples(labels[1:], 1.0))


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
