"""Virtual batch normalisation: golden values, independence of the batch, and plain statistics of the reference."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.virtual_batch_norm import VirtualBatchNorm, with_reference, without_reference

ROWS = jax.random.normal(jax.random.key(0), (9, 5)) * 3.0 + 100.0
MAPS = jax.random.normal(jax.random.key(1), (6, 4, 3, 2)) * 2.0 - 1.0


def normalized(inputs, num):
    layer = VirtualBatchNorm(num)
    return layer.apply(layer.init(jax.random.key(2), inputs), inputs)


def test_golden_value():
    """Reference 1, 2, 4 and x = 7: the statistics are those of all four."""
    found = normalized(jnp.array([[1.0], [2.0], [4.0], [7.0]]), 3)
    assert float(found[3, 0]) == pytest.approx(1.5275237769, abs=1e-5)
    assert float(found[:3].mean()) == pytest.approx(0.0, abs=1e-6) and float(found[:3].std()) == pytest.approx(
        1.0, abs=1e-5
    )


def test_moments_are_mixed_and_not_variances():
    found, values = normalized(MAPS, 4), np.asarray(MAPS, np.float64)
    reference, example = values[:4], values[5]
    m = [(reference**power).mean(axis=(0, 1, 2)) for power in (1, 2)]
    mu = [(example**power).mean(axis=(0, 1)) for power in (1, 2)]
    first, second = (own / 5 + 4 / 5 * of_reference for own, of_reference in zip(mu, m, strict=True))
    np.testing.assert_allclose(found[5], (example - first) / np.sqrt(second - first**2 + 1e-5), rtol=1e-4, atol=1e-5)


def test_an_example_does_not_depend_on_its_batch():
    found = normalized(ROWS, 4)
    alone = normalized(jnp.concatenate([ROWS[:4], ROWS[7:8]]), 4)
    np.testing.assert_allclose(found[7], alone[4], rtol=1e-5)


def test_an_example_of_the_reference_has_other_outputs_behind_it():
    found = normalized(jnp.concatenate([ROWS[:4], ROWS[:1]]), 4)
    assert float(np.abs(found[4] - found[0]).max()) > 0.01


class Net(nn.Module):
    @nn.compact
    def __call__(self, inputs):
        hidden = VirtualBatchNorm(3)(nn.Dense(4)(with_reference(self, inputs, 3)))
        return without_reference(hidden, 3)


def test_reference_inputs_are_drawn_once_and_stay():
    rows = jax.random.normal(jax.random.key(3), (5, 2))
    variables = Net().init(jax.random.key(4), rows)
    kept = variables["reference"]["inputs"]
    assert kept.shape == (3, 2) and (np.abs(kept) <= 1).all() and (kept.min() < 0) and kept.std() > 0.1
    outputs, after = Net().apply(variables, rows, mutable=["reference"])
    assert outputs.shape == (5, 4)
    np.testing.assert_array_equal(after["reference"]["inputs"], kept)
    np.testing.assert_allclose(Net().apply(variables, rows[2:3]), outputs[2:3], rtol=1e-4, atol=1e-5)


def test_no_reference_is_refused():
    with pytest.raises(ValueError, match="num_reference is 0, but must be at least 1"):
        jax.eval_shape(lambda: with_reference(nn.Module(), ROWS, 0))
