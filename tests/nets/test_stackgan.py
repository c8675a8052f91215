"""The networks of StackGAN: their numbers of parameters, other sizes, and what goes in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.gan_cls import TextDiscriminator
from jaxgen.nets.stackgan import StageOneGenerator, StageTwoDiscriminator, StageTwoGenerator, TextAugmentation
from jaxgen.text_to_image import stackgan
from tests.nets.counts import given_texts

AUGMENTATION = 1024 * 256 + 256


def test_parameter_counts_are_those_of_the_code():
    first = given_texts(StageOneGenerator(), TextDiscriminator(text=128), (64, 64, 3), codes=128)
    assert first == (14_264_192 - AUGMENTATION, 4_029_824)
    one = stackgan.Config()
    two = stackgan.Config(
        image_shape=(256, 256, 3),
        generator=StageTwoGenerator(),
        discriminator=StageTwoDiscriminator(),
        stage_one=stackgan.StageOne(),
    )
    for config, wanted in ((one, (14_264_192, 4_029_824)), (two, (26_290_080, 48_603_520))):
        state = jax.eval_shape(lambda key, config=config: stackgan.init(config, key), jax.random.key(0))
        found = tuple(
            sum(leaf.size for leaf in jax.tree.leaves(player.params))
            for player in (state.generator, state.discriminator)
        )
        assert found == wanted


def test_the_second_stage_enlarges_by_any_power_of_two_from_a_quarter():
    images, codes = jnp.ones((2, 8, 16, 3)), jnp.ones((2, 5))
    net = StageTwoGenerator(8, blocks=1)
    for shape in ((8, 16, 3), (16, 32, 1), (4, 8, 3)):
        made = jax.eval_shape(lambda shape=shape: net.init_with_output(jax.random.key(0), images, codes, shape))[0]
        assert made.shape == (2, *shape)
    for shape in ((2, 4, 3), (12, 24, 3), (16, 16, 3)):
        with pytest.raises(ValueError, match="doublings of 2x4, a quarter of the sketch"):
            net.init(jax.random.key(0), images, codes, shape)


def test_half_of_what_the_augmentation_gives_is_negative_by_a_fifth():
    net, texts = TextAugmentation(), jax.random.normal(jax.random.key(1), (3, 4))
    outputs, variables = net.init_with_output(jax.random.key(0), texts, (6,))
    dense = variables["params"]["Dense_0"]
    plain = texts @ dense["kernel"] + dense["bias"][None]
    np.testing.assert_allclose(outputs, np.where(plain > 0, plain, 0.2 * plain), rtol=1e-5)
