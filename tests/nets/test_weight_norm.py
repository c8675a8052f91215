"""Weight normalisation: lengths of weights, and layers as plain ones with such weights."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.convolution import conv, conv_transpose
from jaxgen.nets.weight_norm import WeightNormConv, WeightNormDense

ROWS = jax.random.normal(jax.random.key(0), (5, 7))
IMAGES = jax.random.normal(jax.random.key(1), (2, 8, 6, 3))


def normalized(kernel, gain):
    kernel = np.asarray(kernel, np.float64)
    return gain * kernel / np.sqrt((kernel**2).sum(axis=tuple(range(kernel.ndim - 1))))


@pytest.mark.parametrize("learned", [False, True])
def test_a_dense_layer_has_weights_of_the_length_of_its_gain(learned):
    layer = WeightNormDense(4, gain=1.5, learned=learned)
    params = layer.init(jax.random.key(2), ROWS)["params"]
    assert params.keys() == {"kernel", "bias", *(["scale"] if learned else [])}
    params["bias"] = jnp.arange(4.0)
    gain = 1.5
    if learned:
        np.testing.assert_array_equal(params["scale"], np.full(4, 1.5))
        params["scale"] = jnp.array([1.0, 2.0, 0.5, 3.0])
        gain = np.array([1.0, 2.0, 0.5, 3.0])
    wanted = np.asarray(ROWS) @ normalized(params["kernel"], gain) + np.arange(4.0)
    np.testing.assert_allclose(layer.apply({"params": params}, ROWS), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("learned", [False, True])
def test_a_convolution_is_one_with_weights_of_the_length_of_its_gain(transposed, learned):
    layer = WeightNormConv(4, kernel_size=3, strides=2, learned=learned, transposed=transposed)
    variables = layer.init(jax.random.key(2), IMAGES)
    kernel = jnp.asarray(normalized(variables["params"]["kernel"], math.sqrt(2)), jnp.float32)
    wanted = (conv_transpose if transposed else conv)(IMAGES, kernel, strides=2)
    found = layer.apply(variables, IMAGES)
    assert found.shape == ((2, 16, 12, 4) if transposed else (2, 4, 3, 4))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_the_length_of_the_stored_weights_does_not_matter():
    """So their gradient is orthogonal to them."""
    layer = WeightNormDense(4)
    variables = layer.init(jax.random.key(2), ROWS)
    larger = jax.tree.map(lambda leaf: 3.0 * leaf, variables)
    np.testing.assert_allclose(layer.apply(larger, ROWS), layer.apply(variables, ROWS), rtol=1e-5)
    slope = jax.grad(lambda variables: (layer.apply(variables, ROWS) ** 3).sum())(variables)["params"]["kernel"]
    along = (slope * variables["params"]["kernel"]).sum(axis=0)
    np.testing.assert_allclose(along, np.zeros(4), atol=1e-3)


def test_a_relu_behind_a_layer_keeps_the_mean_square():
    hidden = jax.random.normal(jax.random.key(3), (400, 300))
    layer = WeightNormDense(500)
    found = jax.nn.relu(layer.apply(layer.init(jax.random.key(4), hidden), hidden))
    assert float((found**2).mean()) == pytest.approx(1.0, abs=0.05)
