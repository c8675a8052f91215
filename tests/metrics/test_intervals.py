"""Bootstrap: the deviation of a mean, examples drawn together, percentiles as NumPy has them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.metrics import bootstrap, percentile_interval
from tests.metrics import inputs
from tests.metrics.numbers import single

VALUES = single(inputs.features(200)[:, 0])
jitted = jax.jit(functools.partial(bootstrap, jnp.mean, num=2000))


def test_means_deviate_by_the_deviation_over_the_root_of_the_number(key):
    found = jitted(VALUES, key)
    assert found.shape == (2000,)
    expected = VALUES.std() / 200**0.5
    np.testing.assert_allclose(found.std(), expected, rtol=0.06)  # of a deviation from 2000 draws: 1.6 %
    assert abs(found.mean() - VALUES.mean()) < 4 * expected / 2000**0.5


def test_interval_of_means_is_that_of_a_gaussian(key):
    low, high = percentile_interval(jitted(VALUES, key), level=0.95)
    error = float(VALUES.std()) / 200**0.5
    np.testing.assert_allclose([low, high], float(VALUES.mean()) + 1.96 * error * np.array([-1, 1]), atol=0.25 * error)


def test_arrays_of_one_tree_are_drawn_together(key):
    pair = {"x": VALUES, "y": 2 * VALUES}
    found = bootstrap(lambda drawn: jnp.abs(drawn["y"] - 2 * drawn["x"]).max(), pair, key, num=5)
    np.testing.assert_array_equal(found, 0)
    assert len(np.unique(jitted(VALUES, key)[:50])) == 50


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_percentiles_are_those_of_numpy(level):
    tail = 50 * (1 - level)
    expected = np.percentile(np.asarray(VALUES), [tail, 100 - tail])
    np.testing.assert_allclose(percentile_interval(VALUES, level=level), expected, rtol=1e-5)


def test_settings_out_of_range_are_refused(key):
    with pytest.raises(ValueError, match=r"level is 95\.0, but must be between 0 and 1"):
        percentile_interval(VALUES, level=95.0)
    with pytest.raises(ValueError, match=r"numbers of examples is \[2, 3\], but must be one"):
        bootstrap(jnp.mean, (jnp.zeros(2), jnp.zeros(3)), key)
    with pytest.raises(ValueError, match="num is 0"):
        bootstrap(jnp.mean, VALUES, key, num=0)
