import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import parallel
from jaxgen.parallel import layout
from tests.parallel.batches import batch_of


@pytest.mark.parametrize("shape", [(6,), (), (3, 5), (0,)])
def test_what_no_dimension_divides_stays_whole(shape):
    place = parallel.placement(jax.ShapeDtypeStruct(shape, jnp.float32), shard_state=True)
    assert place.is_fully_replicated


def test_states_are_whole_and_batches_of_one_step_unless_it_is_said():
    assert parallel.placement(jnp.zeros((4, 2))).is_fully_replicated
    assert parallel.batch_sharding().spec == jax.sharding.PartitionSpec("devices")


@pytest.mark.parametrize("value", [np.arange(8.0, dtype=np.float32), jnp.arange(8.0), np.float32(3.0)], ids=str)
def test_a_value_that_each_process_places_on_its_devices_is_that_value(value):
    """Here one process has all devices."""
    place = parallel.batch_sharding() if np.ndim(value) else parallel.placement(value)
    found = layout._placed_by_each(value, place)
    assert found.sharding == place
    np.testing.assert_array_equal(found, value)


def test_what_lies_where_it_is_to_lie_is_left_there():
    copies = parallel.replicate(jnp.arange(2.0))
    assert layout.placed(copies, copies.sharding) is copies


def test_a_state_that_is_cut_comes_back_whole_on_one_device():
    tree = {"cut": jax.device_put(batch_of(8), parallel.batch_sharding()), "whole": parallel.replicate(jnp.ones(3))}
    found = parallel.unsharded(tree)
    assert {len(leaf.devices()) for leaf in jax.tree.leaves(found)} == {1}
    np.testing.assert_array_equal(found["cut"], batch_of(8))
    np.testing.assert_array_equal(found["whole"], np.ones(3))
    np.testing.assert_array_equal(parallel.unsharded(jnp.ones(3)), np.ones(3))


def test_buffers_are_reinterpreted_as_they_lie():
    mesh, spec = layout.mesh_of(None), layout.batch_spec(None)
    copies, cut = parallel.replicate(jnp.arange(2.0)), jax.device_put(batch_of(8), parallel.batch_sharding())
    joined = layout.reinterpreted(copies, mesh, spec, (8,))
    np.testing.assert_array_equal(joined, np.tile([0.0, 1.0], 4))
    np.testing.assert_array_equal(layout.reinterpreted(cut, mesh, spec), batch_of(8))


def test_copies_that_differ_are_named():
    """`pmap` returns the first device's copy of a state for all of them."""

    def update(config, state, batch, key, *, axis_name=None):
        return {"same": state["same"] + 1, "own": state["own"] + jax.lax.axis_index(axis_name)}, {}

    step = parallel.pmap(update, None)
    state = {"same": jnp.zeros(3), "own": jnp.zeros((), jnp.int32)}
    state, _ = step(state, batch_of(8), jax.random.key(0))
    assert parallel.differing_replicas({"inside": state}) == ["inside/own"]
    assert parallel.differing_replicas(parallel.replicate({"key": jax.random.key(0), "nan": np.full(2, np.nan)})) == []


def test_batches_and_numbers_of_one_process_are_what_they_were():
    batch = parallel.global_batch({"a": batch_of(8)})
    np.testing.assert_array_equal(batch["a"], batch_of(8))
    assert batch["a"].addressable_shards[0].data.shape == (2, 3)
    assert parallel.global_batch(batch_of(8)[None], steps=1).sharding == parallel.batch_sharding(stacked=True)
    assert parallel.global_batch(batch_of(8), devices=jax.devices()[:2]).devices() == set(jax.devices()[:2])
    assert int(parallel.max_over_processes(15)) == 15
