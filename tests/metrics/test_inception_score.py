"""Inception score: agreement with torch-fidelity, closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats

from jaxgen.metrics import inception_scores
from tests.metrics import inputs
from tests.metrics.golden import stored
from tests.metrics.numbers import single

LOGITS = inputs.logits()
jitted = jax.jit(inception_scores, static_argnames="num_splits")


def test_scores_agree_with_torch_fidelity():
    scores = jitted(single(LOGITS), num_splits=5)  # 64 examples: splits of 12 and of 13
    mean, stddev = stored("statistics")["isc"]
    np.testing.assert_allclose(scores.mean(), mean, rtol=1e-6)
    np.testing.assert_allclose(scores.std(), stddev, rtol=1e-5)


def test_score_is_the_exponential_of_the_mutual_information():
    probabilities = scipy.special.softmax(LOGITS, axis=1)
    information = scipy.stats.entropy(probabilities.mean(0)) - scipy.stats.entropy(probabilities, axis=1).mean()
    np.testing.assert_allclose(jitted(single(LOGITS), num_splits=1), [np.exp(information)], rtol=1e-5)


def test_score_is_one_without_information_and_the_number_of_classes_at_most():
    np.testing.assert_allclose(jitted(jnp.ones((20, 7)), num_splits=2), [1, 1], rtol=1e-6)
    certain = 1e4 * jnp.tile(jnp.eye(7), (4, 1))
    np.testing.assert_allclose(jitted(certain, num_splits=4), 7, rtol=1e-5)
    np.testing.assert_allclose(jitted(certain[:, ::-1], num_splits=1), 7, rtol=1e-5)


def test_splits_need_an_example_each():
    with pytest.raises(ValueError, match=r"logits has shape \(9, 3\), but must hold at least 10"):
        inception_scores(jnp.zeros((9, 3)))
    with pytest.raises(ValueError, match="num_splits is 0"):
        inception_scores(jnp.zeros((9, 3)), num_splits=0)
