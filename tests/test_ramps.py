import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.ramps import CosineRamp, Jump


@pytest.mark.parametrize(
    ("step", "share"),
    [(-1, 0.0), (0, 0.0), (1, 0.25), (2, 0.75), (3, 1.0), (300, 1.0)],  # (1 - cos(pi t / 3)) / 2
)
@pytest.mark.parametrize(("first", "last"), [(0.9, 0.99), (2.0, 0.2), (0.0, 5.0), (3.0, 3.0)])
def test_a_ramp_goes_from_its_first_to_its_last_value_on_half_a_cosine(first, last, step, share):
    value = CosineRamp(first, last, 3).at(jnp.int32(step))
    np.testing.assert_allclose(value, first + share * (last - first), rtol=1e-6)
    assert value.shape == () and value.dtype == jnp.float32


def test_the_formula_is_that_of_the_authors_code():
    """base + (1 - (1 + cos(pi n / N)) / 2) (final - base) for n < N."""
    n = np.arange(20)
    wanted = np.where(n < 17, 0.05 + (1 - 0.5 * (1 + np.cos(np.pi * n / 17))) * (0.005 - 0.05), 0.005)
    found = [CosineRamp(0.05, 0.005, 17).at(jnp.int32(step)) for step in n]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((float("nan"), 1.0, 1), "first is nan, but must be finite"),
        ((1.0, float("inf"), 1), "last is inf, but must be finite"),
        ((1.0, 1.0, 0), "end is 0, but must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        CosineRamp(*settings)


def test_a_jump_has_its_last_value_from_its_end_on():
    found = [Jump(0.01, 0.5, 3).at(jnp.int32(step)) for step in range(5)]
    np.testing.assert_allclose(found, [0.01] * 3 + [0.5] * 2)
    assert found[0].dtype == jnp.float32 and Jump(0.01, 0.5, 0).at(jnp.int32(0)) == 0.5
    with pytest.raises(ValueError, match="end is -1, but must be at least 0"):
        Jump(0.0, 1.0, -1)
    with pytest.raises(ValueError, match="last is inf, but must be finite"):
        Jump(0.0, float("inf"), 1)
