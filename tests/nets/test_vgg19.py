"""VGG-19's features: sizes, and where they are taken."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.vgg16 import MEAN, STDDEV
from jaxgen.nets.vgg19 import VGG19
from tests.nets.parameters import count, zeros

WIDTHS = [3, *[64] * 2, *[128] * 2, *[256] * 4, *[512] * 8]
"""Channels of column E of table 1."""


@pytest.mark.parametrize(("layer", "convolutions"), [((1, 1), 1), ((2, 2), 4), ((3, 3), 7), ((5, 4), 16)])
def test_the_convolutions_up_to_a_layer_are_those_of_the_paper(layer, convolutions):
    widths = WIDTHS[: convolutions + 1]
    wanted = sum(9 * one * other + other for one, other in itertools.pairwise(widths))
    assert count(VGG19(*layer), zeros(32, 32, 3)) == wanted
    assert convolutions < 16 or wanted == 20_024_384


def test_maps_are_halved_between_blocks_and_odd_sides_lose_a_row():
    net = VGG19(3, 1, channels=2)
    made = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), zeros(22, 31, 3))[0])
    assert made.shape == (1, 5, 7, 8)


def test_the_first_layer_is_a_convolution_of_normalised_images_with_or_without_its_relu():
    images = jax.random.uniform(jax.random.key(0), (2, 5, 4, 3))
    net = VGG19(1, 1, activated=False, channels=2)
    variables = net.init(jax.random.key(1), images)
    found = net.apply(variables, images)
    kernel = np.asarray(variables["params"]["Conv_0"]["kernel"], np.float64)
    padded = np.pad(((np.asarray(images, np.float64) + 1) / 2 - MEAN) / STDDEV, ((0, 0), (1, 1), (1, 1), (0, 0)))
    wanted = sum(padded[:, r : r + 5, c : c + 4] @ kernel[r, c] for r in range(3) for c in range(3))
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert found.min() < 0
    np.testing.assert_array_equal(net.clone(activated=True).apply(variables, images), jnp.maximum(found, 0))


def test_layers_that_are_none_are_refused():
    for layer, message in (((6, 1), "block is 6"), ((2, 3), "conv is 3, but must be from 1 to 2")):
        with pytest.raises(ValueError, match=message):
            VGG19(*layer).init(jax.random.key(0), zeros(8, 8, 3))
    with pytest.raises(ValueError, match="channels of the images is 2"):
        VGG19().init(jax.random.key(0), zeros(8, 8, 2))
    with pytest.raises(ValueError, match="output_shape is"):
        VGG19().init(jax.random.key(0), zeros(8, 8, 3), (3,))
