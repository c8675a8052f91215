import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.dropout import dropout, gaussian_noise

HIDDEN = jnp.arange(1.0, 4_001.0).reshape(4, 1_000)
TRAINING = Mode(jax.random.split(jax.random.key(0), 4), train=True)


def test_values_are_dropped_or_scaled_so_that_their_mean_stays():
    found = np.asarray(dropout(HIDDEN, 0.2, TRAINING, 0))
    kept = found != 0
    np.testing.assert_allclose(found[kept], np.asarray(HIDDEN)[kept] / 0.8, rtol=1e-6)
    assert kept.mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.2 * 0.8 / 4_000))


def test_masks_are_a_function_of_the_examples_key_and_the_layer():
    found = dropout(HIDDEN, 0.5, TRAINING, 0)
    one = TRAINING.with_keys(TRAINING.keys[1:2])
    np.testing.assert_array_equal(dropout(HIDDEN[1:2], 0.5, one, 0), found[1:2])
    assert ((found[0] > 0) != (found[1] > 0)).any()
    assert ((found > 0) != (dropout(HIDDEN, 0.5, TRAINING, 1) > 0)).any()


def test_nothing_is_dropped_out_of_training_or_at_a_rate_of_0():
    assert dropout(HIDDEN, 0.5, EVALUATION, 0) is HIDDEN
    assert dropout(HIDDEN, 0.5, Mode(TRAINING.keys), 0) is HIDDEN
    assert dropout(HIDDEN, 0.0, Mode(train=True), 0) is HIDDEN


def test_training_without_keys_is_refused():
    with pytest.raises(ValueError, match=r"dropout draws random numbers in training, but .* has no keys: give mode="):
        dropout(HIDDEN, 0.5, Mode(train=True), 0)


def test_rates_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"rate is 1.0, but must be in \[0, 1\)"):
        dropout(HIDDEN, 1.0, TRAINING, 0)


def test_noise_has_its_deviation_and_belongs_to_the_examples_and_the_layer():
    found = gaussian_noise(HIDDEN, 0.5, TRAINING, 0)
    added = np.asarray(found, np.float64) - np.asarray(HIDDEN)
    assert added.std() == pytest.approx(0.5, rel=0.05) and added.mean() == pytest.approx(0.0, abs=4 * 0.5 / 4_000**0.5)
    one = TRAINING.with_keys(TRAINING.keys[1:2])
    np.testing.assert_array_equal(gaussian_noise(HIDDEN[1:2], 0.5, one, 0), found[1:2])
    assert (gaussian_noise(HIDDEN, 0.5, TRAINING, 1) != found).any()


def test_there_is_no_noise_out_of_training_or_without_a_deviation():
    assert gaussian_noise(HIDDEN, 0.5, EVALUATION, 0) is HIDDEN
    assert gaussian_noise(HIDDEN, 0.0, Mode(train=True), 0) is HIDDEN
    with pytest.raises(ValueError, match="Gaussian noise draws random numbers in training"):
        gaussian_noise(HIDDEN, 0.5, Mode(train=True), 0)
    with pytest.raises(ValueError, match=r"deviation is -0\.1, but must be at least 0"):
        gaussian_noise(HIDDEN, -0.1, TRAINING, 0)
