"""StarGAN's networks: sizes of the authors' code, and what becomes of the domain behind an instance norm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.conditioning import TiledCondition, with_channels
from jaxgen.nets.stargan import StarGANDiscriminator, StarGANTranslator
from tests.nets.parameters import count, zeros


@pytest.mark.parametrize(("domains", "wanted"), [(5, 8_430_528), (8, 8_439_936)])
def test_the_translator_has_the_parameters_of_the_authors_code(domains, wanted):
    net = TiledCondition(StarGANTranslator())
    assert count(net, zeros(128, 128, 3), jnp.zeros((1, domains)), (128, 128, 3)) == wanted


@pytest.mark.parametrize(
    ("side", "layers", "domains", "wanted"),
    [(128, 6, 5, 44_762_048), (128, 6, 8, 44_786_624), (256, 6, 5, 44_884_928)],
)
def test_the_discriminator_has_the_parameters_of_the_authors_code(side, layers, domains, wanted):
    assert count(StarGANDiscriminator(layers=layers), zeros(side, side, 3), (domains,)) == wanted


def responses(padding):
    """A convolution of an image beside the channels of three domains, behind an instance norm."""
    images = jnp.broadcast_to(jax.random.normal(jax.random.key(0), (1, 8, 8, 2)), (3, 8, 8, 2))
    kernel = jax.random.normal(jax.random.key(1), (3, 3, 5, 4))
    joined = with_channels(images, jnp.eye(3))
    joined = jnp.pad(joined, ((0, 0), (1, 1), (1, 1), (0, 0)), mode=padding)
    dimensions = ("NHWC", "HWIO", "NHWC")
    outputs = jax.lax.conv_general_dilated(joined, kernel, (1, 1), "VALID", dimension_numbers=dimensions)
    moments = outputs.mean((1, 2), keepdims=True), outputs.std((1, 2), keepdims=True)
    return (outputs - moments[0]) / moments[1]


@pytest.mark.parametrize("padding", ["reflect", "wrap", "edge"])
def test_with_mirrored_borders_the_first_instance_norm_removes_the_domain(padding):
    found = responses(padding)
    np.testing.assert_allclose(found, jnp.broadcast_to(found[:1], found.shape), atol=1e-5)


def test_with_borders_of_zeros_the_domain_is_seen():
    found = responses("constant")
    assert np.abs(found[0] - found[1]).max() > 0.1


@pytest.mark.exhaustive
def test_the_translator_sees_the_domain():
    net, images = TiledCondition(StarGANTranslator(channels=2, blocks=1)), zeros(8, 8, 2) + 0.3
    variables = net.init(jax.random.key(0), images, jnp.zeros((1, 3)), (8, 8, 2))
    outputs = [net.apply(variables, images, jax.nn.one_hot(jnp.array([label]), 3), (8, 8, 2)) for label in (0, 1)]
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-4


def test_sizes_that_do_not_halve_are_refused():
    with pytest.raises(ValueError, match="size of the inputs is 10x12, but must be a multiple of 4x4"):
        StarGANTranslator().init(jax.random.key(0), zeros(10, 12, 3), (10, 12, 3))
    with pytest.raises(ValueError, match=r"channels, blocks is \(64, 0\)"):
        StarGANTranslator(blocks=0).init(jax.random.key(0), zeros(8, 8, 3), (8, 8, 3))
    with pytest.raises(ValueError, match="size of the images is 8x12, but must be a multiple of 8 for 3 layers"):
        StarGANDiscriminator(layers=3).init(jax.random.key(0), zeros(8, 12, 3), (2,))
    with pytest.raises(ValueError, match=r"output_shape is \(\), but must be \(domains,\)"):
        StarGANDiscriminator().init(jax.random.key(0), zeros(64, 64, 3), ())
    with pytest.raises(ValueError, match="layers is 0"):
        StarGANDiscriminator(layers=0).init(jax.random.key(0), zeros(64, 64, 3), (2,))
