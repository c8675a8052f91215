"""The discriminator's side of StyleGAN 2 and 3; its losses are held to their formulas in the tests of the models."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import augmented_game as game
from jaxgen.gans.ada import Adaptive
from jaxgen.gans.fading_blur import FadingBlur
from jaxgen.gans.regularization import Slope
from tests.gans.games import compiled, training
from tests.gans.test_stylegan3 import FAKE, PLAIN, REAL

BLURRED = dataclasses.replace(PLAIN, blur=FadingBlur(1.0, end=4))


def test_the_blur_is_of_training_alone_and_fades_with_its_steps():
    player = game.create_discriminator(BLURRED, jax.random.key(0))
    clean = game.score(BLURRED, player.variables, (REAL, ()))[0]
    np.testing.assert_array_equal(clean, game.score(PLAIN, player.variables, (REAL, ()))[0])
    for step, same in ((0, False), (4, True)):
        scores = game.score(BLURRED, player.variables, (REAL, ()), training(jax.random.key(1), 8, step))[0]
        assert np.allclose(scores, clean, atol=1e-6) == same


def test_without_a_weight_the_penalty_is_no_step_and_no_metric():
    mode, examples = training(jax.random.key(1), 8), (REAL, FAKE, ())
    player = game.create_discriminator(PLAIN, jax.random.key(0))
    for weight in (0.0, 1.0):
        config = dataclasses.replace(PLAIN, r1=Slope(weight, every=2))
        after, metrics = compiled(game.discriminator_steps, config)(player, examples, mode)
        assert ("r1" in metrics) == (weight > 0) and after.step == 1


def test_an_augmentation_follows_the_sign_of_real_scores():
    config = dataclasses.replace(PLAIN, augmentation=Adaptive(initial=0.5, every=1, speed_images=80.0))
    player = game.create_discriminator(config, jax.random.key(0))
    for sign, wanted in ((1.0, 0.6), (0.0, 0.4)):
        after = game.follow_scores(config, player, jnp.float32(sign), 8, training(jax.random.key(1), 8))
        assert float(after.collections[game.AUGMENTATION]["state"].p) == pytest.approx(wanted, abs=1e-6)
        assert after.params is player.params
