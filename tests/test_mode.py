import jax
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode, fold

KEYS = jax.random.split(jax.random.key(0), 4)
MODE = Mode(KEYS, train=True, axis_name="i")


def data(keys):
    return np.asarray(jax.random.key_data(keys))


def test_a_pass_is_evaluation_unless_told_otherwise():
    assert Mode() == EVALUATION
    assert (EVALUATION.train, EVALUATION.axis_name, EVALUATION.keys, EVALUATION.step) == (False, None, None, None)


def test_folded_keys_are_each_examples_own_and_new_for_each_number():
    folded = fold(KEYS, 3)
    np.testing.assert_array_equal(data(folded[2:3]), data(fold(KEYS[2:3], 3)))
    found = np.concatenate([data(KEYS), data(folded), data(fold(KEYS, 4))])
    assert len(np.unique(found, axis=0)) == 12


def test_streams_differ_and_the_rest_of_the_pass_does_not():
    one = MODE.stream(1)
    np.testing.assert_array_equal(data(one.keys), data(fold(KEYS, 1)))
    assert (one.train, one.axis_name) == (True, "i")
    assert EVALUATION.stream(1) == EVALUATION


def test_keys_are_replaced_alone():
    other = MODE.with_keys(KEYS[:2])
    np.testing.assert_array_equal(data(other.keys), data(KEYS[:2]))
    assert (other.train, other.axis_name) == (True, "i")


def test_a_layer_without_keys_is_named():
    np.testing.assert_array_equal(data(MODE.example_keys("dropout")), data(KEYS))
    with pytest.raises(ValueError, match="dropout draws random numbers in training, but this pass has no keys"):
        Mode(train=True).example_keys("dropout")


def test_what_counts_updates_in_a_pass_without_a_step_is_named():
    assert Mode(step=jax.numpy.int32(3)).current_step("a schedule") == 3
    with pytest.raises(ValueError, match="a schedule counts updates, but this pass has no step"):
        MODE.current_step("a schedule")


def test_training_and_axis_are_static_and_keys_and_step_are_traced():
    leaves, tree = jax.tree.flatten(MODE)
    assert len(leaves) == 1
    assert tree != jax.tree.structure(Mode(KEYS, axis_name="i"))
    assert tree == jax.tree.structure(Mode(KEYS[:1], train=True, axis_name="i"))
