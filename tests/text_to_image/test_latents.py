import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.text_to_image import latents
from jaxgen.text_to_image.latents import Factor, Pixels
from tests.text_to_image.test_latent_diffusion import TINY, init


def test_an_image_goes_through_scaled_latents_and_back():
    """The decoder undoes the factor: latents twice as large, of a factor twice as large, are the same image."""
    state = init(TINY, jax.random.key(0))
    maps = jax.random.normal(jax.random.key(1), (2, *latents.shape_of(TINY)))
    once = latents.decode(TINY, state.replace(scale=jnp.float32(0.5)), maps)
    twice = latents.decode(TINY, state.replace(scale=jnp.float32(1.0)), 2 * maps)
    np.testing.assert_array_equal(once, twice)
    assert once.min() >= -1 and once.max() <= 1


def test_the_factor_of_shares_is_that_of_the_batch():
    maps = 3 * jax.random.normal(jax.random.key(2), (4, 5)) + 7
    shares = jax.vmap(lambda share: latents.factor_of(share, "shares"), axis_name="shares")(maps.reshape(2, 2, 5))
    np.testing.assert_allclose(shares, 1 / np.std(maps), rtol=1e-5)


def test_pixels_are_latents_as_they_are():
    config = dataclasses.replace(TINY, autoencoder=Pixels(), scale=Factor(1.0))
    images = jnp.ones((1, *config.image_shape))
    assert latents.create_autoencoder(config, jax.random.key(0)) is None
    assert latents.process(config) is config and latents.shape_of(config) == config.image_shape
    assert latents.encode(config, None, images, jax.random.key(0)) is images
    with pytest.raises(ValueError, match=r"scale is Factor\(factor=2.0\), but must be Factor\(1.0\) with autoencoder"):
        dataclasses.replace(config, scale=Factor(2.0))
