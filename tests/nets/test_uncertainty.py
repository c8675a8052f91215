import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.nets.uncertainty import LevelUncertainty
from jaxgen.nets.unet.embeddings import PhasedFourier


def test_the_uncertainty_is_the_product_of_the_features_with_a_direction():
    net, inputs = LevelUncertainty(6), jnp.array([-1.2, 0.0, 0.4])
    variables = net.init(jax.random.key(0), inputs)
    kernel = np.asarray(variables["params"]["outputs"]["kernel"][:, 0], np.float64)
    wanted = np.asarray(PhasedFourier()(inputs, 6), np.float64) @ (kernel / np.linalg.norm(kernel))
    np.testing.assert_allclose(net.apply(variables, inputs), wanted, rtol=1e-3, atol=1e-5)  # the layer's epsilon
    assert net.apply(variables, inputs, (1, 1)).shape == (3, 1, 1)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == 6
