import jax.numpy as jnp
import numpy as np

from jaxgen.testing import differs, leaves, stacked

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
