"""SAGAN's networks: their sizes, where attention stands, how weights begin."""

import pytest

from jaxgen.nets import sagan
from jaxgen.nets.initializers import GlorotUniform
from jaxgen.nets.spectral import Spectral
from tests.nets.adversaries import CLASSES, LATENTS, check_finite_and_reached, images
from tests.nets.parameters import count, zeros

SHAPE = (128, 128, 3)
PLAYERS = Spectral(sagan.GENERATOR, exempt=("scale", "offset")), Spectral(sagan.DISCRIMINATOR)


def test_parameter_counts():
    """SNGAN's generator and a layer of attention for 256 channels; a discriminator with attention for 128."""
    assert count(PLAYERS[0], zeros(128), zeros(1000), SHAPE) == 42_078_852
    assert count(PLAYERS[1], zeros(*SHAPE), zeros(1000)) == 39_463_618


def test_attention_may_stand_at_other_heights():
    """64 instead of 32: of 128 and 64 channels; a layer has 5/4 of their square, and gamma."""
    generator = sagan.GENERATOR.clone(attention=(64,))
    assert count(generator, zeros(128), zeros(1000), SHAPE) == 42_078_852 - 5 * (256**2 - 128**2) // 4
    features = sagan.FEATURES.clone(attention=(64,))
    discriminator = sagan.DISCRIMINATOR.clone(features=features)
    assert count(discriminator, zeros(*SHAPE), zeros(1000)) == 39_463_618 - 5 * (128**2 - 64**2) // 4


def test_weights_begin_as_glorot_says():
    assert sagan.GENERATOR.initializer == sagan.FEATURES.initializer == GlorotUniform()
    assert sagan.DISCRIMINATOR.initializer == GlorotUniform() and sagan.DISCRIMINATOR.last_bias


@pytest.mark.exhaustive
def test_narrow_ones_for_32x32_have_finite_gradients():
    generator = sagan.GENERATOR.clone(channels=(8, 8, 8), attention=(16,))
    check_finite_and_reached(Spectral(generator, exempt=("scale", "offset")), LATENTS, CLASSES, (32, 32, 3))
    features = sagan.FEATURES.clone(channels=(8, 8), halvings=2, attention=(16,))
    discriminator = Spectral(sagan.DISCRIMINATOR.clone(features=features))
    check_finite_and_reached(discriminator, images(32, 32), CLASSES)
