import jax.numpy as jnp
import numpy as np
import pytest

from experiments.benchmarks.judge import Judge
from experiments.evaluation.outputs import Outputs
from jaxgen import metrics

IMAGES = np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1) * 6


def outputs(images):
    """Two classes, dark and bright; sure of those far from the middle."""
    level = images.reshape(len(images), 1).astype(np.float32)
    return Outputs(np.concatenate([level, level**2 / 100], 1), np.concatenate([0 * level, (level - 117) / 10], 1))


def test_a_verdict_is_what_the_classifier_says():
    judge = Judge(outputs, IMAGES)
    samples = np.array([0, 10, 110, 200, 240], np.uint8).reshape(5, 1, 1, 1)
    found = judge(samples, np.array([0, 1, 0, 1, 1]))
    assert found.recognised.tolist() == [True, True, False, True, True]
    assert found.as_asked is not None and found.as_asked.tolist() == [True, False, True, True, True]
    assert found.shares == pytest.approx(abs(2 / 5 - 20 / 40))
    of = [metrics.moments(jnp.asarray(outputs(images).features)) for images in (IMAGES, samples)]
    assert found.distance == pytest.approx(float(metrics.frechet_distance(*of)), rel=1e-5)
    assert judge(samples).as_asked is None


def test_the_training_images_themselves_have_no_distance():
    found = Judge(outputs, IMAGES)(IMAGES)
    assert found.shares == 0.0 and found.distance == pytest.approx(0.0, abs=1.0)
