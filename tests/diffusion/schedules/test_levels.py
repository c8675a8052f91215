import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.schedules.levels import CLEAN, Level, library, preserving, ratio, sigmoid, snr


def test_the_ratio_of_signal_and_noise_is_squared_in_the_snr_alone():
    level = Level(np.array([1.0, 0.6]), np.array([4.0, 0.8]))
    np.testing.assert_allclose(snr(level), [1 / 16, 9 / 16])
    np.testing.assert_allclose(ratio(level), [4.0, 4 / 3])


def test_clean_data_have_no_noise():
    assert CLEAN == (1.0, 0.0) and ratio(CLEAN) == 0.0


@pytest.mark.parametrize("log_snr", [-80.0, -3.0, 0.0, 3.0, 80.0])
def test_a_preserving_level_has_squares_that_sum_to_one_and_the_log_snr(log_snr):
    level = preserving(np.float64(log_snr))
    assert level.alpha**2 + level.sigma**2 == pytest.approx(1.0, abs=1e-15)
    assert 2 * (np.log(level.alpha) - np.log(level.sigma)) == pytest.approx(log_snr, abs=1e-12)
    single = preserving(jnp.float32(log_snr))
    np.testing.assert_allclose(single, level, rtol=1e-6)
    assert {part.dtype for part in single} == {jnp.dtype(jnp.float32)}


def test_the_sigmoid_is_that_of_jax_at_both_ends_too():
    values = np.array([-700.0, -30.0, -1.0, 0.0, 2.0, 700.0, -np.inf, np.inf])
    with jax.enable_x64(True):
        wanted = np.asarray(jax.nn.sigmoid(jnp.asarray(values)))
        assert sigmoid(jnp.asarray(values)).dtype == np.float64
    np.testing.assert_allclose(sigmoid(values), wanted, rtol=1e-12)
    assert sigmoid(np.float32(1)).dtype == np.float64


def test_numpy_stays_numpy():
    assert library(np.ones(2)) is np and library(1.0) is np and library(jnp.ones(2)) is jnp
