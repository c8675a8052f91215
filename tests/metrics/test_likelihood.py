"""Bits per dimension of stored pixels: densities whose bits are known."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from jaxgen.losses import gaussian_nll
from jaxgen.metrics import pixel_bits_per_dim


@pytest.mark.parametrize(("width", "step"), [(1.0, 1 / 256), (2.0, 2 / 256)])
def test_uniform_density_over_all_levels_has_eight_bits(width, step):
    nll = jnp.array([12 * np.log(width)], jnp.float32)
    np.testing.assert_allclose(pixel_bits_per_dim(nll, 12, step=step), [8.0], rtol=1e-6)


def test_bits_do_not_depend_on_the_range_in_which_the_model_works():
    pixels = np.random.default_rng(0).uniform(0, 256, (3, 5))
    of_pixels = -scipy.stats.norm(100, 40).logpdf(pixels).sum(1) / 5 / np.log(2)
    scaled, mean = jnp.array(pixels / 128 - 1, jnp.float32), jnp.full((3, 5), 100 / 128 - 1)
    logvar = jnp.full((3, 5), 2 * np.log(40 / 128))
    nll = gaussian_nll(mean, logvar, scaled)
    np.testing.assert_allclose(pixel_bits_per_dim(nll, 5, step=1 / 128), of_pixels, rtol=1e-5)


def test_steps_and_dimensions_are_positive():
    with pytest.raises(ValueError, match=r"step is 0\.0, but must be positive"):
        pixel_bits_per_dim(jnp.zeros(1), 3, step=0.0)
    with pytest.raises(ValueError, match="num_dims is 0, but must be at least 1"):
        pixel_bits_per_dim(jnp.zeros(1), 0, step=0.1)
