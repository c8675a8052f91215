import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgen.losses import contrastive_embedding, siamese_contrastive, structured_joint_embedding

SCORES = jnp.array([[1.0, 0.5, -0.2], [0.3, 0.2, 0.9], [0.0, 1.1, 0.4]])
EYE = jnp.eye(3)


def test_golden_value_of_the_sum_over_rows_and_columns():
    """Rows (.5 + .1 + 1.7 + .6 + 1.7 + ...) / 9 = .6222222222 and columns .6, worked out by hand."""
    values = structured_joint_embedding(SCORES, EYE)
    np.testing.assert_allclose(values.mean(), 1.2222222222, rtol=1e-6)
    np.testing.assert_allclose(structured_joint_embedding(EYE, SCORES.T), values, rtol=1e-6)


def test_the_hardest_is_the_largest_term_of_each_row_and_column():
    """Rows: .5, 1.7, 1.7; columns: max(.3, 0), max(1.3, 1.9), max(.4, 1.5)."""
    np.testing.assert_allclose(structured_joint_embedding(SCORES, EYE, hardest=True), [0.8, 3.6, 3.2], rtol=1e-6)


@pytest.mark.parametrize("num", [2, 5])
def test_constant_scores_give_two_hinges_for_each_pair(num):
    values = structured_joint_embedding(jnp.ones((num, 1)), jnp.full((num, 1), -0.7))
    np.testing.assert_allclose(values.mean(), 2 * (num - 1) / num, rtol=1e-6)


def test_the_loss_is_zero_exactly_where_right_scores_are_above_the_others_by_the_margin():
    assert not structured_joint_embedding(1.25 * EYE, EYE).any()
    assert structured_joint_embedding(0.75 * EYE, EYE).all()
    assert not structured_joint_embedding(0.75 * EYE, EYE, margin=0.5).any()


def test_one_constant_added_to_all_scores_changes_nothing():
    """A further feature of 1 in both."""
    images, texts = jax.random.normal(jax.random.key(0), (2, 4, 3))
    one = jnp.ones((4, 1))
    more = structured_joint_embedding(jnp.concatenate([images, 3 * one], 1), jnp.concatenate([texts, one], 1))
    np.testing.assert_allclose(more, structured_joint_embedding(images, texts), rtol=1e-5)


def test_contrastive_values_are_cross_entropies_of_cosines_over_rows_and_columns():
    """Against optax, with the cosines of NumPy; lengths do not matter."""
    images, texts = (np.array(each) for each in jax.random.normal(jax.random.key(1), (2, 5, 3)))
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (images, texts)]
    logits, labels = jnp.asarray(7.0 * unit[0] @ unit[1].T), jnp.arange(5)
    rows = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    columns = optax.softmax_cross_entropy_with_integer_labels(logits.T, labels)
    lengths = np.array([0.1, 1, 2, 30, 4], np.float32)[:, None]
    found = contrastive_embedding(jnp.asarray(images * lengths), jnp.asarray(texts / lengths), 7.0)
    np.testing.assert_allclose(found, (rows + columns) / 2, rtol=1e-4)


def test_a_row_of_zeros_has_finite_values_and_slopes():
    value, slopes = jax.value_and_grad(lambda images: contrastive_embedding(images, EYE, 100.0).sum())(
        jnp.zeros((3, 3))
    )
    np.testing.assert_allclose(value, 3 * np.log(3), rtol=1e-6)
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize("loss", [structured_joint_embedding, functools.partial(contrastive_embedding, scale=2.0)])
def test_pairs_that_belong_together_are_no_negatives(loss):
    """Two examples of equal texts: each has the value of a batch without the other."""
    images, texts = jax.random.normal(jax.random.key(2), (2, 4, 3))
    texts = texts.at[1].set(texts[0])
    negatives = (texts[:, None] != texts[None]).any(axis=2)
    found = loss(images, texts, negatives=negatives)
    alone = loss(images[jnp.array([0, 2, 3])], texts[jnp.array([0, 2, 3])])
    shares = 3 / 4 if loss is structured_joint_embedding else 1  # it divides by the size of the batch
    np.testing.assert_allclose(found[0], shares * alone[0], rtol=1e-5)
    with pytest.raises(ValueError, match=r"negatives are bool \(4,\), but must be bool \(4, 4\)"):
        loss(images, texts, negatives=negatives[0])


def test_pairs_of_one_kind_pay_for_their_distance_and_others_for_being_near():
    vectors, others = jnp.array([[0.0, 0.0]] * 4), jnp.array([[3.0, 4.0], [0.0, 0.0], [0.3, 0.4], [3.0, 4.0]])
    same = jnp.array([True, True, False, False])
    np.testing.assert_allclose(
        siamese_contrastive(vectors, others, same, margin=2.0), [25.0, 0.0, 2.25, 0.0], rtol=1e-6
    )


def test_equal_vectors_cost_nothing_in_one_kind_and_have_a_finite_slope_in_two():
    vectors = jnp.ones((3, 2))
    assert not siamese_contrastive(vectors, vectors, jnp.ones(3, bool)).any()
    two = jnp.zeros(3, bool)
    np.testing.assert_array_equal(siamese_contrastive(vectors, vectors, two, margin=3.0), np.full(3, 9.0))
    slope = jax.grad(lambda vectors: siamese_contrastive(vectors, jnp.ones((3, 2)), two).sum())(vectors)
    np.testing.assert_array_equal(slope, np.zeros((3, 2)))


def test_a_margin_must_be_positive_and_pairs_must_say_whether_they_are_of_one_kind():
    with pytest.raises(ValueError, match=r"margin is 0\.0, but must be positive"):
        siamese_contrastive(EYE, EYE, jnp.ones(len(EYE), bool), margin=0.0)
    with pytest.raises(ValueError, match=r"same is bool \(2,\), but must be bool \(3,\)"):
        siamese_contrastive(EYE, EYE, jnp.ones(2, bool))
