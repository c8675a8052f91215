import jax
import jax.numpy as jnp
import pytest

from jaxgen.nets.began import BEGANAutoencoder, BEGANDecoder, halvings


def count(net, *inputs):
    outputs, variables = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs))
    return outputs.shape, sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


@pytest.mark.parametrize(
    ("side", "channels", "decoder", "autoencoder"),
    [
        (64, 128, 1_716_611, 13_405_379),
        (64, 64, 563_395, 4_011_651),
        (32, 128, 1_421_443, 7_128_643),
        (32, 64, 489_539, 2_310_979),
    ],
)
def test_parameter_counts_are_those_of_the_reference(side, channels, decoder, autoencoder):
    shape = side, side, 3
    assert count(BEGANDecoder(channels), jnp.ones((2, 64)), shape) == ((2, *shape), decoder)
    assert count(BEGANAutoencoder(channels), jnp.ones((2, *shape)), shape) == ((2, *shape), autoencoder)


def test_sides_are_halved_to_eight_or_to_what_is_no_longer_even():
    """28 to 7: a dense layer of 49 maps, and two doublings."""
    assert [halvings(28, 28), halvings(8, 8), halvings(16, 24), halvings(20, 18)] == [2, 0, 1, 1]
    dense, convolutions, last = 3 * 49 * 2 + 49 * 2, 6 * (9 * 4 + 2), 9 * 2 + 1
    assert count(BEGANDecoder(2), jnp.ones((2, 3)), (28, 28, 1)) == ((2, 28, 28, 1), dense + convolutions + last)
