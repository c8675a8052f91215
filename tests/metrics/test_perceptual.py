"""LPIPS: agreement with the lpips package on AlexNet of random weights, symmetry, zeros."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.metrics import lpips, lpips_inputs
from jaxgen.nets.convolution import conv
from tests.metrics import inputs
from tests.metrics.golden import stored
from tests.metrics.numbers import single


def alexnet(tensors, images):
    """Feature maps after each ReLU of torchvision's AlexNet."""
    maps, hidden = [], lpips_inputs(images)
    for name, stride, padding, pooled in (
        ("0", 4, 2, 0),
        ("3", 1, 2, 1),
        ("6", 1, 1, 1),
        ("8", 1, 1, 0),
        ("10", 1, 1, 0),
    ):
        if pooled:
            hidden = nn.max_pool(hidden, (3, 3), (2, 2))
        kernel = tensors[f"{name}.weight"].transpose(2, 3, 1, 0)
        hidden = conv(hidden, kernel, strides=stride, padding=((padding, padding), (padding, padding)))
        hidden = nn.relu(hidden + tensors[f"{name}.bias"][None, None, None])
        maps.append(hidden)
    return maps


def test_distance_agrees_with_the_lpips_package():
    tensors, channels = jax.tree.map(jnp.asarray, inputs.alexnet())
    images = single(inputs.pixels(4, 64, 64) / 127.5 - 1)
    value = jax.jit(lambda t, w, x, y: lpips(lambda i: alexnet(t, i), w, x, y))(
        tensors, channels, images[:2], images[2:]
    )
    np.testing.assert_allclose(value, stored("lpips"), rtol=1e-5)


def layers(images):
    return [images, jnp.tanh(images[:, ::2, ::2])]


def test_distance_is_zero_for_equal_images_symmetric_and_blind_to_the_length_of_features():
    x, y = single(inputs.pixels(2, 8, 8) / 255.0, inputs.pixels(2, 8, 8, seed=5) / 255.0)
    weights = [jnp.array([1.0, 2.0, 0.5]), jnp.ones(3)]
    np.testing.assert_array_equal(lpips(layers, weights, x, x), 0)
    value = lpips(layers, weights, x, y)
    assert (value > 0).all()
    np.testing.assert_allclose(lpips(layers, weights, y, x), value, rtol=1e-5)
    longer = lpips(lambda i: [3 * a for a in layers(i)], weights, x, y)
    np.testing.assert_allclose(longer, value, rtol=1e-5)


def test_black_features_are_far_from_nothing_but_finite():
    zeros, ones = jnp.zeros((1, 2, 2, 3)), jnp.ones((1, 2, 2, 3))
    np.testing.assert_allclose(lpips(lambda x: [x], [jnp.ones(3)], zeros, ones), 1, rtol=1e-6)
    np.testing.assert_array_equal(lpips(lambda x: [x], [jnp.ones(3)], zeros, zeros), 0)


def test_inputs_are_normalised_as_imagenet():
    # Mean (0.485, 0.456, 0.406) and deviation (0.229, 0.224, 0.225) of pixels in [0, 1].
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    images = inputs.pixels(1, 4, 4) / 255.0
    np.testing.assert_allclose(lpips_inputs(single(2 * images - 1)), (images - mean) / deviation, atol=1e-5)


def test_weights_that_do_not_fit_the_layers_are_refused():
    images = jnp.zeros((1, 4, 4, 3))
    with pytest.raises(ValueError, match=r"weights of shapes \[\(3,\)\] must be \[\(3,\), \(3,\)\]"):
        lpips(layers, [jnp.ones(3)], images, images)
    with pytest.raises(ValueError, match="must have 1 or 3 channels"):
        lpips_inputs(images[..., :2])
    with pytest.raises(ValueError, match="differ"):
        lpips(layers, [jnp.ones(3)] * 2, images, images[:, :2])
