"""The standard deviation over a minibatch as a feature."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.minibatch_stddev import append_stddev

IMAGES = jax.random.normal(jax.random.key(1), (8, 4, 4, 3))


def test_stddev_is_that_of_every_nth_example():
    found = append_stddev(IMAGES, 4)
    np.testing.assert_array_equal(found[..., :3], IMAGES)
    for first in range(2):
        expected = np.sqrt(np.asarray(IMAGES)[first::2].var(axis=0) + 1e-8).mean()
        np.testing.assert_allclose(found[first::2, :, :, 3], np.full((4, 4, 4), expected), rtol=1e-5)


@pytest.mark.parametrize(("num", "group"), [(8, 3), (6, 4), (5, 4), (3, 16)])
def test_groups_are_the_largest_that_the_batch_divides_into(num, group):
    size = max(each for each in range(1, group + 1) if num % each == 0)
    np.testing.assert_array_equal(append_stddev(IMAGES[:num], group), append_stddev(IMAGES[:num], size))


def test_stddev_of_equal_examples_is_a_ten_thousandth_and_has_a_slope():
    equal = jnp.broadcast_to(IMAGES[:1], IMAGES.shape)
    np.testing.assert_allclose(append_stddev(equal)[..., 3], np.full((8, 4, 4), 1e-4), rtol=1e-4)
    assert np.isfinite(jax.grad(lambda x: append_stddev(x).sum())(equal)).all()
    with pytest.raises(ValueError, match="group is 0, but must be at least 1"):
        append_stddev(IMAGES, 0)


def test_stddev_of_a_shared_batch_is_that_of_the_whole():
    shared = jax.pmap(lambda x: append_stddev(x, 4, axis_name="devices"), axis_name="devices")(
        IMAGES.reshape(4, 2, 4, 4, 3)
    )
    np.testing.assert_allclose(shared.reshape(8, 4, 4, 4), append_stddev(IMAGES, 4), rtol=1e-5)
