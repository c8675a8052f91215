"""CycleGAN's generator: sizes of the authors' code, and that it keeps places."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.cyclegan import ResNetTranslator, reflected
from tests.nets.parameters import count, zeros


@pytest.mark.parametrize(("blocks", "side", "wanted"), [(9, 256, 11_378_179), (6, 128, 7_837_699)])
def test_parameter_counts_are_those_of_the_authors_code(blocks, side, wanted):
    assert count(ResNetTranslator(blocks=blocks), zeros(side, side, 3), (side, side, 3)) == wanted


def test_an_image_moved_by_four_pixels_is_translated_to_one_moved_by_four_pixels():
    """Away from the borders, and without norms, whose statistics are of the whole image."""
    net, wide = (
        ResNetTranslator(channels=2, blocks=1, norm="none"),
        jax.random.normal(jax.random.key(0), (1, 64, 68, 1)),
    )
    variables = net.init(jax.random.key(1), wide[:, :, :64], (64, 64, 1))
    variables = jax.tree.map(lambda leaf: 20.0 * leaf, variables)
    left, right = (net.apply(variables, images, (64, 64, 1)) for images in (wide[:, :, :64], wide[:, :, 4:]))
    inside = slice(24, 40)
    np.testing.assert_allclose(left[:, inside, 28:44], right[:, inside, 24:40], rtol=1e-4, atol=1e-4)
    assert not np.allclose(left[:, inside, 28:44], right[:, inside, 28:44], rtol=1e-4, atol=1e-4)


def test_borders_are_mirrored_at_their_pixels():
    images = jnp.arange(4.0).reshape(1, 1, 4, 1) + jnp.zeros((1, 4, 1, 1))
    assert reflected(images, 2)[0, 2, :, 0].tolist() == [2, 1, 0, 1, 2, 3, 2, 1]


def test_sizes_that_do_not_halve_twice_are_refused():
    with pytest.raises(ValueError, match="size of the inputs is 10x12, but must be a multiple of 4x4, at least 8x8"):
        ResNetTranslator().init(jax.random.key(0), zeros(10, 12, 3), (10, 12, 3))
    with pytest.raises(ValueError, match="as the inputs are"):
        ResNetTranslator().init(jax.random.key(0), zeros(8, 8, 3), (16, 16, 3))
    with pytest.raises(ValueError, match=r"channels, blocks is \(64, 0\)"):
        ResNetTranslator(blocks=0).init(jax.random.key(0), zeros(8, 8, 3), (8, 8, 3))


def test_a_pixel_is_made_of_what_lies_evenly_around_it():
    """Halvings and doublings on one grid, as in the authors' code: without that, images move by three pixels."""
    net = ResNetTranslator(channels=2, blocks=1, norm="none")
    images = jax.random.normal(jax.random.key(0), (1, 96, 96, 1))
    variables = net.init(jax.random.key(1), images, (96, 96, 1))

    def pixel(images):
        return net.apply(variables, images, (96, 96, 1))[0, 48, 48, 0]

    reached = np.abs(jax.jit(jax.grad(pixel))(images))[0, :, :, 0] > 0
    for axis in (0, 1):
        places = np.flatnonzero(reached.any(axis=axis))
        assert 48 - places[0] == places[-1] - 48
