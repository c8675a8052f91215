"""Losses of the game against numbers by hand, and what an autoencoder's loss gets of it."""

import dataclasses
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import kl_autoencoder
from jaxgen.autoencoders.adaptive_weight import Adversarial
from jaxgen.autoencoders.patch_game import (
    Decoded,
    discriminator_loss,
    error_of,
    fresh_game,
    game_term,
    generator_loss,
)
from jaxgen.mode import Mode
from jaxgen.nets.mlp import MLP

CONFIG = kl_autoencoder.Config((2, 1, 1), discriminator=MLP(()), adversarial=Adversarial(weight=0.25, begin=3))
D = {"params": {"Dense_0": {"kernel": jnp.array([[1.0], [-2.0]]), "bias": jnp.array([0.5])}}}
STATE = SimpleNamespace(discriminator=SimpleNamespace(variables=D), features=None)
REAL = jnp.array([[1.0, 0.0], [0.0, 0.5]]).reshape(2, 2, 1, 1)  # scores 1.5 and -.5
FAKE = jnp.array([[0.0, 1.0], [1.0, 0.5]]).reshape(2, 2, 1, 1)  # scores -1.5 and .5
AFTER, BEFORE = (Mode(step=jnp.int32(step)) for step in (3, 2))


def test_the_losses_are_those_of_the_hinge():
    """Real scores within the margin 1 by 0 and 1.5, fake ones by 0 and 1.5: (.75 + .75) / 2; and -(-1.5 + .5) / 2."""
    loss, (metrics, _) = discriminator_loss(CONFIG, D, REAL, FAKE, AFTER)
    assert loss == pytest.approx(0.75)
    assert metrics["real_score"] == pytest.approx(0.5) and metrics["fake_score"] == pytest.approx(-0.5)
    assert generator_loss(CONFIG.discriminator, D, FAKE, AFTER) == pytest.approx(0.5)
    assert discriminator_loss(CONFIG, D, REAL, FAKE, BEFORE)[0] == 0


def decoded():
    """x^ = w times an image, by hand: dL/dw is the sum of dL/dx^ and that image."""
    variables = {"params": {"decoder": {"outputs": {"kernel": jnp.float32(2.0)}}}}

    def again(variables):
        return variables["params"]["decoder"]["outputs"]["kernel"] * FAKE / 2.0

    return Decoded(again(variables), variables, again)


def test_the_term_is_the_weighted_score_of_the_images_once_it_has_begun():
    """With L_rec = 3 mean x^: slopes 3 mean(x/2) = .9375 and -mean(D's slope by x/2) = -(.25 - .75) = .5."""
    term, metrics = game_term(CONFIG, STATE, decoded(), lambda images: 3.0 * images.mean(), AFTER)
    np.testing.assert_allclose(metrics["adaptive_weight"], 0.9375 / (0.5 + 1e-4), rtol=1e-5)
    np.testing.assert_allclose(term, 0.25 * metrics["adaptive_weight"] * 0.5, rtol=1e-5)
    early, _ = game_term(CONFIG, STATE, decoded(), lambda images: 3.0 * images.mean(), BEFORE)
    assert early == 0


def test_without_a_discriminator_there_is_no_term():
    config = dataclasses.replace(CONFIG, discriminator=None)
    assert game_term(config, STATE, decoded(), jnp.mean, Mode()) == (0.0, {})
    assert fresh_game(config, {}, jax.random.key(0), jax.random.key(1)) == (None, None)
    with pytest.raises(ValueError, match="the decoder has no layer called 'outputs'"):
        fresh_game(CONFIG, {}, jax.random.key(0), jax.random.key(1))


def test_without_features_the_error_is_that_of_the_pixels():
    """The error of features stands in the tests of the models."""
    np.testing.assert_allclose(error_of(CONFIG, STATE, FAKE, REAL), [1.0, 0.5])
