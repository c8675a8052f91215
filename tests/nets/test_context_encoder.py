"""Networks of the context encoder: sizes of the authors' code, the dense layer of each channel, refused sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.context_encoder import ChannelWiseDense, ContextDiscriminator, ContextEncoder
from tests.nets.parameters import count, zeros

IMAGE, SQUARE = zeros(128, 128, 3), (64, 64, 3)


@pytest.mark.parametrize(("bottleneck", "wanted"), [(4000, 71_130_531), (100, 7_221_231)])
def test_parameter_counts_of_the_generator_are_those_of_the_authors_code(bottleneck, wanted):
    assert count(ContextEncoder(bottleneck=bottleneck), IMAGE, SQUARE) == wanted


def test_the_parameter_count_of_the_discriminator_is_that_of_the_authors_code():
    assert count(ContextDiscriminator(), zeros(*SQUARE)) == 2_766_529


def test_a_dense_layer_of_each_channel_has_a_matrix_of_the_places_for_each():
    maps = jax.random.normal(jax.random.key(0), (2, 3, 4, 5))
    layer = ChannelWiseDense()
    outputs, variables = layer.init_with_output(jax.random.key(1), maps)
    variables = dict(variables)
    kernel, bias = (variables["params"][name] for name in ("kernel", "bias"))
    assert kernel.shape == (5, 12, 12) and bias.shape == (5, 12)
    flat = np.asarray(maps).reshape(2, 12, 5)
    wanted = np.stack([flat[:, :, channel] @ np.asarray(kernel[channel]) for channel in range(5)], axis=2)
    np.testing.assert_allclose(outputs, wanted.reshape(2, 3, 4, 5), atol=1e-6)


def test_with_it_the_generator_has_as_many_weights_fewer_as_channels_are_apart():
    """m^4 n + n^2 and biases in place of a bottleneck between n maps of m x m, n = 512, m = 4."""
    between = 512 * 16 * 16 + 512 * 16 + 2 * 512 + 512 * 512 + 512
    bottleneck = 2 * 512 * 16 * 100 + 100 + 2 * 100 + 512
    assert count(ContextEncoder(channel_wise=True), IMAGE, SQUARE) == 7_221_231 - bottleneck + between


def test_images_and_squares_need_not_be_squares():
    def shape(net, *inputs):
        return jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs)[0]).shape

    assert shape(ContextEncoder(2, 3), zeros(32, 48, 1), (8, 16, 2)) == (1, 8, 16, 2)
    assert shape(ContextDiscriminator(2), zeros(16, 8, 2)) == (1,)


@pytest.mark.parametrize("channel_wise", [False, True])
def test_every_pixel_counts_for_every_place(channel_wise):
    """Through the bottleneck, and through the dense layers of channels; with batch norms, whose weights are 1."""
    net, images = ContextEncoder(4, 6, channel_wise), jax.random.normal(jax.random.key(0), (1, 8, 8, 1))

    @jax.jit
    def slope(images):
        variables = net.init(jax.random.key(1), images, (8, 8, 1))
        variables = {**variables, "params": jax.tree.map(lambda leaf: 10 * leaf, variables["params"])}
        return jax.grad(lambda images: net.apply(variables, images, (8, 8, 1))[0, 0, 0, 0])(images)

    assert (jnp.abs(slope(images)) > 0).mean() > 0.9


@pytest.mark.parametrize("shape", [(4, 8, 1), (12, 12, 1), (16, 18, 1), (2, 2, 1)])
def test_sizes_that_do_not_halve_down_to_four_are_refused(shape):
    with pytest.raises(ValueError, match="size of the images is"):
        ContextDiscriminator(2).init(jax.random.key(0), zeros(*shape))
    with pytest.raises(ValueError, match="size of the outputs is"):
        ContextEncoder(2, 2).init(jax.random.key(0), zeros(16, 16, 1), shape)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"output_shape is \(2,\)"):
        ContextDiscriminator(2).init(jax.random.key(0), zeros(8, 8, 1), (2,))
    with pytest.raises(ValueError, match=r"channels, bottleneck is \(2, 0\), but must be at least 1"):
        ContextEncoder(2, 0).init(jax.random.key(0), zeros(16, 16, 1), (8, 8, 1))
    with pytest.raises(ValueError, match=r"smallest maps is \(4, 4\), but must be \(4, 8\), as of the outputs"):
        ContextEncoder(2, channel_wise=True).init(jax.random.key(0), zeros(16, 16, 1), (8, 16, 1))
