import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.conditioning import AsChannel, Beside
from jaxgen.nets.conv_autoencoder import ConvEncoder
from jaxgen.nets.mlp import MLP

IMAGES = jax.random.normal(jax.random.key(1), (5, 4, 4, 1))
CLASSES = jax.nn.one_hot(jnp.arange(5) % 3, 3)


def test_beside_appends_the_condition_to_the_flattened_input():
    net = Beside(MLP(()))
    outputs, variables = net.init_with_output(jax.random.key(0), IMAGES, CLASSES, (2,))
    kernel = variables["params"]["net"]["Dense_0"]["kernel"]
    joined = np.concatenate([np.asarray(IMAGES).reshape(5, 16), CLASSES], axis=1)
    np.testing.assert_allclose(outputs, joined @ kernel, atol=1e-5)


def test_as_channel_adds_a_map_that_a_dense_layer_makes_of_the_condition():
    net, inner = AsChannel(ConvEncoder((2,))), ConvEncoder((2,))
    outputs, variables = net.init_with_output(jax.random.key(0), IMAGES, CLASSES, (2,))
    params = variables["params"]
    channel = (CLASSES @ params["Dense_0"]["kernel"]).reshape(5, 4, 4, 1)
    wanted = inner.apply({"params": params["net"]}, jnp.concatenate([IMAGES, channel], axis=-1), (2,))
    np.testing.assert_allclose(outputs, wanted, atol=1e-5)


def test_as_channel_refuses_what_is_no_image():
    with pytest.raises(ValueError, match=r"inputs have shape \(5, 16\), but must be images: use Beside"):
        AsChannel(MLP(())).init(jax.random.key(0), IMAGES.reshape(5, 16), CLASSES, (2,))
