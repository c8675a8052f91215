"""Outputs of the layers of a network, as features."""

import jax
import numpy as np
import pytest

from jaxgen.nets.dcgan import DCGANDiscriminator
from jaxgen.nets.layer_maps import LayerMaps
from tests.nets.parameters import zeros

NET = DCGANDiscriminator(2, 3, norm="none")
IMAGES = jax.random.normal(jax.random.key(0), (2, 8, 8, 1))


def test_the_variables_of_a_trained_network_can_be_put_in():
    features = LayerMaps(NET, ("Conv_0",), (3,))
    own = features.init(jax.random.key(0), IMAGES)
    variables = NET.init(jax.random.key(0), IMAGES, (3,))
    assert jax.tree.structure(own) == jax.tree.structure(variables)
    (maps,) = features.apply(variables, IMAGES)
    wanted = jax.lax.conv_general_dilated(
        IMAGES, variables["params"]["Conv_0"]["kernel"], (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    np.testing.assert_allclose(maps, wanted, atol=1e-5)


def test_layers_come_in_the_order_that_is_asked_for_and_unknown_ones_are_refused():
    net = DCGANDiscriminator(2, 3, norm="none")
    features = LayerMaps(net, ("Conv_1", "Conv_0"))
    maps = jax.eval_shape(lambda: features.init_with_output(jax.random.key(0), zeros(16, 16, 1))[0])
    assert [each.shape for each in maps] == [(1, 4, 4, 4), (1, 8, 8, 2)]
    with pytest.raises(ValueError, match="must be names of layers of DCGANDiscriminator"):
        jax.eval_shape(lambda: LayerMaps(NET, ("Conv_7",)).init(jax.random.key(0), IMAGES))
