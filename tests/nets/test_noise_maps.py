"""Noise inputs: each example's own in training, fixed out of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.noise_maps import noise_map, scaled_strengths

KEYS = jax.random.split(jax.random.key(0), 64)
TRAINING = Mode(KEYS, train=True)


def test_each_example_and_layer_has_a_map_of_its_own_key():
    maps = noise_map((8, 6), 64, 0, TRAINING)
    assert maps.shape == (64, 8, 6, 1)
    assert abs(float(maps.mean())) < 0.05 and float(maps.std()) == pytest.approx(1.0, rel=0.05)
    np.testing.assert_array_equal(noise_map((8, 6), 2, 0, TRAINING.with_keys(KEYS[5:7])), maps[5:7])
    other = noise_map((8, 6), 64, 1, TRAINING)
    assert abs(float((maps * other).mean())) < 0.05  # independent


def test_out_of_training_maps_are_fixed_without_keys_and_drawn_with_them():
    fixed = noise_map((4, 4), 3, 2, EVALUATION)
    assert fixed.shape == (1, 4, 4, 1)
    np.testing.assert_array_equal(fixed, noise_map((4, 4), 5, 2, EVALUATION))
    assert np.abs(fixed - noise_map((4, 4), 3, 3, EVALUATION)).max() > 0.1
    np.testing.assert_array_equal(noise_map((4, 4), 64, 2, Mode(KEYS)), noise_map((4, 4), 64, 2, TRAINING))
    with pytest.raises(ValueError, match="a noise input draws random numbers in training, but this pass has no keys"):
        noise_map((4, 4), 3, 0, Mode(train=True))


def test_strengths_are_scaled_wherever_they_stand_and_nothing_else():
    params = {
        "synthesis": {"layer": {"noise_strength": jnp.ones(2), "kernel": jnp.ones(3)}},
        "noise_strength": jnp.float32(2.0),
    }
    found = scaled_strengths(params, 0.5)
    np.testing.assert_array_equal(found["synthesis"]["layer"]["noise_strength"], [0.5, 0.5])
    np.testing.assert_array_equal(found["synthesis"]["layer"]["kernel"], [1.0, 1.0, 1.0])
    assert found["noise_strength"] == 1.0
