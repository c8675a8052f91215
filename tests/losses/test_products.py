"""Matrix products of all formulas keep the digits of float32 on accelerators, which round them otherwise."""

import jax
import jax.numpy as jnp
import pytest

from tests.losses import arguments as of_losses
from tests.metrics import arguments as of_metrics
from tests.programs import operations

ROWS = {**of_losses.ROWS, **of_metrics.ROWS}
NAMES = """contrastive_embedding frechet_distance kernel_distance moments nearest_neighbors orthogonal_penalty
    orthonormal_penalty pca_extractor polynomial_kernel pull_away sliced_wasserstein spectral_norm
    structured_joint_embedding"""


@pytest.mark.parametrize("name", NAMES.split())
def test_matrix_products_of_floats_are_of_the_highest_precision(name):
    program = jax.make_jaxpr(ROWS[name].function)(*map(jnp.asarray, ROWS[name].arrays()))
    products = [operation for operation in operations(program.jaxpr) if operation.primitive.name == "dot_general"]
    assert {operation.params["precision"] for operation in products} == {(jax.lax.Precision.HIGHEST,) * 2}
