"""Maps of a frozen network."""

import dataclasses

import jax
import numpy as np

from jaxgen.nets.mlp import MLP
from jaxgen.nets.vgg16 import VGG16Maps
from jaxgen.train_state import freeze
from jaxgen.translation.feature_maps import feature_maps
from tests.translation.test_partial_conv import IMAGES, TINY


def test_every_range_of_values_gives_the_maps_of_images_from_minus_one_to_one():
    net = VGG16Maps(channels=2, convolutions=(1, 1))
    features = freeze(net, "features", jax.random.key(0), IMAGES, ()).variables
    wanted = net.apply(features, IMAGES)
    unit = dataclasses.replace(TINY, features=net, value_range=(0.0, 1.0))
    for config, images in (
        (dataclasses.replace(TINY, features=net), IMAGES),
        (dataclasses.replace(unit, value_range=None), IMAGES),
        (unit, (IMAGES + 1) / 2),
    ):
        found = feature_maps(config, features, images)
        assert len(found) == 2
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_network_of_one_array_gives_one():
    net = MLP((4,))
    config = dataclasses.replace(TINY, features=net)
    features = freeze(net, "features", jax.random.key(0), IMAGES, ()).variables
    (found,) = feature_maps(config, features, IMAGES)
    np.testing.assert_allclose(found, net.apply(features, IMAGES, ()), atol=1e-6)
