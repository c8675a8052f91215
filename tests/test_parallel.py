import functools

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.sharding import PartitionSpec

from jaxgen import parallel
from jaxgen.optimizers import SGD, Adam
from jaxgen.train_state import create, descend

WRAPS = [parallel.jit, parallel.pmap, parallel.shard_map]


def update(config, state, batch, key, *, axis_name=None):
    """Adds the mean over the whole batch of noisy examples: every part of `parallel` is in it."""
    noise = parallel.draw(jax.random.normal, key, len(batch), axis_name)
    value = parallel.pmean((batch.mean(axis=1) + noise).mean(), axis_name)
    return state + config * value, {"value": value}


def batch_of(num):
    return np.random.default_rng(0).normal(size=(num, 3)).astype(np.float32)


@pytest.mark.parametrize("num_devices", [1, 2, 4])
@pytest.mark.parametrize("wrap", WRAPS)
def test_every_driver_gives_the_value_of_the_whole_batch(wrap, num_devices):
    wanted, _ = update(2.0, jnp.zeros(()), jnp.asarray(batch_of(8)), jax.random.key(3))
    step = wrap(update, 2.0, devices=jax.devices()[:num_devices])
    state, metrics = step(jnp.zeros(()), batch_of(8), jax.random.key(3))
    assert state == pytest.approx(float(wanted), abs=1e-6)
    assert metrics["value"].shape == ()


@pytest.mark.parametrize("wrap", WRAPS)
def test_sums_gathered_batches_and_rows_are_those_of_the_whole_batch(wrap):
    def update(config, state, batch, key, *, axis_name=None):
        whole = parallel.gather(batch, axis_name)
        assert whole.shape == (8, 3)
        weights = jnp.arange(8.0)[:, None]  # each example has its place
        state = parallel.pmean((weights * whole).sum(axis=0), axis_name)
        taken = parallel.take(batch, jnp.array([7, 0, 3, 3]), axis_name)
        return (state, taken), {"sum": parallel.psum(batch.sum(), axis_name)}

    state = jnp.zeros(3), jnp.zeros((4, 3))
    (state, taken), metrics = wrap(update, None)(state, batch_of(8), jax.random.key(0))
    np.testing.assert_array_equal(taken, batch_of(8)[[7, 0, 3, 3]])
    np.testing.assert_allclose(state, np.arange(8.0) @ batch_of(8), rtol=1e-5)
    np.testing.assert_allclose(metrics["sum"], batch_of(8).sum(), rtol=1e-5)


@pytest.mark.parametrize("wrap", WRAPS)
def test_descending_a_loss_of_the_gathered_batch_takes_the_step_of_one_device(wrap):
    """The loss couples all examples, as a discrepancy between batches does."""

    class Scale(nn.Module):
        @nn.compact
        def __call__(self, inputs):
            return inputs * self.param("scale", nn.initializers.ones, ())

    def update(config, state, batch, key, *, axis_name=None):
        def loss(params):
            outputs = parallel.gather(Scale().apply({"params": params}, batch), axis_name)
            return jnp.square(outputs @ outputs.T).mean(), ({}, {})

        return descend(state, loss, axis_name)

    batch = batch_of(8)
    state, _ = wrap(update, None)(create(Scale(), SGD(0.01), jax.random.key(0), batch), batch, jax.random.key(0))
    gradient = 4 * np.square(batch @ batch.T).mean()  # the loss is scale^4 times its value at 1
    np.testing.assert_allclose(state.params["scale"], 1 - 0.01 * gradient, rtol=1e-5)


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

    def loss(params):
        return jnp.square(Net().apply({"params": params}, batch + noise)).mean(), ({}, {})

    return descend(state, loss, axis_name)


def bytes_on_first(tree):
    return sum(leaf.addressable_shards[0].data.nbytes for leaf in jax.tree.leaves(tree))


def test_a_state_that_is_cut_gives_the_same_result_and_takes_a_share_of_the_bytes():
    state = create(Net(), Adam(0.1), jax.random.key(0), batch_of(8))
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
    chex.assert_trees_all_equal(jax.device_get(parallel.whole(again)), jax.device_get(again))


def test_an_initial_state_lies_where_a_step_takes_it():
    def init(config, key):
        return {"weights": jax.random.normal(key, (8, 4)) * config, "same": jnp.ones(3)}

    state = parallel.initial(init, 2.0, jax.random.key(0), shard_state=True)
    chex.assert_trees_all_close(jax.device_get(state), jax.device_get(init(2.0, jax.random.key(0))))
    assert state["weights"].addressable_shards[0].data.shape == (2, 4)
    assert state["same"].sharding.is_fully_replicated


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
    assert parallel.differing(state) == ["own"]
    assert parallel.differing(parallel.everywhere({"key": jax.random.key(0), "nan": np.full(2, np.nan)})) == []


def test_each_device_draws_the_noise_of_its_own_examples_under_jit():
    """And so computes what follows for those alone."""

    def update(config, state, batch, key, *, axis_name=None):
        latents = parallel.draw(functools.partial(jax.random.normal, shape=(64,)), key, 512, axis_name)
        return state - jnp.tanh(latents @ state).sum() * 1e-9, {}

    state = jax.ShapeDtypeStruct((64, 64), jnp.float32)
    batch = jax.ShapeDtypeStruct((512, 1), jnp.float32)
    temporary = [
        parallel.program(update, None, state, batch, devices=jax.devices()[:num]).memory_analysis().temp_size_in_bytes
        for num in (1, 4)
    ]
    assert temporary[1] < 0.3 * temporary[0]


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_step_moves_nothing_between_host_and_devices_by_itself(wrap):
    step = wrap(train, None, steps=2)
    state = parallel.everywhere(create(Net(), Adam(0.1), jax.random.key(0), batch_of(8)))
    batches, keys = np.stack([batch_of(8)] * 2), jax.random.split(jax.random.key(0), 2)
    state, _ = step(state, batches, keys)  # compiled
    with jax.transfer_guard("disallow"):
        for _ in range(2):
            state, _ = step(state, batches, keys)
    assert int(state.step) == 6


def test_batches_and_numbers_of_one_process_are_what_they_were():
    batch = parallel.global_batch({"a": batch_of(8)})
    np.testing.assert_array_equal(batch["a"], batch_of(8))
    assert batch["a"].addressable_shards[0].data.shape == (2, 3)
    assert parallel.global_batch(batch_of(8)[None], steps=1).sharding == parallel.batch_sharding(stacked=True)
    assert int(parallel.largest(15)) == 15


@given(num=st.sampled_from([4, 8, 12]), seed=st.integers(0, 2**31 - 1))
def test_noise_of_an_example_does_not_depend_on_the_number_of_devices(num, seed):
    key = jax.random.key(seed)
    whole = parallel.draw(jax.random.uniform, key, num)
    for shards in (2, 4):
        drawn = jax.vmap(
            lambda _, per=num // shards: parallel.draw(jax.random.uniform, key, per, "i"),
            axis_name="i",
        )(jnp.arange(shards))
        chex.assert_trees_all_equal(drawn.reshape(-1), whole)
    assert len(np.unique(np.asarray(whole))) == num


@given(steps=st.sampled_from([1, 2, 3]), shards=st.sampled_from([1, 2, 4]))
def test_minibatches_hold_the_same_examples_on_any_number_of_devices(steps, shards):
    batch = jnp.arange(steps * 8)
    whole = parallel.split(batch, steps)
    per_device = jax.vmap(functools.partial(parallel.split, num=steps))(batch.reshape(shards, -1))
    for step in range(steps):
        assert set(np.asarray(per_device[:, step]).ravel()) == set(np.asarray(whole[step]))
    assert sorted(np.asarray(whole).ravel()) == list(range(steps * 8))


def test_a_batch_that_does_not_hold_the_minibatches_is_refused():
    with pytest.raises(ValueError, match="batch of 7 does not divide into 3 minibatches"):
        parallel.split(jnp.zeros(7), 3)


class TestChexVariants(chex.TestCase):
    """The building blocks give the same with and without jit, with and without placing, and under pmap."""

    @chex.variants(with_jit=True, without_jit=True, with_device=True, without_device=True)
    def test_draw(self):
        draw = self.variant(lambda key: parallel.draw(jax.random.normal, key, 4))
        chex.assert_trees_all_close(
            draw(jax.random.key(0)),
            parallel.draw(jax.random.normal, jax.random.key(0), 4),
            atol=1e-6,
        )

    @chex.variants(with_pmap=True)
    def test_pmean_over_devices(self):
        mean = self.variant(
            lambda x: parallel.pmean(x, "i"),
            axis_name="i",
            broadcast_args_to_devices=False,
            reduce_fn=None,
        )
        chex.assert_trees_all_close(mean(jnp.arange(4.0)), jnp.full(4, 1.5))

    def test_pmean_without_an_axis_is_the_identity(self):
        tree = {"a": jnp.ones(3)}
        assert parallel.pmean(tree, None) is tree
