"""Where the arguments and results of a step lie, and its program as it is looked at."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import parallel
from tests.parallel.batches import batch_of


def update(config, state, batch, key, *, axis_name=None):
    total = parallel.psum(batch.sum(), axis_name)
    weights = {"cut": state["cut"] + config * total, "whole": state["whole"] * 2}
    return weights, {"noise": jax.random.uniform(key)}


STATE = {"cut": np.arange(8, dtype=np.float32), "whole": np.ones(3, np.float32)}


@pytest.mark.parametrize("options", [{}, {"shard_state": False}, {"shard_state": True}], ids=str)
def test_a_program_takes_and_gives_arrays_where_a_step_does(options):
    """Each argument cut or whole over 4 devices, and the state as it came."""
    compiled = parallel.program(update, 2.0, STATE, batch_of(8), **options)
    places = parallel.placement(STATE, **options)
    cut = "devices" if options.get("shard_state") else None
    assert [place.spec for place in jax.tree.leaves(places)] == [jax.P(cut) if cut else jax.P(), jax.P()]
    (state, batch, key), _ = compiled.input_shardings
    arguments = zip((state["cut"], state["whole"]), jax.tree.leaves(places), strict=True)
    assert all(found.is_equivalent_to(place, 1) for found, place in arguments)
    assert batch.is_equivalent_to(parallel.batch_sharding(), 2) and key.is_fully_replicated
    new, metrics = compiled.output_shardings
    assert new["cut"].is_equivalent_to(places["cut"], 1) and metrics["noise"].is_fully_replicated


@pytest.mark.parametrize("shapes", [False, True])
def test_a_program_made_of_arrays_or_of_their_shapes_is_the_step(shapes):
    one, key = jax.devices()[:1], jax.random.key(5)
    state = jax.eval_shape(lambda: STATE) if shapes else STATE
    compiled = parallel.program(update, 2.0, state, batch_of(8), devices=one)
    step = parallel.jit(update, 2.0, devices=one)
    found = compiled(jax.device_put(STATE, one[0]), jax.device_put(batch_of(8), one[0]), key)
    wanted = step(jax.tree.map(jnp.asarray, STATE), batch_of(8), key)
    jax.tree.map(np.testing.assert_array_equal, found, wanted)
    np.testing.assert_allclose(found[0]["cut"], STATE["cut"] + 2 * batch_of(8).sum(), rtol=1e-5)


@pytest.mark.parametrize("wrap", [parallel.jit, parallel.pmap, parallel.shard_map])
def test_a_step_runs_on_the_devices_that_it_is_given(wrap):
    given = jax.devices()[2:]
    state, metrics = wrap(update, 2.0, devices=given)(STATE, batch_of(8), jax.random.key(0))
    assert {device for leaf in jax.tree.leaves((state, metrics)) for device in leaf.devices()} <= set(given)
