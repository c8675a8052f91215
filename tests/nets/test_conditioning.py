import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.conditioning import ChannelCondition, ConcatCondition, InnerCondition, TiledCondition, with_channels
from jaxgen.nets.conv_autoencoder import ConvEncoder
from jaxgen.nets.courses.fidle import FidleDiscriminator
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.resnet import ResNetGenerator

IMAGES = jax.random.normal(jax.random.key(1), (5, 4, 4, 1))
CLASSES = jax.nn.one_hot(jnp.arange(5) % 3, 3)


def test_concat_condition_appends_the_condition_to_the_flattened_input():
    net = ConcatCondition(MLP(()))
    outputs, variables = jax.jit(lambda: net.init_with_output(jax.random.key(0), IMAGES, CLASSES, (2,)))()
    kernel = variables["params"]["net"]["Dense_0"]["kernel"]
    joined = np.concatenate([np.asarray(IMAGES).reshape(5, 16), CLASSES], axis=1)
    np.testing.assert_allclose(outputs, joined @ kernel, atol=1e-5)


def test_channel_condition_adds_a_map_that_a_dense_layer_makes_of_the_condition():
    net, inner = ChannelCondition(ConvEncoder((2,))), ConvEncoder((2,))
    outputs, variables = jax.jit(lambda: net.init_with_output(jax.random.key(0), IMAGES, CLASSES, (2,)))()
    params = variables["params"]
    channel = (CLASSES @ params["Dense_0"]["kernel"]).reshape(5, 4, 4, 1)
    wanted = inner.apply({"params": params["net"]}, jnp.concatenate([IMAGES, channel], axis=-1), (2,))
    np.testing.assert_allclose(outputs, wanted, atol=1e-5)


def test_tiled_condition_adds_a_channel_of_one_value_for_each_number():
    joined = with_channels(IMAGES, CLASSES)
    assert joined.shape == (5, 4, 4, 4)
    np.testing.assert_array_equal(joined[..., :1], IMAGES)
    np.testing.assert_array_equal(joined[:, 1, 3, 1:], CLASSES)
    np.testing.assert_array_equal(joined[:, :1, :1, 1:] + 0 * joined[..., 1:], joined[..., 1:])
    net, inner = TiledCondition(ConvEncoder((2,))), ConvEncoder((2,))
    outputs, variables = jax.jit(lambda: net.init_with_output(jax.random.key(0), IMAGES, CLASSES, (2,)))()
    wanted = inner.apply({"params": variables["params"]["net"]}, joined, (2,))
    np.testing.assert_allclose(outputs, wanted, atol=1e-5)
    with pytest.raises(ValueError, match=r"inputs have shape \(5, 3\), but must be images"):
        with_channels(CLASSES, CLASSES)


def test_the_map_of_a_channel_condition_has_the_rows_and_columns_of_the_image():
    images, net = jax.random.normal(jax.random.key(2), (5, 2, 3, 1)), ChannelCondition(MLP(()))
    outputs, variables = net.init_with_output(jax.random.key(0), images, CLASSES, (2,))
    channel = (CLASSES @ variables["params"]["Dense_0"]["kernel"]).reshape(5, 2, 3, 1)
    joined = jnp.concatenate([images, channel], axis=-1).reshape(5, 12)
    np.testing.assert_allclose(outputs, joined @ variables["params"]["net"]["Dense_0"]["kernel"], atol=1e-5)


def test_channel_condition_refuses_what_is_no_image():
    with pytest.raises(ValueError, match=r"inputs have shape \(5, 16\), but must be images: use ConcatCondition"):
        ChannelCondition(MLP(())).init(jax.random.key(0), IMAGES.reshape(5, 16), CLASSES, (2,))


@pytest.mark.parametrize("wrapper", [ConcatCondition, ChannelCondition])
def test_the_mode_reaches_the_network_inside(wrapper):
    def scores(net, mode):
        variables = jax.jit(lambda: net.init(jax.random.key(0), images, CLASSES, ()))()
        return np.asarray(net.apply(variables, images, CLASSES, (), mode=mode))

    images, keys = jnp.ones((5, 28, 28, 1)), jax.random.split(jax.random.key(2), 5)
    net = wrapper(Maxout()) if wrapper is ConcatCondition else wrapper(FidleDiscriminator())
    assert np.abs(scores(net, Mode(keys, train=True)) - scores(net, EVALUATION)).min() > 1e-6
    with pytest.raises(ValueError, match="dropout draws random numbers in training, but this pass has no keys"):
        scores(net, Mode(train=True))


class Told(nn.Module):
    """What it is given, in training alone."""

    @nn.compact
    def __call__(self, inputs, output_shape, *, condition, mode=EVALUATION):
        return inputs + condition if mode.train else jnp.zeros_like(inputs)


def test_inner_condition_hands_the_mode_to_the_network():
    inputs = jnp.ones((5, 3))
    found = InnerCondition(Told()).apply({}, inputs, CLASSES, (3,), mode=Mode(train=True))
    np.testing.assert_array_equal(found, inputs + CLASSES)


def test_inner_condition_hands_the_condition_to_the_network():
    """A network whose class norms differ gives each class another image of one latent vector."""
    inner = ResNetGenerator((2, 2))
    net, latents = InnerCondition(inner), jnp.ones((3, 2))
    variables = jax.jit(lambda: net.init(jax.random.key(0), latents, jnp.eye(3), (4, 4, 1)))()
    params = jax.tree.map(lambda leaf: leaf + jax.random.normal(jax.random.key(1), leaf.shape), variables["params"])
    stats = variables["batch_stats"]
    of_net = {"params": params["net"], "batch_stats": stats["net"]}
    images, wanted = jax.jit(
        lambda: (
            net.apply({"params": params, "batch_stats": stats}, latents, jnp.eye(3), (4, 4, 1)),
            inner.apply(of_net, latents, (4, 4, 1), condition=jnp.eye(3)),
        )
    )()
    np.testing.assert_allclose(images, wanted, atol=1e-6)
    assert all(np.abs(images[i] - images[i - 1]).max() > 1e-3 for i in range(3))
