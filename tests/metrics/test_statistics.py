"""Moments: agreement with NumPy, sums over batches, devices and processes in any order."""

import functools
import itertools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxgen.metrics import covariance, merge, moments, no_moments
from tests.metrics import inputs
from tests.metrics.numbers import in_float64, single

FEATURES = inputs.features(48)
jitted, merged = jax.jit(moments), jax.jit(merge)


def test_mean_and_covariance_are_those_of_numpy():
    found = in_float64(lambda x: (moments(x).mean, covariance(moments(x))), FEATURES)
    np.testing.assert_allclose(found[0], FEATURES.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found[1], np.cov(FEATURES.T), rtol=1e-11, atol=1e-13)


def test_mean_far_from_the_origin_costs_no_digits():
    # E[x^2] - E[x]^2 would have lost all of them: 10^4 squared against 1, in float32.
    found = covariance(jitted(single(FEATURES + 1e4)))
    np.testing.assert_allclose(found, np.cov(FEATURES.T), rtol=2e-2, atol=5e-3)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_batches_of_any_sizes_add_up_in_any_order(order):
    parts = [jitted(single(FEATURES[start:end])) for start, end in ((0, 1), (1, 20), (20, 48))]
    total = functools.reduce(merged, [parts[i] for i in order], no_moments(8))
    chex.assert_trees_all_close(total, jitted(single(FEATURES)), rtol=1e-5, atol=1e-4)
    assert total.count == 48


def test_nothing_added_changes_nothing():
    found = jitted(single(FEATURES))
    chex.assert_trees_all_close(merged(found, no_moments(8)), found, rtol=1e-6)
    chex.assert_trees_all_equal(merged(no_moments(8), no_moments(8)), no_moments(8))


def test_four_devices_have_the_moments_of_one():
    mesh = Mesh(np.array(jax.devices()[:4]), ("devices",))
    share, whole = PartitionSpec("devices"), PartitionSpec()
    mapped = jax.shard_map(
        functools.partial(moments, axis_name="devices"), mesh=mesh, in_specs=(share,), out_specs=whole
    )
    one = jitted(single(FEATURES))
    chex.assert_trees_all_close(jax.jit(mapped)(single(FEATURES)), one, rtol=1e-5, atol=1e-5)
    placed = jax.device_put(single(FEATURES), NamedSharding(mesh, share))
    chex.assert_trees_all_close(jax.jit(moments)(placed), one, rtol=1e-5, atol=1e-5)


def test_one_example_has_no_covariance():
    for few in (moments(jnp.zeros((1, 2))), no_moments(2)):
        with pytest.raises(ValueError, match="but a covariance needs at least 2"):
            covariance(few)
        assert np.isnan(jax.jit(covariance)(few)).all()


def test_moments_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match=r"length \(2,\) and \(3,\) cannot be merged"):
        merge(no_moments(2), no_moments(3))
    with pytest.raises(ValueError, match=r"must hold at least 1 examples"):
        moments(jnp.zeros((0, 2)))
