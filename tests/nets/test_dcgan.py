import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator, pyramid
from tests.nets.counts import counts


def test_parameter_counts_are_those_of_the_papers():
    """Radford's 64x64 networks, and those of WGAN-GP's code for CIFAR-10 and for MNIST."""
    assert counts(DCGANGenerator(), 100, DCGANDiscriminator(), (64, 64, 3)) == (18_872_323, 17_234_689)
    generator, critic = DCGANGenerator(norm_units=True), DCGANDiscriminator(norm="none")
    assert counts(generator, 128, critic, (32, 32, 3)) == (5_179_907, 4_114_689)
    generator, critic = DCGANGenerator(64, norm="none"), DCGANDiscriminator(64, norm="none")
    assert counts(generator, 128, critic, (28, 28, 1)) == (1_554_177, 1_030_145)


def test_sides_are_halved_and_rounded_up_to_4():
    assert pyramid(64, 32) == [(64, 32), (32, 16), (16, 8), (8, 4), (4, 2)]
    assert pyramid(4, 4) == [(4, 4)]


def conv(images, params, stride):
    dimensions = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(
        images, params["kernel"], (stride, stride), "SAME", dimension_numbers=dimensions
    )


def conv_transpose(images, params, stride):
    return jax.lax.conv_transpose(images, params["kernel"], (stride, stride), "SAME")


def test_dcgan_is_dense_then_transposed_convolutions_cut_to_size():
    net, latents = DCGANGenerator(2, kernel_size=3, norm="none"), jax.random.normal(jax.random.key(0), (3, 5))
    images, variables = jax.jit(lambda: net.init_with_output(jax.random.key(1), latents, (14, 14, 1)))()
    params = variables["params"]
    hidden = nn.relu((latents @ params["Dense_0"]["kernel"]).reshape(3, 4, 4, 4))
    hidden = nn.relu(conv_transpose(hidden, params["ConvTranspose_0"], 2)[:, :7, :7])
    assert hidden.shape == (3, 7, 7, 2)
    np.testing.assert_allclose(images, conv_transpose(hidden, params["ConvTranspose_1"], 2), atol=1e-6)


def test_dcgan_discriminator_is_strided_convolutions_then_dense():
    net, images = DCGANDiscriminator(2, 3, norm="none"), jax.random.normal(jax.random.key(0), (3, 14, 14, 1))
    scores, variables = jax.jit(lambda: net.init_with_output(jax.random.key(1), images, ()))()
    params = variables["params"]
    hidden = nn.leaky_relu(conv(images, params["Conv_0"], 2), 0.2)
    hidden = nn.leaky_relu(conv(hidden, params["Conv_1"], 2), 0.2)
    np.testing.assert_allclose(scores, (hidden.reshape(3, -1) @ params["Dense_0"]["kernel"])[:, 0], atol=1e-6)


def test_weights_begin_at_a_deviation_of_002():
    params = jax.jit(lambda: DCGANGenerator(8).init(jax.random.key(0), jnp.ones((2, 50)), (16, 16, 1)))()["params"]
    assert params["Dense_0"]["kernel"].std() == pytest.approx(0.02, rel=0.05)
    assert params["ConvTranspose_0"]["kernel"].std() == pytest.approx(0.02, rel=0.05)


def test_all_but_the_generators_output_and_the_discriminators_input_is_normalised():
    shapes = jax.eval_shape(lambda: DCGANGenerator(2).init(jax.random.key(0), jnp.ones((2, 3)), (16, 16, 1)))
    assert len(shapes["batch_stats"]) == 2
    shapes = jax.eval_shape(lambda: DCGANDiscriminator(2).init(jax.random.key(0), jnp.ones((2, 16, 16, 1)), ()))
    assert len(shapes["batch_stats"]) == 1


def test_a_norm_for_each_unit_has_as_many_scales():
    shapes = jax.eval_shape(
        lambda: DCGANGenerator(2, norm_units=True).init(jax.random.key(0), jnp.ones((2, 3)), (8, 8, 1))
    )
    assert shapes["params"]["BatchNorm_0"]["scale"].shape == (4 * 4 * 2,)


@pytest.mark.parametrize(
    ("net", "shape", "message"),
    [
        (DCGANGenerator(2), (4, 4, 1), "larger than 4x4"),
        (DCGANGenerator(2), (16,), "height, width, channels"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(net, shape, message):
    with pytest.raises(ValueError, match=message):
        net.init(jax.random.key(0), jnp.ones((2, 3)), shape)
