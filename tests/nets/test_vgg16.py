"""The first maps of VGG-16."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.vgg16 import VGG16Maps
from tests.nets.parameters import count, zeros


def test_it_has_the_weights_of_the_first_seven_convolutions():
    widths = [3, 64, 64, 128, 128, 256, 256, 256]
    wanted = sum(9 * one * other + other for one, other in itertools.pairwise(widths))
    assert count(VGG16Maps(), zeros(32, 32, 3)) == wanted == 1_735_488


def test_maps_are_half_as_large_and_twice_as_many_at_each_block():
    shapes = jax.eval_shape(lambda: VGG16Maps().init_with_output(jax.random.key(0), zeros(32, 48, 3))[0])
    assert [maps.shape for maps in shapes] == [(1, 16, 24, 64), (1, 8, 12, 128), (1, 4, 6, 256)]


def test_images_are_normalised_by_the_statistics_of_imagenet():
    """An image of the mean colour is 0 to the network, which has no biases at first."""
    mean = jnp.array([0.485, 0.456, 0.406])[None, None, None]
    net = VGG16Maps(2, (1,))
    outputs, variables = net.init_with_output(jax.random.key(0), jnp.broadcast_to(2 * mean - 1, (1, 4, 4, 3)))
    np.testing.assert_allclose(outputs[0], 0.0, atol=1e-6)
    one = mean + jnp.array([0.229, 0.224, 0.225])[None, None, None]
    (maps,) = net.apply(variables, jnp.broadcast_to(2 * one - 1, (1, 6, 6, 3)))
    wanted = jax.nn.relu(variables["params"]["Conv_0"]["kernel"].sum(axis=(0, 1, 2)))
    np.testing.assert_allclose(maps[0, 1, 1], wanted, atol=1e-5)


def test_grey_images_and_output_shapes_are_refused():
    with pytest.raises(ValueError, match="channels of the images is 1, but must be 3, as RGB"):
        VGG16Maps(2).init(jax.random.key(0), zeros(8, 8, 1))
    with pytest.raises(ValueError, match=r"output_shape is \(2,\)"):
        VGG16Maps(2).init(jax.random.key(0), zeros(8, 8, 3), (2,))
