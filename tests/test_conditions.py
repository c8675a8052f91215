from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.conditions import classes_of, draw_labels, in_turn, one_hot


def test_labels_become_rows_of_the_unit_matrix():
    found = one_hot(jnp.array([2, 0]), 3)
    assert found.dtype == jnp.float32
    np.testing.assert_array_equal(found, [[0, 0, 1], [1, 0, 0]])


def test_without_labels_the_classes_follow_in_turn_and_given_ones_stay():
    assert in_turn(None, 5, 3).tolist() == [0, 1, 2, 0, 1]
    assert in_turn(None, 5, 3).dtype == jnp.int32
    labels = jnp.array([1, 1, 0])
    assert in_turn(labels, 3, 3) is labels


def test_unit_vectors_are_float32_and_labels_int32_where_64_bits_are_the_default():
    with jax.enable_x64(True):
        assert one_hot(jnp.array([2, 0]), 3).dtype == jnp.float32
        assert in_turn(None, 5, 3).dtype == jnp.int32


def test_drawn_labels_are_uniform_and_the_same_on_any_number_of_devices():
    labels = draw_labels(jax.random.key(0), 6_000, 3)
    assert labels.dtype == jnp.int32
    shares = np.bincount(labels, minlength=3) / 6_000
    np.testing.assert_allclose(shares, 1 / 3, atol=4 * np.sqrt(2 / 9 / 6_000))  # four deviations of a share
    parts = jax.vmap(lambda _: draw_labels(jax.random.key(0), 1_500, 3, "i"), axis_name="i")(jnp.zeros(4))
    np.testing.assert_array_equal(parts.ravel(), labels)


def test_a_model_is_told_rows_of_its_classes_in_turn_without_labels_none_for_minus_1_and_nothing_if_it_has_none():
    three = SimpleNamespace(num_classes=3)
    np.testing.assert_array_equal(classes_of(three, None, 4), np.eye(3)[[0, 1, 2, 0]])
    np.testing.assert_array_equal(classes_of(three, jnp.array([2, -1]), 2), [[0, 0, 1], [0, 0, 0]])
    assert classes_of(SimpleNamespace(num_classes=0), None, 4) is None
