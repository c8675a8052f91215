"""The networks of GAN-CLS: their numbers of parameters, other sizes, and what the text does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.gan_cls import Bottleneck, TextDiscriminator, TextGenerator
from tests.nets.counts import given_texts


@pytest.mark.parametrize(("text", "wanted"), [(256, (21_133_824, 4_226_560)), (128, (18_905_472, 4_029_824))])
def test_parameter_counts_are_those_of_the_code(text, wanted):
    assert given_texts(TextGenerator(text=text), TextDiscriminator(text=text), (64, 64, 3)) == wanted


def test_a_halving_fewer_leaves_out_the_widest_maps():
    generator = 1024 * 3 + 3 + (100 + 3) * 16 * 8 + 2 * 8  # of the text; to 4x4
    generator += (8 * 2 + 9 * 2 * 2 + 9 * 2 * 8 + 2 * 12) + (16 * 8 * 4 + 2 * 4)  # at 4x4; to 8x8
    generator += (4 * 1 + 9 * 1 * 1 + 9 * 1 * 4 + 2 * 6) + 16 * 4 * 3  # at 8x8; to 16x16
    discriminator = 16 * 3 * 4 + (16 * 4 * 8 + 2 * 8) + (8 * 2 + 9 * 2 * 2 + 9 * 2 * 8 + 2 * 12)
    discriminator += 1024 * 3 + 3 + (8 + 3) * 8 + 2 * 8 + 16 * 8
    assert given_texts(TextGenerator(4, 3), TextDiscriminator(4, 3), (16, 16, 3)) == (generator, discriminator)


@pytest.mark.parametrize("shape", [(8, 8, 3), (32, 12, 3), (24, 24, 3)])
def test_images_that_do_not_double_from_4x4_are_refused(shape):
    with pytest.raises(ValueError, match="16, 32, 64, "):
        TextGenerator(4, 3).init(jax.random.key(0), jnp.ones((2, 3)), jnp.ones((2, 5)), shape)


def test_a_bottleneck_whose_last_norm_has_no_scale_is_the_identity():
    maps, block = jax.random.normal(jax.random.key(0), (2, 4, 4, 8)), Bottleneck()
    variables = block.init(jax.random.key(1), maps)
    scales = variables["params"] | {"BatchNorm_2": jax.tree.map(jnp.zeros_like, variables["params"]["BatchNorm_2"])}
    np.testing.assert_array_equal(block.apply(variables | {"params": scales}, maps), maps)
    with pytest.raises(ValueError, match="channels of maps is 3, but must be at least 4 for a bottleneck"):
        block.init(jax.random.key(1), maps[..., :3])
