"""SNGAN's networks have the paper's sizes, and refuse sides that do not halve."""

import jax
import jax.numpy as jnp
import pytest

from jaxgen.nets.resnet import ResNetCritic, ResNetGenerator
from jaxgen.nets.sngan import SNGANDiscriminator, SNGANGenerator
from jaxgen.nets.spectral import Spectral
from tests.nets.counts import counts

SHAPE = (32, 32, 3)


def test_parameter_counts_are_those_of_the_authors_code():
    assert counts(SNGANGenerator(), 128, Spectral(SNGANDiscriminator()), SHAPE) == (3_812_355, 2_935_873)
    discriminator = Spectral(ResNetCritic(pool="sum", last_bias=False))
    assert counts(ResNetGenerator((256,) * 4), 128, discriminator, SHAPE) == (4_276_739, 1_053_824)


def test_a_sum_over_places_is_their_mean_times_their_number():
    images = jax.random.normal(jax.random.key(0), (2, 8, 8, 1))
    mean, total = ResNetCritic(3, blocks=1, last_bias=False), ResNetCritic(3, blocks=1, pool="sum", last_bias=False)
    variables = jax.jit(lambda: mean.init(jax.random.key(1), images, ()))()
    assert jnp.allclose(total.apply(variables, images, ()), 4 * mean.apply(variables, images, ()), rtol=1e-5)


@pytest.mark.parametrize(("net", "inputs"), [(SNGANGenerator(2), jnp.ones((2, 3))), (SNGANDiscriminator(2), None)])
def test_sides_that_do_not_divide_are_refused(net, inputs):
    given = (jnp.ones((2, 28, 28, 1)), ()) if inputs is None else (inputs, (28, 28, 1))
    with pytest.raises(ValueError, match=r"image shape is \(28, 28, 1\), but must be of sides that divide by 8"):
        net.init(jax.random.key(0), *given)
