"""BicycleGAN's networks: sizes of the authors' code, where the code goes in, and the scales of a discriminator."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.bicyclegan import CodedUNetTranslator, CodeEncoder, ScaledDiscriminator
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.nets.unit import half
from tests.nets.parameters import count, zeros

CODE = jnp.zeros((1, 8))


@pytest.mark.parametrize(("channels", "wanted"), [(3, 54_794_627), (1, 54_792_579)])
def test_the_translator_has_the_parameters_of_the_authors_code(channels, wanted):
    assert count(CodedUNetTranslator(), zeros(256, 256, channels), CODE, (256, 256, 3)) == wanted


@pytest.mark.parametrize(("side", "blocks", "wanted"), [(256, 4, 2_590_032), (128, 3, 1_344_080)])
def test_the_encoder_has_the_parameters_of_the_authors_code(side, blocks, wanted):
    assert count(CodeEncoder(blocks=blocks), zeros(side, side, 3), (16,)) == wanted


def test_the_discriminator_has_the_parameters_of_the_authors_code():
    assert count(ScaledDiscriminator(), zeros(256, 256, 3), ()) == 3_458_978


def test_the_code_goes_into_every_convolution_on_the_way_down():
    net = CodedUNetTranslator(channels=2, downs=3)
    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), zeros(8, 8, 1), CODE, (8, 8, 1)))
    inputs = {name: layer["kernel"].shape[2] for name, layer in variables["params"].items() if name.startswith("Conv_")}
    assert inputs == {"Conv_0": 1 + 8, "Conv_1": 2 + 8, "Conv_2": 4 + 8}


def test_a_scale_is_a_patch_discriminator_of_half_of_the_image():
    net, images = ScaledDiscriminator(4, layers=1), jax.random.normal(jax.random.key(0), (1, 16, 16, 2))
    variables = net.init(jax.random.key(1), images)
    large, small = net.apply(variables, images)
    for maps, name, width, shown in ((large, 0, 4, images), (small, 1, 2, half(images))):
        alone = PatchDiscriminator(width, 1, "instance")
        own = {"params": variables["params"][f"PatchDiscriminator_{name}"]}
        np.testing.assert_allclose(maps, alone.apply(own, shown), rtol=1e-5, atol=1e-6)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"output_shape is \(\), but must be \(numbers,\)"):
        CodeEncoder().init(jax.random.key(0), zeros(64, 64, 3), ())
    with pytest.raises(ValueError, match="size of the images is 16x16, but must be a multiple of 16, at least 32"):
        CodeEncoder(blocks=3).init(jax.random.key(0), zeros(16, 16, 3), (4,))
    with pytest.raises(ValueError, match="blocks is 0"):
        CodeEncoder(blocks=0).init(jax.random.key(0), zeros(16, 16, 3), (4,))
    with pytest.raises(ValueError, match="channels is 6, but must be a multiple of 4"):
        ScaledDiscriminator(6, scales=3).init(jax.random.key(0), zeros(64, 64, 3))
    with pytest.raises(ValueError, match="scales is 0"):
        ScaledDiscriminator(scales=0).init(jax.random.key(0), zeros(64, 64, 3))
