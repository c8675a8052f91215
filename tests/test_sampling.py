from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.priors import Normal, Prior
from jaxgen.sampling import sampler


@dataclass(frozen=True)
class Config:
    prior: Prior = Normal(3)


def from_latents(config, state, latents, condition=None):
    """The latents, scaled; the condition added where there is one."""
    return state * latents if condition is None else state * latents + condition[:, None]


def test_samples_are_images_of_latents_of_the_prior():
    sample, key = sampler(from_latents), jax.random.key(0)
    wanted = 2.0 * Normal(3).draw(key, 5)
    np.testing.assert_array_equal(sample(Config(), jnp.float32(2.0), key, 5), wanted)
    assert sample.__doc__


def test_the_condition_goes_to_the_decoder_as_it_is():
    sample, condition = sampler(from_latents), jnp.arange(5.0)
    plain, told = (sample(Config(), jnp.float32(1.0), jax.random.key(0), 5, given) for given in (None, condition))
    np.testing.assert_allclose(told - plain, np.tile(condition[:, None], 3), atol=1e-6)


def test_the_same_key_gives_the_same_latents_in_every_state():
    sample = sampler(from_latents)
    one, other = (sample(Config(), jnp.float32(scale), jax.random.key(7), 4) for scale in (1.0, 4.0))
    np.testing.assert_allclose(4.0 * one, other, rtol=1e-6)
