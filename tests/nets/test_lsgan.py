import jax
import jax.numpy as jnp
import pytest

from jaxgen.nets.lsgan import LSGANDiscriminator, LSGANGenerator
from tests.nets.counts import counts


def test_parameter_counts_are_those_of_the_paper():
    """15,588,483 and 4,331,649 of convolutions and dense layers, 2,944 and 1,792 of batch normalisation."""
    found = counts(LSGANGenerator(), 1024, LSGANDiscriminator(), (112, 112, 3))
    assert found == (15_588_483 + 2_944, 4_331_649 + 1_792)


def test_features_and_strides_make_networks_of_other_sizes():
    generator, discriminator = LSGANGenerator((4, 4, 2), (2, 2)), LSGANDiscriminator(2, layers=2)
    dense, transposed, last = 3 * 49 * 4 + 49 * 4, (9 * 16 + 4) + (9 * 8 + 2), 9 * 2 + 1
    convolutions = (25 * 2 + 2) + (25 * 8 + 4) + 49 * 4 + 1
    wanted = dense + transposed + last + 2 * (4 + 4 + 2), convolutions + 2 * 4
    assert counts(generator, 3, discriminator, (28, 28, 1)) == wanted


@pytest.mark.parametrize(
    ("net", "message"),
    [(LSGANGenerator((4, 4), (2, 2)), "one more than strides"), (LSGANGenerator((4, 4, 4), (2, 4)), "multiple of 8")],
)
def test_settings_that_do_not_fit_are_refused(net, message):
    with pytest.raises(ValueError, match=message):
        net.init(jax.random.key(0), jnp.ones((2, 3)), (28, 28, 1))
