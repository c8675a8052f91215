import functools
import inspect
import re

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from jaxgen import parallel
from jaxgen.nets.convolution import conv
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import drivers
from jaxgen.train_state import create, descend, from_variables
from tests.parallel.batches import batch_of

WRAPS = [parallel.jit, parallel.pmap, parallel.shard_map]


def update(config, state, batch, key, *, axis_name=None):
    """Adds the mean over the whole batch of noisy examples: every part of `parallel` is in it."""
    noise = parallel.draw(jax.random.normal, key, len(batch), axis_name)
    value = parallel.pmean((batch.mean(axis=1) + noise).mean(), axis_name)
    return state + config * value, {"value": value}


@pytest.mark.parametrize("num_devices", [1, 2, 4])
@pytest.mark.parametrize("wrap", WRAPS)
def test_every_driver_gives_the_value_of_the_whole_batch(wrap, num_devices):
    wanted, _ = update(2.0, jnp.zeros(()), jnp.asarray(batch_of(8)), jax.random.key(3))
    step = wrap(update, 2.0, devices=jax.devices()[:num_devices])
    state, metrics = step(jnp.zeros(()), batch_of(8), jax.random.key(3))
    assert state == pytest.approx(float(wanted), abs=1e-6)
    assert metrics["value"].shape == ()


@pytest.mark.parametrize("wrap", WRAPS)
def test_k_steps_in_a_dispatch_are_k_single_steps(wrap):
    batches, keys = (
        np.stack([batch_of(8), batch_of(8) + 1, -batch_of(8)]),
        jax.random.split(jax.random.key(0), 3),
    )
    single = wrap(update, 1.0)
    state, values = jnp.zeros(()), []
    for batch, key in zip(batches, keys, strict=True):
        state, metrics = single(state, batch, key)
        values.append(float(metrics["value"]))
    scanned, metrics = wrap(update, 1.0, steps=3)(jnp.zeros(()), batches, keys)
    assert scanned == pytest.approx(float(state), abs=1e-6)
    np.testing.assert_allclose(metrics["value"], values, atol=1e-6)


@pytest.mark.parametrize("wrap", WRAPS)
def test_batches_may_lie_anywhere(wrap):
    """NumPy, one device, or already cut: the caller need not know."""
    step = wrap(update, 1.0)
    cut = jax.sharding.NamedSharding(jax.sharding.Mesh(np.array(jax.devices()), ("other",)), PartitionSpec("other"))
    results = [
        float(step(jnp.zeros(()), place(batch_of(8)), jax.random.key(0))[0])
        for place in (lambda x: x, jnp.asarray, lambda x: jax.device_put(x, cut))
    ]
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("wrap", WRAPS)
def test_the_state_is_donated_and_comes_back_whole_on_every_device(wrap):
    step = wrap(update, 1.0)
    state, _ = step(jnp.zeros(()), batch_of(8), jax.random.key(0))
    assert state.sharding.is_fully_replicated and len(state.sharding.device_set) == 4
    again, _ = step(state, batch_of(8), jax.random.key(0))
    assert state.is_deleted() and not again.is_deleted()


def test_a_state_that_holds_examples_comes_back_whole_on_every_device():
    """As a queue of past examples, which XLA alone would leave cut as the batch is."""
    step = parallel.jit(lambda config, state, batch, key, axis_name=None: (2 * batch, {"first": batch[:, 0]}), None)
    for leaf in jax.tree.leaves(step(jnp.zeros((8, 3)), batch_of(8), jax.random.key(0))):
        assert leaf.sharding.is_fully_replicated and len(leaf.sharding.device_set) == 4


@pytest.mark.parametrize("num_devices", [1, 4])
@pytest.mark.parametrize("wrap", WRAPS)
def test_leaves_that_share_a_buffer_may_be_donated_and_the_callers_state_survives(wrap, num_devices):
    """As when a moving average begins as the very arrays that it is to follow."""
    shared = jnp.ones((256, 256))
    step = wrap(
        lambda config, state, batch, key, axis_name=None: (jax.tree.map(lambda x: x + 1, state), {}),
        None,
        devices=jax.devices()[:num_devices],
    )
    state = {"weights": shared, "average": shared}
    for _ in range(3):
        state, _ = step(state, batch_of(8), jax.random.key(0))
    assert float(state["weights"][0, 0]) == float(state["average"][0, 0]) == 4.0
    assert float(shared[0, 0]) == 1.0


@pytest.mark.parametrize("num_devices", [1, 4])
@pytest.mark.parametrize("wrap", WRAPS)
def test_an_update_may_return_one_array_in_two_places_of_its_state(wrap, num_devices):
    """As an average without decay is the weights themselves: the next step is given, and takes, a buffer of each."""

    def update(config, state, batch, key, *, axis_name=None):
        weights = state["weights"] + state["average"]
        return {"weights": weights, "average": weights}, {}

    step = wrap(update, None, devices=jax.devices()[:num_devices])
    state = {"weights": jnp.ones((256, 256)), "average": jnp.ones((256, 256))}
    for _ in range(3):
        state, _ = step(state, batch_of(8), jax.random.key(0))
    assert float(state["weights"][0, 0]) == float(state["average"][0, 0]) == 8.0


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_batch_that_the_devices_do_not_divide_is_refused_before_tracing(wrap):
    def never(*_, **__):
        raise AssertionError("traced")

    with pytest.raises(ValueError, match="batch of 6 does not divide over 4 devices; use a multiple of 4"):
        wrap(never, 1.0)(jnp.zeros(()), batch_of(6), jax.random.key(0))
    with pytest.raises(ValueError, match="leading axis 2 does not hold 3 steps"):
        wrap(never, 1.0, steps=3)(jnp.zeros(()), np.zeros((2, 8, 3)), jax.random.key(0))


class Net(nn.Module):
    """Weights that 4 devices can cut, and a bias that they cannot."""

    @nn.compact
    def __call__(self, inputs):
        return nn.Dense(6)(nn.tanh(nn.Dense(8)(inputs)))


def train(config, state, batch, key, *, axis_name=None):
    noise = parallel.draw(functools.partial(jax.random.normal, shape=(3,)), key, len(batch), axis_name)

    def loss(variables):
        return jnp.square(Net().apply(variables, batch + noise)).mean(), ({}, variables)

    return descend(state, loss, (), axis_name)


def fresh():
    return from_variables(Net().init(jax.random.key(0), batch_of(8)), Optimizer(0.1, Adam()))


def bytes_on_first(tree):
    return sum(leaf.addressable_shards[0].data.nbytes for leaf in jax.tree.leaves(tree))


def test_a_state_that_is_cut_gives_the_same_result_and_takes_a_share_of_the_bytes():
    state = fresh()
    batches, keys = np.stack([batch_of(8)] * 3), jax.random.split(jax.random.key(0), 3)
    wanted, _ = parallel.jit(train, None, steps=3)(state, batches, keys)
    step = parallel.jit(train, None, steps=3, shard_state=True)
    cut, _ = step(state, batches, keys)
    chex.assert_trees_all_close(jax.device_get(cut), jax.device_get(wanted), atol=1e-5)
    sizes = {"kernels and a bias of 8": 3 * 8 + 8 * 6 + 8, "a bias of 6": 6}  # in numbers; weights and two moments
    assert bytes_on_first(wanted.params) == 4 * sum(sizes.values())
    assert bytes_on_first(cut.params) == 4 * (sizes["kernels and a bias of 8"] // 4 + sizes["a bias of 6"])
    assert bytes_on_first(cut.opt_state) == 2 * bytes_on_first(cut.params) + 4  # the count
    again, _ = step(cut, batches, keys)
    assert jax.tree.map(lambda leaf: leaf.sharding, again) == parallel.placement(state, shard_state=True)
    chex.assert_trees_all_equal(jax.device_get(parallel.unsharded(again)), jax.device_get(again))


@pytest.mark.parametrize("function", [parallel.jit, parallel.program, parallel.initial])
def test_states_are_whole_unless_it_is_said(function):
    assert inspect.signature(function).parameters["shard_state"].default is False


def test_an_initial_state_lies_where_a_step_takes_it():
    def init(config, key):
        return {"weights": jax.random.normal(key, (8, 4)) * config, "same": jnp.ones(3)}

    state = parallel.initial(init, 2.0, jax.random.key(0), shard_state=True)
    chex.assert_trees_all_close(jax.device_get(state), jax.device_get(init(2.0, jax.random.key(0))))
    assert state["weights"].addressable_shards[0].data.shape == (2, 4)
    assert state["same"].sharding.is_fully_replicated


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_step_moves_nothing_between_host_and_devices_by_itself(wrap):
    step = wrap(train, None, steps=2)
    state = parallel.replicate(fresh())
    batches, keys = np.stack([batch_of(8)] * 2), jax.random.split(jax.random.key(0), 2)
    state, _ = step(state, batches, keys)  # compiled
    with jax.transfer_guard("disallow"):
        for _ in range(2):
            state, _ = step(state, batches, keys)
    assert int(state.step) == 6


def test_weights_are_overwritten_where_they_lie(monkeypatch):
    """On one CPU device no weight or mean of Adam is copied in an update, as without the compiler's option some are."""

    def fit(config, state, batch, key, *, axis_name=None):
        def loss(variables):
            return (state.apply_fn(variables, batch, (24,)) ** 2).mean(), ({}, variables)

        return descend(state, loss, (), axis_name)

    net, alone = MLP((24, 24)), jax.devices()[:1]
    state = jax.eval_shape(lambda: create(net, Optimizer(1e-3, Adam()), jax.random.key(0), jnp.zeros((1, 24)), (24,)))
    batch = jax.ShapeDtypeStruct((8, 24), np.float32)

    def copies():
        text = parallel.program(fit, None, state, batch, devices=alone).as_text()
        return len(re.findall(r"= f32\[24,24\]\S* copy\(", text))

    assert copies() == 0
    monkeypatch.setattr(drivers, "compiler_options", lambda devices: None)
    assert copies() > 0


def test_convolutions_are_left_to_what_shares_them_out_to_all_cores():
    """Not to the library that computes each of them on one core, as XLA does on CPU by default."""

    def convolved(images, kernel):
        return jnp.tanh(conv(images, kernel))

    given = jnp.ones((8, 28, 28, 32)), jnp.ones((3, 3, 32, 32))
    here, by_default = (wrap(convolved).lower(*given).compile().as_text() for wrap in (parallel.compiled, jax.jit))
    assert "convolution(" in here and "ynn_fusion" not in here
    assert "ynn_fusion" in by_default  # else the option has become needless
