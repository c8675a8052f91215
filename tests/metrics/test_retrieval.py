import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.metrics import retrieval_accuracy

EYE = jnp.eye(6, dtype=bool)


def counted(scores, right, among):
    """By drawing every set of candidates: one right one and n - 1 wrong ones."""
    values = []
    for row, belongs in zip(np.asarray(scores), np.asarray(right), strict=True):
        wrong = list(itertools.combinations(row[~belongs], among - 1))
        values.append(np.mean([row[place] > max(some) for place in np.flatnonzero(belongs) for some in wrong]))
    return values


@pytest.mark.parametrize("among", [2, 4])
def test_among_n_it_is_the_share_of_all_sets_of_candidates(among):
    """Scores with ties, one row with two right candidates."""
    scores = jax.random.randint(jax.random.key(0), (6, 6), 0, 7).astype(jnp.float32)
    right = EYE.at[2, 4].set(True)
    found = retrieval_accuracy(scores, right, among=among)
    np.testing.assert_allclose(found, counted(scores, right, among), rtol=1e-5, atol=1e-7)


def test_among_all_it_is_whether_a_right_one_is_above_all_wrong_ones_and_a_tie_is_a_miss():
    scores = jnp.array([[3.0, 1, 2], [2, 2, 1], [1, 3, 2], [0, 1, 2]])
    right = jnp.array([[1, 0, 0], [0, 1, 0], [0, 1, 1], [1, 1, 1]], bool)
    np.testing.assert_array_equal(retrieval_accuracy(scores, right), [1, 0, 1, 1])
    np.testing.assert_array_equal(retrieval_accuracy(scores[:3], right[:3] & EYE[:3, :3], among=3), [1, 0, 0])


def test_equal_scores_find_nothing_and_those_of_partners_alone_find_all():
    assert not retrieval_accuracy(jnp.ones((6, 6)), EYE).any()
    assert not retrieval_accuracy(jnp.ones((6, 6)), EYE, among=2).any()
    assert (retrieval_accuracy(EYE.astype(jnp.float32), EYE, among=6) == 1).all()


def test_random_scores_have_the_accuracy_of_chance():
    """1 / n among n, over 400 queries: four deviations of a mean of probabilities between 0 and 1."""
    scores = jax.random.normal(jax.random.key(1), (400, 400))
    for among in (2, 10, None):
        values = retrieval_accuracy(scores, jnp.eye(400, dtype=bool), among=among)
        assert abs(values.mean() - 1 / (among or 400)) < 4 * (values.std() + 1 / 400) / 20


def test_rows_without_a_right_candidate_or_with_too_few_wrong_ones_have_no_value():
    right = EYE.at[0].set(False).at[1].set(True).at[1, 0].set(False)  # none right; one wrong
    for among in (None, 3):
        values = np.isnan(retrieval_accuracy(jnp.eye(6), right, among=among))
        np.testing.assert_array_equal(values, [True, among == 3, False, False, False, False])


@pytest.mark.parametrize(
    ("right", "among", "message"),
    [
        (EYE[:, :5], None, r"right is bool \(6, 5\), but must be bool \(6, 6\)"),
        (EYE, 7, "among is 7"),
        (EYE, 1, "from 2"),
    ],
)
def test_what_does_not_fit_is_refused(right, among, message):
    with pytest.raises(ValueError, match=message):
        retrieval_accuracy(jnp.ones((6, 6)), right, among=among)
