"""Kernel distance: agreement with scikit-learn and torch-fidelity, blocks, unbiasedness."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from sklearn.metrics.pairwise import polynomial_kernel

from jaxgen.losses import gaussian_kernel
from jaxgen.metrics import kernel_distance, kernel_distances
from tests.metrics import inputs
from tests.metrics.golden import stored
from tests.metrics.numbers import in_float64, single

REAL, FAKE = inputs.pairs()
jitted = jax.jit(kernel_distance, static_argnames=("kernel", "block_size"))


def cubic(x, y):
    return polynomial_kernel(x, y, degree=3, coef0=1)


def expected(real, fake, kernel=cubic):
    within = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (kernel(real, real), kernel(fake, fake))]
    return sum(within) - 2 * kernel(real, fake).mean()


def test_distance_agrees_with_scikit_learn_and_torch_fidelity():
    np.testing.assert_allclose(in_float64(kernel_distance, REAL, FAKE), expected(REAL, FAKE), rtol=1e-10)
    golden = stored("statistics")["kid"]  # of equally many examples
    np.testing.assert_allclose(in_float64(kernel_distance, REAL[:50], FAKE), golden, rtol=1e-10)


@pytest.mark.parametrize("block_size", [1, 7, 1000])
def test_blocks_of_any_size_give_one_value(block_size):
    in_blocks = functools.partial(kernel_distance, block_size=block_size)
    np.testing.assert_allclose(in_float64(in_blocks, REAL, FAKE), expected(REAL, FAKE), rtol=1e-10)


def test_single_precision_errs_by_a_millionth_of_the_kernel():
    scale = cubic(REAL, FAKE).mean()
    np.testing.assert_allclose(jitted(*single(REAL, FAKE)), expected(REAL, FAKE), atol=3e-6 * scale)


def test_other_kernels_are_taken():
    def kernel(x, y):
        return np.exp(-((x[:, None] - y[None]) ** 2).sum(2) / 2)

    value = jitted(*single(REAL, FAKE), kernel=gaussian_kernel)
    np.testing.assert_allclose(value, expected(REAL, FAKE, kernel), rtol=1e-3)


def test_set_against_itself_is_below_zero_and_a_shift_far_above():
    real = single(REAL)
    assert jitted(real, real) < 0
    assert jitted(real, real + 3) > 10


def test_four_devices_have_the_distance_of_one():
    mesh = Mesh(np.array(jax.devices()[:4]), ("devices",))
    placed = jax.device_put(single(REAL), NamedSharding(mesh, PartitionSpec("devices")))
    np.testing.assert_allclose(jitted(placed, single(FAKE)), jitted(*single(REAL, FAKE)), rtol=1e-3)


def test_subsets_have_the_distance_as_their_mean(key):
    real, fake = single(REAL - 3, FAKE - 3)
    found = jax.jit(functools.partial(kernel_distances, num_subsets=100, subset_size=20))(real, fake, key)
    assert found.shape == (100,)
    error = found.std() / 10
    assert abs(found.mean() - expected(REAL - 3, FAKE - 3)) < 4 * error
    whole = jax.jit(functools.partial(kernel_distances, num_subsets=1, subset_size=50))(real[:50], fake, key)
    np.testing.assert_allclose(whole[0], expected(REAL[:50] - 3, FAKE - 3), rtol=1e-3)


def test_sets_too_small_are_refused(key):
    one, two = jnp.zeros((1, 2)), jnp.zeros((2, 2))
    for pair in ((one, two), (two, one)):
        with pytest.raises(ValueError, match=r"has shape \(1, 2\), but must hold at least 2 examples"):
            kernel_distance(*pair)
    with pytest.raises(ValueError, match=r"real_features has .* at least 1000 examples"):
        kernel_distances(two, two, key)
    with pytest.raises(ValueError, match="subset_size is 1, but must be at least 2"):
        kernel_distances(two, two, key, subset_size=1)
    with pytest.raises(ValueError, match="num_subsets is 0, but must be at least 1"):
        kernel_distances(two, two, key, num_subsets=0, subset_size=2)
    with pytest.raises(ValueError, match="block_size is 0, but must be at least 1"):
        kernel_distance(two, two, block_size=0)
    with pytest.raises(ValueError, match="differ in their second axis"):
        kernel_distance(two, jnp.zeros((2, 3)))
