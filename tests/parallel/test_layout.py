import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import parallel
from tests.parallel.batches import batch_of


@pytest.mark.parametrize("shape", [(6,), (), (3, 5), (0,)])
def test_what_no_dimension_divides_stays_whole(shape):
    place = parallel.placement(jax.ShapeDtypeStruct(shape, jnp.float32), shard_state=True)
    assert place.is_fully_replicated


def test_copies_that_differ_are_named():
    """`pmap` returns the first device's copy of a state for all of them."""

    def update(config, state, batch, key, *, axis_name=None):
        return {"same": state["same"] + 1, "own": state["own"] + jax.lax.axis_index(axis_name)}, {}

    step = parallel.pmap(update, None)
    state = {"same": jnp.zeros(3), "own": jnp.zeros((), jnp.int32)}
    state, _ = step(state, batch_of(8), jax.random.key(0))
    assert parallel.differing_replicas(state) == ["own"]
    assert parallel.differing_replicas(parallel.replicate({"key": jax.random.key(0), "nan": np.full(2, np.nan)})) == []


def test_batches_and_numbers_of_one_process_are_what_they_were():
    batch = parallel.global_batch({"a": batch_of(8)})
    np.testing.assert_array_equal(batch["a"], batch_of(8))
    assert batch["a"].addressable_shards[0].data.shape == (2, 3)
    assert parallel.global_batch(batch_of(8)[None], steps=1).sharding == parallel.batch_sharding(stacked=True)
    assert int(parallel.max_over_processes(15)) == 15
