"""What samples add to few images: the sets that classifiers learn from, on digits and samples that are known."""

import json
import types

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from experiments import augment, data
from experiments.command_line.errors import UserError
from experiments.evaluation import augmenting
from experiments.evaluation.augmenting import Way
from experiments.evaluation.classifier import Settings
from experiments.evaluation.sets import Examples
from jaxgen.batches import Labelled
from jaxgen.metrics import classification_accuracy_score
from tests.experiments import small_runs

RARE = "rare_class:digits:3:50:0"


@pytest.fixture(scope="module")
def samples():
    """Real images of all classes in turn, in place of a model's."""
    every = data.load("digits")
    labels = np.asarray(every.labels)
    chosen = np.stack([np.flatnonzero(labels == label)[-20:] for label in range(10)], axis=1).reshape(-1)
    return Examples(np.asarray(every.images[chosen]), labels[chosen])


def counts(way: Way):
    return np.bincount(np.asarray(way.images.labels), minlength=10)


def test_equal_classes_are_not_filled_up(samples):
    few = data.load("few_labels:digits:100:0")
    found = augmenting.ways(few, samples)
    assert list(found) == ["alone", "changed", "with samples", "changed, with samples", "samples alone"]
    np.testing.assert_array_equal(counts(found["alone"]), np.full(10, 10))
    np.testing.assert_array_equal(counts(found["with samples"]), np.full(10, 2 * 10 + 20))
    np.testing.assert_array_equal(found["samples alone"].images.images, samples.pixels)
    assert [name for name, way in found.items() if way.changed] == ["changed", "changed, with samples"]


def test_a_rare_class_is_filled_up_by_its_own_images_or_by_samples_of_it(samples):
    few = data.load(RARE)
    found = augmenting.ways(few, samples)
    for name in ("repeated", "filled up"):
        np.testing.assert_array_equal(counts(found[name]), np.full(10, 50))
        np.testing.assert_array_equal(found[name].images.images[: len(few)], few.images)
    own = {image.tobytes() for image in few.images[few.labels == 3]}
    added = {name: found[name].images.images[len(few) :] for name in ("repeated", "filled up")}
    assert {image.tobytes() for image in added["repeated"]} == own
    made = {image.tobytes() for image in samples.pixels[samples.labels == 3]}
    assert {image.tobytes() for image in added["filled up"]} == made


def test_a_score_of_samples_alone_is_that_of_the_metrics(samples):
    few, test = data.load("few_labels:digits:100:0"), data.load("digits", "test")
    way, chosen = augmenting.ways(few, samples)["samples alone"], Settings(channels=4, width=16, steps=100)
    options = types.SimpleNamespace(seed=1, num_seeds=1, mirror=False)
    found = augmenting.judged(way, test, options, chosen)

    def fit(train):
        logits = augmenting.fitted(way, 1, chosen)
        np.testing.assert_array_equal(train.images, way.images.images)
        return lambda images: jnp.asarray(logits(np.asarray(images)))

    real = Labelled(jnp.asarray(np.asarray(test.images)), jnp.asarray(test.labels))
    made = Labelled(jnp.asarray(samples.pixels), jnp.asarray(samples.labels))
    assert found["accuracy"]["mean"] == pytest.approx(float(classification_accuracy_score(fit, made, real)))
    assert found["accuracy"]["mean"] > 0.3
    shares = np.bincount(np.asarray(test.labels)) / len(test)
    weighed = sum(share * one["mean"] for share, one in zip(shares, found["recalls"], strict=True))
    assert weighed == pytest.approx(found["accuracy"]["mean"])


def test_changed_images_stay_in_place_on_average_and_differ_at_each_step():
    images = jnp.zeros((64, 8, 8, 1)).at[:, 3:5, 3:5].set(1.0)
    seen = [augmenting.change(images, step, seed=0, mirror=False) for step in (jnp.int32(0), jnp.int32(1))]
    assert (np.asarray(seen[0]) != np.asarray(seen[1])).any()
    np.testing.assert_array_equal(seen[0], augmenting.change(images, jnp.int32(0), seed=0, mirror=False))
    mean = np.asarray(seen[0]).mean(axis=(0, 3))
    assert np.unravel_index(mean.argmax(), mean.shape) in [(3, 3), (3, 4), (4, 3), (4, 4)]
    assert mean[0].max() < 0.1


def test_an_interval_is_students():
    values = [0.8, 0.9, 0.85]
    found = augmenting.interval(values)
    expected = scipy.stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    np.testing.assert_allclose((found["low"], found["high"]), tuple(expected))
    assert augmenting.interval([0.5]) == {"mean": 0.5, "values": [0.5]}


@pytest.mark.exhaustive
def test_the_command_writes_all_ways_and_prints_the_rare_class(tmp_path, capsys, monkeypatch):
    run = small_runs.save(small_runs.PLANE, tmp_path / "run", data=RARE)
    small = Settings(channels=2, width=4, steps=2)
    monkeypatch.setattr(augmenting, "settings_of", lambda options: small)
    assert augment.main([str(run), "--num-samples", "40", "--num-seeds", "2"]) == 0
    found = json.loads((run / "augmentation.json").read_text())
    assert list(found["ways"]) == list(augmenting.SAID)
    assert found["rarest"] == 3 and found["num_train"] == 455 and found["num_test"] == 297 and found["seeds"] == [0, 1]
    told = capsys.readouterr().out
    for name, way in found["ways"].items():
        assert len(way["accuracy"]["values"]) == 2 and len(way["recalls"]) == 10
        assert f"{name:21}" in told
    assert "of '3'" in told


def test_what_cannot_be_judged_gets_one_sentence(tmp_path):
    other = small_runs.save(small_runs.WIDE, tmp_path / "vae")
    with pytest.raises(UserError, match="is a run of vae, which is told no class; give one of cgan"):
        augmenting.evaluate(other, augment.Options())
    run = small_runs.save(small_runs.PLANE, tmp_path / "run", data=RARE)
    with pytest.raises(UserError, match="--num-samples is 9, but must be at least 10, one a class"):
        augmenting.evaluate(run, augment.Options(num_samples=9))


def test_the_command_says_what_it_is(capsys):
    assert augment.main([]) == 0
    assert "usage: python -m experiments.augment RUN" in capsys.readouterr().out
