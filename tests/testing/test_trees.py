import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.testing import assert_agree, differs, leaves, stacked

TREE = {"a": jnp.arange(3.0), "b": (jnp.zeros(2), jnp.ones(()))}


def test_leaves_are_named_by_their_paths():
    found = leaves(TREE)
    assert set(found) == {"['a']", "['b'][0]", "['b'][1]"}
    np.testing.assert_array_equal(found["['a']"], [0, 1, 2])


def test_trees_differ_in_a_value_a_shape_or_a_name():
    assert not differs(TREE, {"a": jnp.arange(3.0), "b": (jnp.zeros(2), jnp.ones(()))})
    for other in (TREE | {"a": jnp.array([0.0, 1.0, 3.0])}, TREE | {"a": jnp.arange(4.0)}, TREE | {"c": jnp.zeros(1)}):
        assert differs(TREE, other)


def test_batches_are_stacked_along_a_new_first_axis():
    found = stacked([(np.zeros(2), np.full(3, number)) for number in range(4)])
    assert found[0].shape == (4, 2)
    np.testing.assert_array_equal(found[1][:, 0], range(4))


def test_trees_agree_within_rounding_of_the_largest_number_of_a_leaf():
    wanted = {"sums": np.float32([50.0, 0.0]), "small": np.float32([0.01]), "steps": np.int32(3)}
    assert_agree(wanted | {"sums": np.float32([50.0, 4e-4]), "small": np.float32([0.010009])}, wanted, 1e-5)


@pytest.mark.parametrize(
    "other",
    [
        {"sums": np.float32([50.0, 6e-4])},
        {"small": np.float32([0.010011])},
        {"small": np.float32([np.nan])},
        {"small": np.float32([0.01, 0.01])},
        {"small": np.float16([0.01])},
        {"steps": np.int32(4)},
        {"more": np.float32([0.0])},
    ],
    ids=repr,
)
def test_trees_that_are_further_apart_or_of_another_kind_do_not_agree(other):
    wanted = {"sums": np.float32([50.0, 0.0]), "small": np.float32([0.01]), "steps": np.int32(3)}
    with pytest.raises(AssertionError):
        assert_agree(wanted | other, wanted, 1e-5)


def test_the_error_names_each_leaf_that_is_off():
    with pytest.raises(AssertionError, match=r"\['a'\].*off by 0.5 of 2"):
        assert_agree(
            {"a": np.float32([1.0]), "b": np.float32(1.0)}, {"a": np.float32([2.0]), "b": np.float32(1.0)}, 1e-5
        )
