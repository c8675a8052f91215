"""The FID Inception: agreement with torch-fidelity's network on the same random weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.evaluation import inception
from jaxgen.metrics import inception_inputs
from jaxgen.nets.inception import InceptionV3
from tests.metrics import inputs
from tests.metrics.golden import signs, stored


@pytest.fixture(scope="module")
def features():
    """Of two images, from weights as PyTorch has them."""
    variables = inception.from_state_dict(inputs.weights(inputs.torch_shapes()))
    images = inception_inputs(jnp.array(inputs.pixels()))
    return jax.tree.map(np.asarray, jax.jit(InceptionV3().apply)(variables, images))


@pytest.mark.exhaustive
def test_features_of_every_depth_agree_with_torch_fidelity(features):
    golden = stored("inception")
    assert features.keys() == golden["first"].keys()
    for layer, array in features.items():
        scale = np.abs(array).max()
        np.testing.assert_allclose(array[:, :8], golden["first"][layer], atol=1e-5 * scale, err_msg=layer)
        np.testing.assert_allclose(np.linalg.norm(array, axis=1), golden["norm"][layer], rtol=1e-5, err_msg=layer)
        # Roundings of all channels add up as a random walk.
        tolerance = 1e-5 * np.linalg.norm(array, axis=1).max()
        signed = array.astype(np.float64) @ signs(array.shape[1])
        np.testing.assert_allclose(signed, golden["signed"][layer], atol=tolerance, err_msg=layer)


def test_network_has_the_parameters_of_the_published_one():
    sizes = {name: int(np.prod(shape)) for name, shape in inception.shapes().items()}
    assert sum(size for name, size in sizes.items() if name.startswith("params")) == 23_850_960
    assert sum(sizes.values()) == 23_885_392
    assert len(sizes) == stored("inception")["num_tensors"] == 472


@pytest.mark.parametrize("shape", [(1, 298, 299, 3), (1, 299, 299, 1)])
def test_images_of_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"shape of images is .*: use jaxgen.metrics.inception_inputs"):
        jax.eval_shape(InceptionV3().init, jax.random.key(0), jax.ShapeDtypeStruct(shape, jnp.float32))
