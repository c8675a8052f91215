import functools

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxgen import parallel
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.train_state import descend, from_variables
from tests.parallel.batches import batch_of

WRAPS = [parallel.jit, parallel.pmap, parallel.shard_map]


@pytest.mark.parametrize("wrap", WRAPS)
def test_sums_gathered_batches_and_rows_are_those_of_the_whole_batch(wrap):
    def update(config, state, batch, key, *, axis_name=None):
        whole = parallel.gather(batch, axis_name)
        assert whole.shape == (8, 3)
        weights = jnp.arange(8.0)[:, None]  # each example has its place
        state = parallel.pmean((weights * whole).sum(axis=0), axis_name)
        taken = parallel.take(batch, jnp.array([7, 0, 3, 3]), axis_name)
        shared = parallel.share(2.0 * whole, axis_name)
        assert shared.shape == batch.shape
        back = parallel.take(shared - batch, jnp.arange(8), axis_name)  # each device has its own rows
        return (state, taken, back), {"sum": parallel.psum(batch.sum(), axis_name)}

    state = jnp.zeros(3), jnp.zeros((4, 3)), jnp.zeros((8, 3))
    (state, taken, back), metrics = wrap(update, None)(state, batch_of(8), jax.random.key(0))
    np.testing.assert_array_equal(taken, batch_of(8)[[7, 0, 3, 3]])
    np.testing.assert_array_equal(back, batch_of(8))
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
        def loss(variables):
            outputs = parallel.gather(Scale().apply(variables, batch), axis_name)
            return jnp.square(outputs @ outputs.T).mean(), ({}, variables)

        return descend(state, loss, (), axis_name)

    batch = batch_of(8)
    state, _ = wrap(update, None)(
        from_variables(Scale().init(jax.random.key(0), batch), Optimizer(0.01, SGD())), batch, jax.random.key(0)
    )
    gradient = 4 * np.square(batch @ batch.T).mean()  # the loss is scale^4 times its value at 1
    np.testing.assert_allclose(state.params["scale"], 1 - 0.01 * gradient, rtol=1e-5)


def test_each_device_draws_the_noise_of_its_own_examples_under_jit():
    """And so computes what follows for those alone."""

    def update(config, state, batch, key, *, axis_name=None):
        latents = parallel.draw(functools.partial(jax.random.normal, shape=(64,)), key, 516, axis_name)
        return state - jnp.tanh(latents @ state).sum() * 1e-9, {}

    state = jax.ShapeDtypeStruct((64, 64), jnp.float32)
    batch = jax.ShapeDtypeStruct((516, 1), jnp.float32)
    temporary = [
        parallel.program(update, None, state, batch, devices=jax.devices()[:num]).memory_analysis().temp_size_in_bytes
        for num in (1, 4)
    ]
    assert temporary[1] < 0.3 * temporary[0]


@pytest.mark.parametrize("num", [6, 8])
def test_draws_under_jit_are_the_same_on_four_devices_which_need_not_divide_them(num):
    def update(config, state, batch, key, *, axis_name=None):
        return parallel.draw(jax.random.normal, key, num, axis_name), {}

    drawn, _ = parallel.jit(update, None)(jnp.zeros(num), batch_of(8), jax.random.key(3))
    wanted = parallel.draw(jax.random.normal, jax.random.key(3), num)
    np.testing.assert_allclose(drawn, wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("axis", "kind"), [("mine", jax.sharding.AxisType.Auto), ("devices", jax.sharding.AxisType.Explicit)]
)
def test_draws_under_a_mesh_of_ones_own_are_left_where_they_are(axis, kind):
    """Only the mesh of the drivers says along which axis examples are cut."""
    with jax.set_mesh(jax.make_mesh((4,), (axis,), axis_types=(kind,))):
        drawn = jax.jit(lambda key: parallel.draw(jax.random.normal, key, 8))(jax.random.key(3))
    assert jax.typeof(drawn).sharding.spec in (jax.P(), jax.P(None))
    np.testing.assert_allclose(drawn, parallel.draw(jax.random.normal, jax.random.key(3), 8), atol=1e-6)


@pytest.mark.parametrize("shape", [(8,), (8, 3), (8, 2, 3, 1)], ids=str)
def test_rows_are_taken_of_arrays_of_any_rank(shape):
    batch, indices = np.arange(np.prod(shape), dtype=np.float32).reshape(shape), jnp.array([7, 0, 3])

    def update(config, state, batch, key, *, axis_name=None):
        return parallel.take(batch, indices, axis_name), {}

    state = jnp.zeros((3, *shape[1:]))
    taken, _ = parallel.shard_map(update, None)(state, batch, jax.random.key(0))
    np.testing.assert_array_equal(taken, batch[np.array([7, 0, 3])])


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


@pytest.mark.parametrize("shape", [(6,), (6, 3), (6, 2, 3, 1)], ids=str)
def test_a_minibatch_holds_every_numth_example_whatever_its_shape(shape):
    batch = np.arange(np.prod(shape)).reshape(shape)
    found = parallel.split({"a": jnp.asarray(batch)}, 3)["a"]
    np.testing.assert_array_equal(found, np.stack([batch[start::3] for start in range(3)]))


def test_a_batch_that_does_not_hold_the_minibatches_is_refused():
    with pytest.raises(ValueError, match="batch of 7 does not divide into 3 minibatches"):
        parallel.split(jnp.zeros(7), 3)
    with pytest.raises(ValueError, match="batch size is 0, but must be at least 1"):
        parallel.split(jnp.zeros((0, 2)), 3)


def test_a_key_for_each_example_stands_for_the_key_that_they_are_made_of():
    key = jax.random.key(0)
    keys = parallel.example_keys(key, 4)
    assert parallel.example_keys(keys, 4) is keys
    of_one, of_each = (parallel.draw(lambda key: jax.random.normal(key, (2,)), given, 4) for given in (key, keys))
    np.testing.assert_array_equal(of_one, of_each)
    with pytest.raises(
        ValueError, match=r"shape of the keys is \(4,\), but must be \(\) or \(3,\), one for each example"
    ):
        parallel.example_keys(keys, 3)


@pytest.mark.parametrize("derive", [parallel.pass_key, parallel.split_key])
def test_keys_of_examples_are_derived_one_by_one(derive):
    keys = parallel.example_keys(jax.random.key(0), 3)
    together = jax.random.key_data(derive(keys))
    alone = jnp.stack([jax.random.key_data(derive(key)) for key in keys], axis=together.ndim - 2)
    np.testing.assert_array_equal(together, alone)


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
