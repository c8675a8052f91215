"""Discriminators of SRGAN and ESRGAN: sizes, and what a score sees."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.srgan import SRGANDiscriminator
from tests.nets.parameters import count, zeros

ESRGAN = SRGANDiscriminator(downs=5, width=100, halving_kernel=4, use_bias=False)


def test_parameter_counts_are_those_of_the_papers():
    assert count(SRGANDiscriminator(), zeros(96, 96, 3), ()) == 23_565_505
    assert count(ESRGAN, zeros(128, 128, 3), ()) == 14_499_401


def test_sides_are_halved_upwards_with_kernels_of_three():
    """9 to 5 to 3: with padding of one pixel at each side."""
    assert count(SRGANDiscriminator(2, 2, 3), zeros(9, 9, 1), ()) == count(
        SRGANDiscriminator(2, 2, 3), zeros(12, 12, 1), ()
    )


@pytest.mark.exhaustive
def test_a_place_before_the_dense_layers_sees_61_pixels():
    """Without norms, from the support of a gradient."""
    net, images = SRGANDiscriminator(2, norm="none"), jnp.ones((1, 128, 128, 1))
    variables = net.init(jax.random.key(0), images, ())
    variables = jax.tree.map(lambda leaf: jnp.abs(leaf) + 0.01, variables)  # so that nothing is cut off or cancels
    one = variables["params"]["Dense_0"]["kernel"].reshape(8, 8, 16, -1)
    one = jnp.zeros_like(one).at[4, 4].set(1.0).reshape(8 * 8 * 16, -1)
    params = variables["params"] | {"Dense_0": variables["params"]["Dense_0"] | {"kernel": one}}
    slopes = jax.grad(lambda images: net.apply({"params": params}, images, ())[0])(images)
    assert [len(np.unique(places)) for places in np.nonzero(slopes[0, :, :, 0])] == [61, 61]


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"output_shape is \(1,\)"):
        SRGANDiscriminator().init(jax.random.key(0), zeros(8, 8, 3), (1,))
    with pytest.raises(ValueError, match=r"channels, downs, width is \(64, 0, 1024\)"):
        SRGANDiscriminator(downs=0).init(jax.random.key(0), zeros(8, 8, 3), ())
