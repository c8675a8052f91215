"""Classification accuracy: agreement with scikit-learn, scores of classifiers that are fitted."""

import inspect
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import f1_score, top_k_accuracy_score
from sklearn.neighbors import NearestCentroid

from jaxgen.batches import Labelled
from jaxgen.metrics import accuracy, classification_accuracy_score, macro_f1, micro_f1, within_class_variety
from tests.metrics import inputs
from tests.metrics.numbers import single

LABELS = np.arange(64) % 10


@pytest.mark.parametrize("top", [1, 3])
def test_accuracy_is_that_of_scikit_learn(top):
    logits = inputs.logits()
    expected = top_k_accuracy_score(LABELS, logits, k=top)
    np.testing.assert_allclose(accuracy(single(logits), jnp.asarray(LABELS), top=top), expected, rtol=1e-6)


@pytest.mark.parametrize(("score", "average"), [(micro_f1, "micro"), (macro_f1, "macro")])
def test_f1_of_several_labels_is_that_of_scikit_learn(score, average):
    """The last of the labels is neither there nor named."""
    logits = inputs.logits().copy()
    targets = np.random.default_rng(0).random(logits.shape) < np.linspace(0.1, 0.9, logits.shape[1])
    logits[:, -1], targets[:, -1] = -1.0, False
    expected = f1_score(targets, logits > 0, average=average, zero_division=0)
    np.testing.assert_allclose(score(single(logits), jnp.asarray(targets)), expected, rtol=1e-6)


def test_f1_is_1_of_the_labels_themselves_and_0_where_none_is_there():
    there = jnp.asarray(np.random.default_rng(1).random((9, 4)) < 0.5)
    for score in (micro_f1, macro_f1):
        np.testing.assert_allclose(score(jnp.where(there, 1.0, -1.0), there), 1.0)
        assert score(-jnp.ones((9, 4)), jnp.zeros((9, 4), bool)) == 0


@pytest.mark.usefixtures("unchecked_annotations")
def test_labels_of_another_shape_or_type_are_refused():
    for targets, said in ((jnp.zeros((3, 2), bool), r"bool \(3, 2\)"), (jnp.zeros((3, 4)), r"float32 \(3, 4\)")):
        with pytest.raises(ValueError, match=f"targets are {said}, but must be bool"):
            micro_f1(jnp.zeros((3, 4)), targets)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_labels_are_integers_of_any_width(dtype):
    logits, labels = np.eye(300)[[0, 255, 256, 299]], np.array([0, 255, 0, 255]).astype(dtype)
    with jax.enable_x64(True):
        assert accuracy(jnp.asarray(logits), jnp.asarray(labels)) == 0.5


@pytest.mark.usefixtures("unchecked_annotations")
def test_labels_that_are_no_integers_are_refused():
    with pytest.raises(ValueError, match=r"labels are float32 \(3,\), but must be integers"):
        accuracy(jnp.zeros((3, 4)), jnp.zeros(3))
    with pytest.raises(ValueError, match="labels is a list, but must be an array"):
        accuracy(jnp.zeros((3, 4)), [0, 1, 2])


def labelled(num, noise, seed):
    """Three classes in the plane."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, num)
    return Labelled(
        single(np.eye(3)[labels][:, :2] + noise * rng.normal(size=(num, 2))), jnp.asarray(labels, jnp.int32)
    )


def centroids(train):
    means = jax.ops.segment_sum(train.images, train.labels, 3) / jnp.bincount(train.labels, length=3)[:, None]
    return lambda images: -((images[:, None] - means[None]) ** 2).sum(2)


def test_score_is_the_accuracy_of_a_classifier_that_saw_samples_alone():
    samples, real = labelled(60, 0.5, 0), labelled(90, 0.5, 1)
    judge = NearestCentroid().fit(np.asarray(samples.images), np.asarray(samples.labels))
    expected = judge.score(np.asarray(real.images), np.asarray(real.labels))
    with jax.numpy_dtype_promotion("standard"):
        value = classification_accuracy_score(centroids, samples, real)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_samples_of_shuffled_classes_teach_nothing():
    samples, real = labelled(300, 0.1, 0), labelled(300, 0.1, 1)
    wrong = samples._replace(labels=(samples.labels + 1) % 3)
    with jax.numpy_dtype_promotion("standard"):
        assert classification_accuracy_score(centroids, samples, real) > 0.95
        assert classification_accuracy_score(centroids, wrong, real) < 0.05


def test_labels_that_do_not_fit_are_refused():
    logits = jnp.zeros((3, 4))
    with pytest.raises(ValueError, match=r"labels have shape \(2,\), but must be \(3,\)"):
        accuracy(logits, jnp.zeros(2, int))
    with pytest.raises(ValueError, match="top is 5, but must be from 1 to the 4 classes"):
        accuracy(logits, jnp.zeros(3, int), top=5)
    bad = Labelled(jnp.zeros((3, 2)), jnp.zeros(2, int))
    with pytest.raises(ValueError, match=r"labels of samples have shape \(2,\), but must be \(3,\)"):
        classification_accuracy_score(centroids, bad, bad)


def test_variety_within_classes_is_the_mean_over_all_pairs_of_a_class():
    """Of different examples, each class alike however many it has; how far classes lie apart does not count."""
    generator = np.random.default_rng(0)
    labels = np.array([0] * 30 + [1] * 5 + [3])  # none of class 2, and one of class 3, which has no pair
    features = generator.normal(size=(36, 3)) + 10.0 * labels[:, None]
    expected = np.mean(
        [np.mean([((x - y) ** 2).sum() for x, y in itertools.permutations(features[labels == c], 2)]) for c in (0, 1)]
    )
    found = within_class_variety(single(features), jnp.asarray(labels), num_classes=4)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    moved = single(features + 5.0 * labels[:, None])
    np.testing.assert_allclose(within_class_variety(moved, jnp.asarray(labels), num_classes=4), expected, rtol=1e-4)


def test_variety_within_classes_of_labels_that_do_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"labels are float32 \(2,\), but must be integers \(2,\)"):
        inspect.unwrap(within_class_variety)(jnp.zeros((2, 3)), jnp.zeros(2), num_classes=2)
    with pytest.raises(ValueError, match=r"must be integers \(2,\)"):
        within_class_variety(jnp.zeros((2, 3)), jnp.zeros(3, int), num_classes=2)
