import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.grid import GridDecoder, GridEncoder, doublings


def count(net, *inputs):
    return sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))))


@pytest.mark.parametrize(("image", "grid"), [((8, 8, 1), (2, 2, 5)), ((28, 28, 1), (7, 7, 3)), ((6, 4, 3), (6, 4, 2))])
def test_networks_are_told_their_shapes(image, grid):
    encoder, decoder = GridEncoder(4, 1, 2), GridDecoder(4, 1, 2)
    vectors, _ = jax.eval_shape(lambda: encoder.init_with_output(jax.random.key(0), jnp.zeros((2, *image)), grid))
    images, _ = jax.eval_shape(lambda: decoder.init_with_output(jax.random.key(0), jnp.zeros((2, *grid)), image))
    assert vectors.shape == (2, *grid) and images.shape == (2, *image)
    assert vectors.dtype == images.dtype == jnp.float32


def test_parameter_counts_are_those_of_the_authors_layers_for_cifar10():
    """32x32x3 to 8x8x64, 128 channels, two blocks of 32: sums of k k i o + o over the layers."""
    conv = lambda k, i, o: k * k * i * o + o  # noqa: E731
    stack = 2 * (conv(3, 128, 32) + conv(1, 32, 128))
    encoder = conv(4, 3, 64) + conv(4, 64, 128) + conv(3, 128, 128) + stack + conv(1, 128, 64)
    decoder = conv(3, 64, 128) + stack + conv(4, 128, 64) + conv(4, 64, 3)
    assert (encoder, decoder) == (372_416, 290_307)
    assert count(GridEncoder(), jnp.zeros((1, 32, 32, 3)), (8, 8, 64)) == encoder
    assert count(GridDecoder(), jnp.zeros((1, 8, 8, 64)), (32, 32, 3)) == decoder


def test_encoder_and_decoder_are_written_out():
    """8x8 to 2x2 and back, with the ReLU in its places: behind each layer but the stacks' inputs and the last ones."""
    images = jnp.asarray(np.random.default_rng(0).normal(size=(2, 8, 8, 1)), jnp.float32)
    encoder, decoder = GridEncoder(4, 1, 3), GridDecoder(4, 1, 3)
    encoding = drawn(encoder, images, (2, 2, 3))
    decoding = drawn(decoder, jnp.zeros((2, 2, 2, 3)), (8, 8, 1))

    @jax.jit
    def both(images, encoding, decoding):
        grid = encoder.apply({"params": encoding}, images, (2, 2, 3))
        return grid, decoder.apply({"params": decoding}, grid, (8, 8, 1))

    @jax.jit
    def written_out(hidden, encoding, decoding):
        hidden = nn.relu(conv(hidden, encoding["Conv_0"], 2))
        hidden = nn.relu(conv(hidden, encoding["Conv_1"], 2))
        hidden = nn.relu(conv(hidden, encoding["Conv_2"]))
        grid = conv(stack(hidden, encoding["ResidualStack_0"]), encoding["Conv_3"])
        hidden = stack(conv(grid, decoding["Conv_0"]), decoding["ResidualStack_0"])
        hidden = nn.relu(transposed(hidden, decoding["ConvTranspose_0"]))
        return grid, transposed(hidden, decoding["ConvTranspose_1"])

    grid, outputs = both(images, encoding, decoding)
    wanted_grid, wanted = written_out(images, encoding, decoding)
    np.testing.assert_allclose(grid, wanted_grid, atol=1e-5)
    np.testing.assert_allclose(outputs, wanted, atol=1e-5)
    assert (grid < 0).any() and (outputs < 0).any()  # no activation at the ends


def drawn(net, *inputs):
    """Parameters drawn by NumPy, biases too."""
    generator = np.random.default_rng(1)
    shapes = jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))["params"]
    return jax.tree.map(lambda leaf: generator.normal(scale=0.3, size=leaf.shape).astype(np.float32), shapes)


def stack(hidden, params):
    inner = conv(nn.relu(hidden), params["Conv_0"])
    return nn.relu(hidden + conv(nn.relu(inner), params["Conv_1"]))


LAYOUT = ("NHWC", "HWIO", "NHWC")


def conv(images, params, stride=1):
    strides = (stride, stride)
    outputs = jax.lax.conv_general_dilated(images, params["kernel"], strides, "SAME", dimension_numbers=LAYOUT)
    return outputs + params["bias"][None, None, None]


def transposed(images, params):
    outputs = jax.lax.conv_transpose(images, params["kernel"], (2, 2), "SAME", dimension_numbers=LAYOUT)
    return outputs + params["bias"][None, None, None]


@pytest.mark.parametrize(("small", "large"), [((7, 7, 1), (30, 28, 1)), ((7, 7, 1), (28, 14, 1)), ((7, 7), (28, 28))])
def test_shapes_that_do_not_double_are_refused(small, large):
    with pytest.raises(ValueError, match="does not double to images of"):
        doublings(small, large)


def test_channels_that_do_not_halve_are_refused():
    with pytest.raises(ValueError, match="channels is 3, but must be a multiple of 2"):
        GridEncoder(3).init(jax.random.key(0), jnp.zeros((1, 8, 8, 1)), (2, 2, 1))
