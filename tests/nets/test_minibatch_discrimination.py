"""The layer of minibatch discrimination; the formula is that of the losses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.losses.features import minibatch_discrimination
from jaxgen.nets.minibatch_discrimination import MinibatchDiscrimination

FEATURES = jax.random.normal(jax.random.key(0), (8, 6))
LAYER = MinibatchDiscrimination(kernels=3, dims=2)


@pytest.fixture(scope="module")
def variables():
    return LAYER.init(jax.random.key(1), FEATURES)


def test_features_are_followed_by_the_closeness_of_each_example_to_the_others(variables):
    found, params = LAYER.apply(variables, FEATURES), variables["params"]
    np.testing.assert_array_equal(found[:, :6], FEATURES)
    weights = np.asarray(params["kernel"]) / np.sqrt((np.asarray(params["kernel"]) ** 2).sum(axis=0) + 1e-6)
    matrices = np.einsum("nd,dkc->nkc", np.asarray(FEATURES), weights * np.exp(np.asarray(params["log_scale"])))
    wanted = minibatch_discrimination(jnp.asarray(matrices, jnp.float32)) - 1.0
    np.testing.assert_allclose(found[:, 6:], wanted, atol=1e-5)


def test_golden_values_of_one_kernel(variables):
    """Rows that the layer maps to (0, 0), (1, 0), (0, 2); less the bias that it begins with, 1."""
    layer, rows = MinibatchDiscrimination(1, 2), jnp.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    params = layer.init(jax.random.key(1), rows)["params"] | {"kernel": jnp.eye(2)[:, None]}
    found = layer.apply({"params": params}, rows)[:, 2]
    np.testing.assert_allclose(found, np.array([0.50321472, 0.41766651, 0.18512235]) - 1.0, atol=1e-5)


def test_equal_examples_are_as_close_as_there_are_others(variables):
    equal = jnp.broadcast_to(FEATURES[:1], FEATURES.shape)
    np.testing.assert_allclose(LAYER.apply(variables, equal)[:, 6:], np.full((8, 3), 7.0 - 1.0), rtol=1e-5)


def test_the_authors_layer_has_96600_parameters():
    shapes = jax.eval_shape(MinibatchDiscrimination().init, jax.random.key(0), jnp.ones((2, 192)))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 96_600


def test_a_shared_batch_is_compared_as_a_whole(variables):
    apply = jax.vmap(lambda rows: LAYER.apply(variables, rows, "devices"), axis_name="devices")
    found = apply(FEATURES.reshape(4, 2, 6)).reshape(8, 9)
    np.testing.assert_allclose(found, LAYER.apply(variables, FEATURES), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("setting", ["kernels", "dims"])
def test_sizes_below_one_are_refused(setting):
    with pytest.raises(ValueError, match=f"{setting} is 0, but must be at least 1"):
        LAYER.clone(**{setting: 0}).init(jax.random.key(0), FEATURES)
