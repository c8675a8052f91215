import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.classifier import ConvClassifier
from jaxgen.nets.conv import ConvCritic

SHAPES = [(8, 8, 1), (9, 5, 2), (28, 28, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_features_and_logits_have_their_shapes_for_images_of_any_size(shape):
    net = ConvClassifier(2, width=5)
    outputs, _ = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), jnp.zeros((3, *shape)), (4,)))
    assert {name: array.shape for name, array in outputs.items()} == {"features": (3, 5), "logits": (3, 4)}
    assert all(array.dtype == jnp.float32 for array in outputs.values())


def test_logits_are_linear_in_the_features_which_are_a_rectified_critic():
    images = jax.random.normal(jax.random.key(1), (3, 8, 8, 1))
    net = ConvClassifier(2, width=6)
    outputs, variables = jax.jit(lambda key, images: net.init_with_output(key, images, (4,)))(jax.random.key(0), images)
    params = variables["params"]
    body = jax.jit(lambda params, images: ConvCritic(2).apply({"params": params}, images, (6,)))
    hidden = body(params["ConvCritic_0"], images)
    np.testing.assert_allclose(outputs["features"], nn.relu(hidden), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(outputs["logits"], nn.relu(hidden) @ params["Dense_0"]["kernel"], rtol=1e-5, atol=1e-6)
    assert (outputs["features"] == 0).any() and (outputs["features"] > 0).any()


@pytest.mark.parametrize(("width", "classes"), [(0, 4), (6, 1)])
def test_a_width_or_a_number_of_classes_that_tells_nothing_is_refused(width, classes):
    with pytest.raises(ValueError, match=r"but must be (\(classes,\), )?at least"):
        ConvClassifier(2, width=width).init(jax.random.key(0), jnp.zeros((1, 8, 8, 1)), (classes,))
