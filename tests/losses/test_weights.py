"""Weights as one vector: clipping, averages over time."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.losses import weights

W = jnp.array([[3.0, 4.0], [0.0, 5.0]])


def normal(*shape, seed=0):
    return jnp.array(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def test_clipping_bounds_every_float_and_touches_nothing_else():
    params = {
        "kernel": normal(50, 4),
        "layers": [jnp.array([0.005, -0.02], jnp.bfloat16), np.array([0.3, -0.001])],
        "counts": jnp.array([3, -7]),
        "activation": jnp.tanh,
    }
    clipped = weights.clip_weights(params, 0.01)
    assert np.abs(clipped["kernel"]).max() == np.float32(0.01)
    inside = np.abs(params["kernel"]) <= 0.01
    np.testing.assert_array_equal(clipped["kernel"][inside], params["kernel"][inside])
    assert (np.sign(clipped["kernel"]) == np.sign(params["kernel"])).all()
    assert clipped["layers"][0].dtype == jnp.bfloat16
    np.testing.assert_allclose(clipped["layers"][1], [0.01, -0.001], rtol=1e-6)
    np.testing.assert_array_equal(clipped["counts"], [3, -7])
    assert clipped["activation"] is jnp.tanh


def test_clipping_takes_any_tree():
    np.testing.assert_allclose(weights.clip_weights(jnp.array([-3.0, 0.5]), 1.0), [-1.0, 0.5])
    clipped = weights.clip_weights([jnp.array([2.0]), (jnp.array([-2.0]),)], 1.0)
    np.testing.assert_array_equal(jax.tree.leaves(clipped), [[1.0], [-1.0]])


def test_clipping_refuses_running_statistics():
    variables = {"params": {"w": W}, "batch_stats": {"var": W}}
    with pytest.raises(ValueError, match="batch_stats"):
        weights.clip_weights(variables, 0.01)
    np.testing.assert_array_equal(weights.clip_weights(variables["params"], 4.0)["w"][1], [0, 4])


def test_historical_averaging_is_the_squared_distance_over_all_parameters():
    params = {"a": W, "b": [jnp.array([1.0])]}
    average = {"a": W - 1.0, "b": [jnp.array([4.0])]}
    np.testing.assert_allclose(weights.historical_averaging(params, average), 4 * 1.0 + 9.0)
    np.testing.assert_array_equal(weights.historical_averaging(params, params), 0.0)


def test_historical_averaging_sums_leaves_of_different_types_in_the_widest():
    with jax.enable_x64(True):
        params = {
            "half": jnp.full(4096, 1 / 64, jnp.bfloat16),  # in bfloat16 the sum of squares would stop at 1/16
            "single": jnp.array([2.0], jnp.float32),
            "double": jnp.array([1e-9], jnp.float64),
        }
        zeros = jax.tree.map(jnp.zeros_like, params)
        value = weights.historical_averaging(params, zeros)
        assert value.dtype == jnp.float64
        np.testing.assert_allclose(value, 5.0 + 1e-18, rtol=1e-15)
        del params["double"]
        del zeros["double"]
        assert weights.historical_averaging(params, zeros).dtype == jnp.float32


def test_historical_averaging_of_an_empty_tree_is_refused():
    with pytest.raises(ValueError, match="params hold no array"):
        weights.historical_averaging({}, {})


def test_historical_averaging_holds_the_average_constant():
    gradients = jax.grad(weights.historical_averaging, (0, 1))(W, jnp.zeros((2, 2)))
    np.testing.assert_allclose(gradients[0], 2 * W)
    np.testing.assert_array_equal(gradients[1], 0.0)


def test_running_mean_is_the_mean_of_all_parameters_so_far():
    steps = normal(7, 3)
    average = {"w": jnp.full(3, 9.0)}  # its first value does not matter
    for t in range(7):
        average = weights.running_mean(average, {"w": steps[t]}, t + 1)
        np.testing.assert_allclose(average["w"], steps[: t + 1].mean(axis=0), rtol=1e-4, atol=1e-6)


def test_running_mean_keeps_its_dtype_and_takes_a_traced_count():
    half = jnp.ones(3, jnp.bfloat16)
    average = jax.jit(weights.running_mean)(half, 3 * half, jnp.int32(2))
    assert average.dtype == jnp.bfloat16
    np.testing.assert_array_equal(average, 2.0)


def test_trees_of_different_structure_are_refused():
    for function in weights.historical_averaging, functools.partial(weights.running_mean, count=1):
        with pytest.raises(ValueError, match="are different trees, but must be of one structure"):
            function({"w": W}, {"v": W})
