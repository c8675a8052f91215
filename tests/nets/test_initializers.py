import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.initializers import (
    GlorotUniform,
    HeNormal,
    LeCunNormal,
    Normal,
    Orthogonal,
    TruncatedNormal,
    Uniform,
    to_flax,
)

SHAPE = (300, 100)


@pytest.mark.parametrize(
    ("initializer", "deviation", "largest"),
    [
        (LeCunNormal(), 300**-0.5, 2.3 * 300**-0.5),
        (HeNormal(), (2 / 300) ** 0.5, 6 * (2 / 300) ** 0.5),
        (GlorotUniform(), (2 / 400) ** 0.5, (6 / 400) ** 0.5),
        (Normal(0.02), 0.02, 0.2),
        (TruncatedNormal(0.02), 0.8796 * 0.02, 0.04),
        (Uniform(0.05), 0.05 / 3**0.5, 0.05),
        (Orthogonal(0.8), 0.8 * 300**-0.5, 0.8),
    ],
)
def test_weights_have_the_deviation_and_bounds_that_are_said(initializer, deviation, largest):
    weights = np.asarray(to_flax(initializer)(jax.random.key(0), SHAPE, jnp.float32))
    assert weights.std() == pytest.approx(deviation, rel=0.03)
    assert abs(weights.mean()) < 5 * deviation / np.sqrt(weights.size)
    assert np.abs(weights).max() <= largest


def test_orthogonal_columns_have_the_length_of_the_gain():
    weights = to_flax(Orthogonal(0.8))(jax.random.key(0), SHAPE, jnp.float32)
    np.testing.assert_allclose(weights.T @ weights, 0.64 * np.eye(100), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "setting"), [(Normal, "std"), (TruncatedNormal, "std"), (Uniform, "limit"), (Orthogonal, "gain")]
)
def test_settings_out_of_range_are_refused(kind, setting):
    with pytest.raises(ValueError, match=f"{setting} is 0.0, but must be above 0"):
        kind(0.0)
