"""Images one at a time: each with its own key, whatever is beside it."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.parallel import example_keys
from jaxgen.translation.single_images import one_at_a_time

INPUTS = jnp.arange(3.0)[:, None, None, None] + jnp.zeros((3, 2, 2, 1))


def with_noise(images, mode):
    assert mode.train and len(images) == 1 and mode.step == 7
    noise = jax.vmap(lambda key: jax.random.normal(key, images.shape[1:]))(mode.example_keys("noise"))
    return images - images.mean() + noise


def test_each_image_is_a_batch_of_its_own_with_its_own_key():
    key = jax.random.key(0)
    found = one_at_a_time(with_noise, jnp.int32(7), key, INPUTS)
    keys = example_keys(key, 3)
    for number in range(3):
        np.testing.assert_allclose(found[number], jax.random.normal(keys[number], (2, 2, 1)), rtol=1e-6)
    np.testing.assert_array_equal(one_at_a_time(with_noise, jnp.int32(7), keys[1:], INPUTS[1:]), found[1:])
