import jax
import jax.numpy as jnp
import pytest

from jaxgen.nets.bgan import BGANDiscriminator, BGANGenerator
from tests.nets.test_began import count


def test_parameter_counts_are_those_of_the_reference():
    shape = 28, 28, 1
    assert count(BGANGenerator(), jnp.ones((2, 64)), shape) == ((2, *shape), 6_709_185)
    assert count(BGANGenerator(), jnp.ones((2, 100)), shape) == ((2, *shape), 6_746_049)
    assert count(BGANDiscriminator(), jnp.ones((2, *shape)), ()) == ((2,), 6_631_169)


def test_a_layer_before_a_norm_has_no_bias():
    _, without = count(BGANDiscriminator(2, 3), jnp.ones((2, 8, 8, 1)), ())
    _, normalized = count(BGANDiscriminator(2, 3, norm="batch"), jnp.ones((2, 8, 8, 1)), ())
    assert normalized - without == (4 + 3) * 2 - (4 + 3)  # scale and offset for a bias


@pytest.mark.parametrize("net", [BGANGenerator(2, 2), BGANDiscriminator(2, 2)])
def test_sides_that_do_not_divide_by_four_are_refused(net):
    inputs = (jnp.ones((1, 3)), (6, 8, 1)) if isinstance(net, BGANGenerator) else (jnp.ones((1, 6, 8, 1)), ())
    with pytest.raises(ValueError, match="of sides that divide by 4"):
        net.init(jax.random.key(0), *inputs)
