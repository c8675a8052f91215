import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.image_shapes import dense_outputs, halved, image_shape, quarter


@pytest.mark.parametrize("shape", [(784,), (28, 28), ()])
def test_data_that_are_no_images_are_refused(shape):
    for function in (image_shape, quarter):
        with pytest.raises(ValueError, match=r"but must be \(height, width, channels\)"):
            function(shape)


@pytest.mark.parametrize("shape", [(30, 28, 1), (28, 30, 1)])
def test_sides_must_divide_by_4(shape):
    with pytest.raises(ValueError, match="a multiple of 4x4"):
        quarter(shape)
    assert quarter((28, 32, 3)) == (7, 8, 3)


def test_both_sides_must_halve_as_often_as_is_asked():
    assert halved((28, 44, 3), 0) == (28, 44, 3)
    assert halved((28, 44, 3), 2) == (7, 11, 3)
    for shape in ((28, 32, 3), (32, 28, 3)):
        with pytest.raises(
            ValueError, match=r"image shape is \(\d+, \d+, 3\), but must be of sides that halve 3 times"
        ):
            halved(shape, 3)


def test_dense_outputs_are_of_everything_flattened():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, hidden):
            return dense_outputs(hidden, (2, 2), nn.initializers.constant(0.5))

    hidden = jax.random.normal(jax.random.key(0), (3, 2, 5))
    outputs, variables = jax.jit(lambda: Net().init_with_output(jax.random.key(1), hidden))()
    kernel = variables["params"]["Dense_0"]["kernel"]
    np.testing.assert_array_equal(kernel, jnp.full((10, 4), 0.5))
    np.testing.assert_allclose(outputs, (hidden.reshape(3, 10) @ kernel).reshape(3, 2, 2), atol=1e-5)
    assert jnp.ndim(outputs) == 3
