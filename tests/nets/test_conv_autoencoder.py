import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder

IMAGES = jax.random.normal(jax.random.key(1), (3, 8, 8, 1))
LATENTS = jax.random.normal(jax.random.key(2), (3, 5))


def init_with_output(net, inputs, shape):
    return jax.jit(lambda inputs: net.init_with_output(jax.random.key(0), inputs, shape))(inputs)


def shape_of(net, *inputs):
    outputs, _ = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs))
    return outputs.shape


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (64, 64, 3), (8, 12, 2)])
def test_encoder_and_decoder_are_told_their_shapes(shape):
    assert shape_of(ConvEncoder((2, 3)), jnp.zeros((2, *shape)), (5, 2)) == (2, 5, 2)
    assert shape_of(ConvDecoder((3, 2)), jnp.zeros((2, 5)), shape) == (2, *shape)
    assert shape_of(ConvDecoder((3, 2), output_strides=2), jnp.zeros((2, 5)), shape) == (2, *shape)


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 12, 2)])
def test_fully_convolutional_ones_have_a_map_for_a_code(shape):
    codes = 3 * shape[0] * shape[1] // 16
    assert shape_of(ConvEncoder((2, 3), bottleneck="map"), jnp.zeros((2, *shape)), (codes, 2)) == (2, codes, 2)
    assert shape_of(ConvDecoder((3, 2, 2), bottleneck="map"), jnp.zeros((2, codes)), shape) == (2, *shape)


def test_a_code_of_a_map_depends_on_its_part_of_the_image_alone():
    """8x8 to 4x4 by a 3x3 kernel of stride 2, then 3x3: the first code sees the image's first 5 rows and columns."""
    net = ConvEncoder((2,), bottleneck="map", negative_slope=0.1)
    variables = jax.jit(lambda: net.init(jax.random.key(0), IMAGES, (16,)))()
    seen = jax.grad(lambda x: net.apply(variables, x, (16,))[0, 0])(IMAGES)[0]
    assert (seen[5:] == 0).all() and (seen[:, 5:] == 0).all() and (seen[:2, :2] != 0).any()


def test_encoder_is_strided_convolutions_and_dense_layers_written_out():
    net = ConvEncoder((2, 3), features=(4,), negative_slope=0.1)
    outputs, variables = init_with_output(net, IMAGES, (5,))
    params = variables["params"]
    hidden = IMAGES
    for index in range(2):
        hidden = jax.lax.conv_general_dilated(
            hidden, params[f"Conv_{index}"]["kernel"], (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        hidden = nn.leaky_relu(hidden, 0.1)
    hidden = nn.leaky_relu(hidden.reshape(3, -1) @ params["Dense_0"]["kernel"], 0.1)
    np.testing.assert_allclose(outputs, hidden @ params["Dense_1"]["kernel"], atol=1e-5)


def test_decoder_is_dense_layers_and_flaxs_transposed_convolutions():
    net = ConvDecoder((3, 2), kernel_size=4, features=(4,), output_strides=2, negative_slope=0.1)
    outputs, variables = init_with_output(net, LATENTS, (8, 8, 1))
    params = variables["params"]
    hidden = LATENTS
    for index in range(2):
        hidden = nn.leaky_relu(hidden @ params[f"Dense_{index}"]["kernel"], 0.1)
    hidden = hidden.reshape(3, 2, 2, 3)
    for index in range(2):
        kernel = params[f"ConvTranspose_{index}"]["kernel"]
        hidden = jax.lax.conv_transpose(hidden, kernel, (2, 2), "SAME")
        hidden = nn.leaky_relu(hidden, 0.1) if index == 0 else hidden
    np.testing.assert_allclose(outputs, hidden, atol=1e-5)


def test_a_linear_map_is_the_decoder_without_the_first_activation():
    """What a leaky ReLU of slope 1 in that place would give; the other layers keep their ReLUs."""
    net = ConvDecoder((2,), linear_map=True)
    outputs, variables = init_with_output(net, LATENTS, (8, 8, 1))
    wanted = ConvDecoder((2,), negative_slope=1.0).apply(variables, LATENTS, (8, 8, 1))
    np.testing.assert_allclose(outputs, wanted, atol=1e-6)
    deep = ConvDecoder((2, 2), linear_map=True)
    outputs, variables = init_with_output(deep, LATENTS, (8, 8, 1))
    for slope in (0.0, 1.0):
        other = ConvDecoder((2, 2), negative_slope=slope).apply(variables, LATENTS, (8, 8, 1))
        assert np.abs(outputs - other).max() > 1e-3


def test_norms_stand_at_maps_alone():
    for net, inputs, shape in ((ConvEncoder((2, 3), features=(4,), norm="batch"), IMAGES, (5,)),):
        stats = jax.eval_shape(lambda n=net, i=inputs, s=shape: n.init(jax.random.key(0), i, s))["batch_stats"]
        assert len(stats) == 2
    decoder = ConvDecoder((3, 2), features=(4,), norm="batch")
    assert len(jax.eval_shape(lambda: decoder.init(jax.random.key(0), LATENTS, (8, 8, 1)))["batch_stats"]) == 2


@pytest.mark.parametrize(
    ("net", "inputs", "shape", "message"),
    [
        (ConvEncoder(), jnp.zeros((1, 784)), (2,), "shape of images is .*use an MLP"),
        (ConvDecoder(), jnp.zeros((1, 2)), (784,), r"image shape is \(784,\).*use an MLP"),
        (ConvDecoder(), jnp.zeros((1, 2)), (9, 8, 1), "of sides that 4 divides, for 3 maps"),
        (ConvEncoder(bottleneck="map"), jnp.zeros((1, 8, 8, 1)), (5,), "size of the code is 5, .* multiple of the 4"),
        (ConvDecoder(bottleneck="map"), jnp.zeros((1, 5)), (8, 8, 1), "size of the code is 5, .* multiple of the 4"),
        (ConvEncoder(features=(3,), bottleneck="map"), jnp.zeros((1, 8, 8, 1)), (4,), "features is .* a map"),
        (ConvEncoder(()), jnp.zeros((1, 8, 8, 1)), (4,), "channels is .* one width or more"),
        (ConvEncoder((2, 0)), jnp.zeros((1, 8, 8, 1)), (4,), "positive widths"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_numbers(net, inputs, shape, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: net.init(jax.random.key(0), inputs, shape))


def test_a_linear_map_lets_negative_values_through():
    """A dense layer and a convolution that passes its map on: with the ReLU nothing is below 0, without it some is."""
    codes = jax.random.normal(jax.random.key(0), (64, 3))
    for linear in (False, True):
        decoder = ConvDecoder(channels=(1,), kernel_size=1, linear_map=linear)
        variables = decoder.init(jax.random.key(1), codes, (4, 4, 1))
        last = variables["params"]["ConvTranspose_0"]
        passed = {"ConvTranspose_0": {"kernel": jnp.ones_like(last["kernel"]), "bias": jnp.zeros_like(last["bias"])}}
        images = decoder.apply({"params": {**variables["params"], **passed}}, codes, (4, 4, 1))
        assert bool((images < 0).any()) == linear
