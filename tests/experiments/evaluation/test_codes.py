"""Categorical codes are named by held-out labels: by hand, and on a run of a tiny InfoGAN with random weights."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics.cluster import contingency_matrix

from experiments import data
from experiments.evaluation import codes, sets, table
from experiments.runs import restore
from experiments.runs.experiment import Experiment
from jaxgen.gans import infogan
from jaxgen.gans.codes import CodeSettings
from jaxgen.images import scale
from jaxgen.priors import Uniform
from tests.experiments import small_runs
from tests.experiments.judged import evaluated

MODEL = infogan.Config(
    image_shape=small_runs.SHAPE,
    codes=CodeSettings(categorical=(4, 3)),
    noise=Uniform(2),
    generator=small_runs.NET,
    discriminator=small_runs.NET,
)


def test_shares_are_those_of_every_way_to_name_the_codes():
    rng = np.random.default_rng(0)
    labels, found = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    named = codes.name(found, labels, 4, 4)
    counts = contingency_matrix(found, labels)
    ways = [counts[range(4), way].sum() for way in itertools.permutations(range(4))]
    assert named["one_to_one"] == pytest.approx(max(ways) / 200, abs=1e-4)
    assert named["purity"] == pytest.approx(counts.max(axis=1).sum() / 200, abs=1e-4) and min(ways) < max(ways)


def test_codes_that_are_the_classes_under_other_names_are_right():
    labels = np.arange(50) % 5
    assert codes.name((labels + 2) % 5, labels, 5, 5) == {
        "num": 50,
        "names": {0: 3, 1: 4, 2: 0, 3: 1, 4: 2},
        "purity": 1.0,
        "one_to_one": 1.0,
    }


def test_two_codes_may_share_their_best_class_but_not_one_to_one():
    named = codes.name(np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 1, 1]), 3, 2)
    assert (named["names"], named["purity"], named["one_to_one"]) == ({0: 1, 1: 1}, 0.8, 0.6)


def test_a_code_that_is_never_used_has_no_name():
    assert codes.name(np.zeros(6, int), np.arange(6) % 3, 2, 3)["names"] == {0: 0}


@pytest.mark.exhaustive
def test_evaluation_tells_what_each_code_stands_for(tmp_path):
    folder = small_runs.save(MODEL, tmp_path / "run")
    found = evaluated(folder, tmp_path / "cache", "--num-samples", "20", "--num-halves", "0", "--extractor", "pixels")
    _, _, _, state = restore.at(folder, "newest")
    test = data.load("digits", "test")
    predicted = infogan.predict_codes(
        MODEL, state, scale(jnp.asarray(test.batch(np.arange(len(test)))), MODEL.value_range)
    )
    for place, (logits, one) in enumerate(zip(predicted.logits, found["codes"], strict=True)):
        expected = codes.name(np.argmax(logits, axis=1), test.labels, MODEL.codes.categorical[place], 10)
        assert one == expected | {"names": {str(code): best for code, best in expected["names"].items()}}
        assert len(one["names"]) > 1
    assert "categorical code 1: 297 held-out images" in "\n".join(table.lines(found))


@pytest.mark.parametrize("model", [small_runs.GAN, infogan.Config(codes=CodeSettings(categorical=()))])
def test_a_model_without_categorical_codes_is_not_asked(model, tmp_path):
    run = sets.Run(tmp_path, "none", Experiment(model=model, data="digits"), 1, None)
    assert codes.judge(run, data.load("digits", "test")) == []
