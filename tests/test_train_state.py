import dataclasses
import functools

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.training import train_state as flax_train_state

from jaxgen.mode import Mode
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Adam, Optimizer
from jaxgen.parallel import pmean
from jaxgen.train_state import TrainState, apply, create, descend, from_variables, training_mode, unroll

SLOW = Optimizer(0.1, SGD())
NET = MLP((4,), norm="batch")


def fresh(optimizer=SLOW, seed=0, net=NET):
    return create(net, optimizer, jax.random.key(seed), jnp.zeros((1, 3)), (2,))


def loss_of(axis_name=None):
    def loss(variables, inputs):
        outputs, variables = apply(NET, variables, inputs, (2,), mode=Mode(train=True, axis_name=axis_name))
        value = (outputs**2).mean()
        return value, ({"loss": value}, variables)

    return loss


def gradient(state, loss, *inputs):
    return jax.grad(lambda params: loss({**state.variables, "params": params}, *inputs)[0])(state.params)


def dense(optimizer, **settings):
    """A layer whose call is flax's own: its variables alone are wanted."""
    net = nn.Dense(1, **settings)
    return from_variables(net.init(jax.random.key(0), jnp.ones((1, 1))), optimizer)


def test_it_is_flax_train_state_with_the_other_collections():
    state = fresh()
    assert isinstance(state, flax_train_state.TrainState)
    assert set(state.collections) == {"batch_stats"} and set(state.variables) == {
        "params",
        "batch_stats",
    }
    outputs = state.apply_fn(state.variables, jnp.ones((5, 3)), (2,))
    assert outputs.shape == (5, 2)
    assert fresh(net=MLP((4,))).collections == {}
    flax_own = TrainState.create(
        apply_fn=NET.apply, params=state.params, tx=state.tx
    )  # other collections may be left out
    assert flax_own.collections == {}
    assert dense(SLOW).apply_fn is apply  # of variables without a network


@pytest.mark.exhaustive
@pytest.mark.parametrize("optimizer", [SLOW, Optimizer(0.1, SGD(momentum=0.5)), Optimizer(1e-3, Adam())])
def test_the_accumulated_gradients_of_parts_of_a_batch_make_the_step_of_the_whole(optimizer):
    net, inputs = MLP((4,)), jax.random.normal(jax.random.key(1), (12, 3))

    def step(state, part):
        def loss(variables):
            outputs, variables = apply(net, variables, part, (2,))
            return (outputs**2).mean(), ({}, variables)

        return descend(state, loss, ())[0]

    whole, parts = fresh(optimizer, net=net), fresh(dataclasses.replace(optimizer, accumulate=3), net=net)
    for _ in range(2):
        whole = step(whole, inputs)
        for part in jnp.split(inputs, 3):
            parts = step(parts, part)
    chex.assert_trees_all_close(parts.params, whole.params, atol=1e-6)
    assert (int(whole.step), int(parts.step)) == (2, 6)


def test_states_from_equal_settings_have_one_treedef_and_one_trace():
    one, other = fresh(Optimizer(1e-3, Adam())), fresh(Optimizer(1e-3, Adam()), seed=1, net=MLP((4,), norm="batch"))
    assert jax.tree.structure(one) == jax.tree.structure(other)
    traced = jax.jit(chex.assert_max_traces(lambda state: state.step, n=1))
    traced(one), traced(other)
    picked = jax.lax.cond(jnp.array(False), lambda: one, lambda: other)
    chex.assert_trees_all_equal(picked.params, other.params)
    assert jax.tree.structure(fresh(Optimizer(2e-3, Adam()))) != jax.tree.structure(one)


def test_descend_is_one_step_against_the_gradient_and_keeps_new_statistics():
    state, inputs = fresh(), jax.random.normal(jax.random.key(1), (8, 3))
    new, metrics = descend(state, loss_of(), (inputs,))
    grads = gradient(state, loss_of(), inputs)
    wanted = jax.tree.map(lambda p, g: p - 0.1 * g, state.params, grads)
    chex.assert_trees_all_close(new.params, wanted, atol=1e-6)
    assert new.step == 1
    assert metrics["loss"] == pytest.approx(float(loss_of()(state.variables, inputs)[0]))
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), new.collections, state.collections)
    assert all(jax.tree.leaves(moved))


@pytest.mark.parametrize("driver", ["vmap", "pmap", "shard_map", "shard_map unchecked"])
def test_descend_over_devices_is_descend_on_the_whole_batch(driver):
    """Loss and statistics couple the examples, so that a mean forgotten anywhere shows."""
    state, inputs = fresh(), jax.random.normal(jax.random.key(1), (8, 3))
    wanted, wanted_metrics = descend(state, loss_of(), (inputs,))

    def step(state, inputs):
        return descend(state, loss_of("i"), (inputs,), "i")

    spec = jax.sharding.PartitionSpec
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("i",))
    mapped = functools.partial(jax.shard_map, mesh=mesh, in_specs=(spec(), spec("i")), out_specs=(spec(), spec()))
    shards = inputs.reshape(4, 2, 3)
    if driver == "vmap":
        found, metrics = jax.vmap(step, in_axes=(None, 0), axis_name="i")(state, shards)
        found, metrics = jax.tree.map(lambda leaf: leaf[0], (found, metrics))
    elif driver == "pmap":
        found, metrics = jax.pmap(step, "i", in_axes=(None, 0), out_axes=None)(state, shards)  # pyright: ignore[reportArgumentType]
    else:
        found, metrics = jax.jit(mapped(step, check_vma=driver == "shard_map"))(state, inputs)
    chex.assert_trees_all_close(jax.device_get(found), jax.device_get(wanted), atol=1e-6)
    assert float(metrics["loss"]) == pytest.approx(float(wanted_metrics["loss"]), abs=1e-6)


def test_descend_works_under_strict_promotion_with_adam():
    state = fresh(Optimizer(1e-3, Adam()))
    new, _ = jax.jit(lambda state: descend(state, loss_of(), (jnp.ones((4, 3)),)))(state)
    chex.assert_trees_all_equal_shapes_and_dtypes(new, state)


def test_apply_gives_the_variables_of_a_network_without_collections_as_they_are():
    net = MLP((4,))
    state = fresh(net=net)
    outputs, variables = apply(net, state.variables, jnp.ones((4, 3)), (2,), mode=Mode(train=True))
    assert outputs.shape == (4, 2)
    chex.assert_trees_all_equal(variables, {"params": state.params})


def test_descend_tells_the_length_of_a_players_whole_gradient():
    state, inputs = fresh(), jax.random.normal(jax.random.key(1), (8, 3))
    loss = loss_of()
    _, metrics = descend(state, loss, (inputs,), player="critic")
    grads = gradient(state, loss, inputs)
    wanted = np.sqrt(sum(float((leaf**2).sum()) for leaf in jax.tree.leaves(grads)))
    assert metrics["gradient_norm/critic"] == pytest.approx(wanted, rel=1e-5)
    assert set(metrics) == {"loss", "gradient_norm/critic"}
    assert set(descend(state, loss, (inputs,))[1]) == {"loss"}


def test_the_length_of_a_gradient_is_summed_in_float32_over_leaves_of_any_type():
    # In bfloat16 the sum of the squares would stop at 1/16.
    params = {"half": jnp.zeros(4096, jnp.bfloat16), "single": jnp.zeros(1)}
    state = from_variables({"params": params}, SLOW)

    def loss(variables):
        params = variables["params"]
        value = params["half"].sum().astype(jnp.float32) / 64 + 2 * params["single"].sum()
        return value, ({}, variables)

    new, metrics = jax.jit(lambda state: descend(state, loss, (), player="critic"))(state)
    assert metrics["gradient_norm/critic"].dtype == jnp.float32
    assert float(metrics["gradient_norm/critic"]) == pytest.approx(5**0.5, rel=1e-6)
    chex.assert_trees_all_equal_shapes_and_dtypes(new.params, params)


@pytest.mark.parametrize(("num_steps", "through", "stopped"), [(0, 0.0, 0.0), (1, 1.02, 0.6), (5, 1.94350495, 1.66386)])
def test_gradients_flow_through_unrolled_steps(num_steps, through, stopped):
    """f(theta, phi) = theta phi - phi^2 / 2, which phi ascends from 0 at rate eta: phi_K = a theta.

    With a = 1 - (1 - eta)^K, d f(theta, phi_K) / d theta = 2 theta (a - a^2 / 2), and a theta with phi_K held fixed.
    """
    point = dense(Optimizer(0.3, SGD()), use_bias=False)
    state = point.replace(params=jax.tree.map(jnp.zeros_like, point.params))

    def value(theta, phi):
        return theta * phi - phi**2 / 2

    def unrolled(theta):
        def loss(variables):
            return -value(theta, variables["params"]["kernel"][0, 0]), ({}, variables)

        return unroll(state, loss, (), num_steps).params["kernel"][0, 0]

    found = jax.grad(lambda theta: value(theta, unrolled(theta)))(jnp.float32(2.0))
    assert found == pytest.approx(through, abs=1e-5)
    fixed = jax.grad(lambda theta: value(theta, jax.lax.stop_gradient(unrolled(theta))))(jnp.float32(2.0))
    assert fixed == pytest.approx(stopped, abs=1e-5)


def test_unrolled_steps_are_those_of_descend():
    state, inputs = fresh(Optimizer(0.1, SGD(momentum=0.5))), jax.random.normal(jax.random.key(1), (8, 3))
    wanted = state
    for _ in range(2):
        wanted, _ = descend(wanted, loss_of(), (inputs,))
    chex.assert_trees_all_close(unroll(state, loss_of(), (inputs,), 2), wanted, atol=1e-6)


@pytest.mark.parametrize("b1", [0.0, 0.5])
def test_the_first_step_of_adam_has_a_slope_where_a_gradient_is_zero(b1):
    state = dense(Optimizer(1e-2, Adam(b1=b1, eps_root=1e-4)))

    def end(scale):
        def loss(variables):
            return (scale * variables["params"]["kernel"] ** 2).sum(), ({}, variables)

        after = unroll(state, loss, (), 2).params
        return (after["kernel"] + after["bias"][None]).sum()

    assert np.isfinite(jax.grad(end)(jnp.float32(0.5)))


@pytest.mark.parametrize("driver", ["vmap", "shard_map"])
def test_unrolling_over_devices_is_unrolling_on_the_whole_batch(driver):
    """The slope of what two unrolled steps lead to, in an input that all examples share."""
    state, inputs = fresh(), jax.random.normal(jax.random.key(1), (8, 3))

    def slope(state, inputs, axis_name=None):
        def outer(shift):
            moved = inputs + shift[None]
            after = unroll(state, loss_of(axis_name), (moved,), 2, axis_name)
            return pmean(loss_of(axis_name)(after.variables, moved)[0], axis_name)

        return pmean(jax.grad(outer)(jnp.ones(3)), axis_name)

    wanted = slope(state, inputs)
    if driver == "vmap":
        found = jax.vmap(lambda shard: slope(state, shard, "i"), axis_name="i")(inputs.reshape(4, 2, 3))[0]
    else:
        spec = jax.sharding.PartitionSpec
        mesh = jax.sharding.Mesh(np.array(jax.devices()), ("i",))
        mapped = jax.shard_map(
            lambda state, inputs: slope(state, inputs, "i"), mesh=mesh, in_specs=(spec(), spec("i")), out_specs=spec()
        )
        found = jax.jit(mapped)(state, inputs)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_a_training_pass_has_a_key_for_each_example_and_the_players_step():
    state = fresh().replace(step=jnp.int32(7))
    mode = training_mode(state, jax.random.key(1), 8, None)
    assert mode.train and mode.axis_name is None and mode.step == 7

    def of_share(_):
        share = training_mode(state, jax.random.key(1), 2, "i")
        assert share.axis_name == "i"
        return share.keys

    shares = jax.vmap(of_share, axis_name="i")(jnp.zeros(4))
    found, wanted = (np.asarray(jax.random.key_data(keys)).reshape(8, -1) for keys in (shares, mode.keys))
    np.testing.assert_array_equal(found, wanted)
    assert len(np.unique(wanted, axis=0)) == 8
