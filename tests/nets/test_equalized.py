"""Layers with an equalised learning rate."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.convolution import conv, upsample_nearest
from jaxgen.nets.equalized import EqualizedConv, EqualizedDense
from tests.nets.parameters import count, zeros

IMAGES = jax.random.normal(jax.random.key(1), (8, 4, 4, 3))


def test_a_fresh_layer_keeps_the_variance_and_the_gain_multiplies_it():
    """With a gain of sqrt(2): variance 2 before the leaky ReLU, mean square 1.04 after it."""
    inputs = jax.random.normal(jax.random.key(0), (2_000, 512))
    outputs, _ = EqualizedDense(256, gain=math.sqrt(2)).init_with_output(jax.random.key(1), inputs)
    assert abs(outputs.var() - 2.0) < 0.1
    assert abs((nn.leaky_relu(outputs, 0.2) ** 2).mean() - 1.04) < 0.05


@pytest.mark.parametrize("multiplier", [1.0, 0.01])
def test_the_multiplier_of_the_learning_rate_is_of_weights_and_biases(multiplier):
    """It leaves a fresh layer's outputs as they are, and makes those of a step of one size so many times smaller."""
    dense, inputs = EqualizedDense(3, bias=0.5, lr_multiplier=multiplier), jnp.ones((1, 4))
    outputs, variables = dense.init_with_output(jax.random.key(0), inputs)
    expected, _ = EqualizedDense(3, bias=0.5).init_with_output(jax.random.key(0), inputs)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5)
    for name, moved in (("bias", multiplier), ("kernel", multiplier * 4 / 2)):
        params = dict(variables["params"])
        params[name] = params[name] + 1.0
        np.testing.assert_allclose(dense.apply({"params": params}, inputs) - outputs, np.full((1, 3), moved), rtol=1e-3)


def test_a_convolution_divides_by_the_root_of_all_its_inputs():
    layer = EqualizedConv(5, gain=1.5)
    outputs, variables = layer.init_with_output(jax.random.key(0), IMAGES)
    kernel = variables["params"]["kernel"] * (1.5 / math.sqrt(27))
    np.testing.assert_allclose(outputs, conv(IMAGES, kernel), atol=1e-5)
    larger = EqualizedConv(5, gain=1.5, upsample=True).apply(variables, IMAGES)
    np.testing.assert_allclose(larger, conv(upsample_nearest(IMAGES), kernel), atol=1e-5)
    with pytest.raises(ValueError, match="with upsample"):
        EqualizedConv(5, strides=2, upsample=True).init(jax.random.key(0), IMAGES)


def test_a_layer_without_bias_has_none():
    assert count(EqualizedDense(3, use_bias=False), zeros(4)) == 12
    assert count(EqualizedConv(3, use_bias=False), zeros(4, 4, 2)) == 54
