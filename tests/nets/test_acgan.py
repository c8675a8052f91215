import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.acgan import IMAGENET_CHANNELS, ACGANDiscriminator, ACGANGenerator
from tests.nets.parameters import count, zeros


def test_networks_have_the_reference_parameter_counts():
    """100 of noise and 10 classes; no bias before batch norm but the dense layer's."""
    assert count(ACGANGenerator(), zeros(110), (32, 32, 3)) == 2_994_531
    assert count(ACGANGenerator(IMAGENET_CHANNELS), zeros(110), (128, 128, 3)) == 16_532_675
    assert count(ACGANDiscriminator(), zeros(32, 32, 3), (1 + 10,)) == 1_663_883


def test_the_discriminator_halves_the_image_in_every_other_layer():
    """32x32 to 4x4 in six layers: the dense layer sees 4 x 4 x 512 numbers, 8x8 images leave one place of them."""
    for size, places in ((32, 16), (8, 1)):
        shapes = jax.eval_shape(
            lambda size=size: ACGANDiscriminator().init(jax.random.key(0), zeros(size, size, 3), (11,))
        )
        assert shapes["params"]["Dense_0"]["kernel"].shape == (512 * places, 11)


def test_the_first_layer_of_the_discriminator_is_not_normalised():
    shapes = jax.eval_shape(lambda: ACGANDiscriminator((2, 3)).init(jax.random.key(0), zeros(4, 4, 1), (3,)))["params"]
    assert shapes["BatchNorm_0"]["scale"].shape == (3,) and "BatchNorm_1" not in shapes
    assert "bias" in shapes["Conv_0"] and "bias" not in shapes["Conv_1"]


def test_sides_that_do_not_halve_are_refused():
    with pytest.raises(ValueError, match=r"image shape is \(28, 28, 1\), but must be of sides that divide by 8"):
        count(ACGANGenerator(), zeros(4), (28, 28, 1))


def test_half_of_what_the_last_convolution_gives_is_dropped_in_training():
    net, images = ACGANDiscriminator((8, 8)), jnp.ones((1, 16, 16, 1))
    variables = jax.jit(lambda: net.init(jax.random.key(0), images, (3,)))()

    def total(kernel, mode):
        params = variables["params"] | {"Dense_0": variables["params"]["Dense_0"] | {"kernel": kernel}}
        return net.apply(variables | {"params": params}, images, (3,), mode=mode, mutable="batch_stats")[0].sum()

    kernel = variables["params"]["Dense_0"]["kernel"]
    grads = jax.jit(jax.grad(total))
    assert (
        0.4 < (grads(kernel, Mode(jax.random.split(jax.random.key(0), 1), train=True)) == 0).mean() < 0.6
    )  # of 512 inputs
    assert (np.asarray(grads(kernel, EVALUATION)) != 0).all()
