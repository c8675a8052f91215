"""CC-GAN: its losses by hand, which images are labelled, and the contract."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.images import to_pixels
from jaxgen.losses import cross_entropy
from jaxgen.mode import Mode
from jaxgen.nets.conv import ConvCritic
from jaxgen.nets.pix2pix import UNetTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import apply
from jaxgen.translation import ccgan
from jaxgen.translation.masks import Masked, RandomSquare, draw_masks
from tests import contract
from tests.gans.games import assert_close

ADAM = Optimizer(1e-3, Adam(b1=0.5))
TINY = ccgan.Config(
    image_shape=(8, 8, 1),
    num_classes=3,
    masks=RandomSquare(3),
    reduction=2,
    labelled_share=0.5,
    generator=UNetTranslator(channels=4, downs=2, norm="instance"),
    discriminator=ConvCritic(channels=2, norm="batch"),
    class_weight=0.4,
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
)
IMAGES = jax.random.uniform(jax.random.key(1), (8, 8, 8, 1), minval=-1.0)
LABELS = jnp.arange(8, dtype=jnp.int32) % 3
MASK = draw_masks(TINY.masks, jax.random.key(2), 8, TINY.image_shape)
MODE = Mode(keys=jax.random.split(jax.random.key(3), 8), step=jnp.int32(0), train=True)


BEFORE_NORMS = ("['generator']['ConvTranspose_0']['bias']", "['discriminator']['Conv_1']['bias']")
"""Biases that a norm takes out again."""


class TestContract(contract.Suite):
    case = contract.Case(
        ccgan,
        TINY,
        refused=("image_shape", "reduction"),
        inert=("generator.rate",),  # dropout lies behind the four largest maps: the tiny network has none there
        unreached=BEFORE_NORMS,
    )


@pytest.fixture(scope="module")
def state():
    return jax.jit(ccgan.init, static_argnums=0)(TINY, jax.random.key(0))


def heads(state, images):
    outputs, _ = apply(TINY.discriminator, state.discriminator.variables, images, (4,), mode=Mode(train=True))
    return outputs[:, 0], outputs[:, 1:]


def test_the_discriminator_pays_for_both_kinds_and_for_the_classes_of_labelled_images(state):
    composites, _ = ccgan.fill(TINY, state.generator.variables, IMAGES, MASK, MODE)
    variables = state.discriminator.variables
    loss, (metrics, _) = ccgan.discriminator_loss(TINY, variables, IMAGES, LABELS, composites, MODE)
    (real, logits), (fake, _) = heads(state, IMAGES), heads(state, composites)
    known = np.asarray(ccgan.labelled(TINY, IMAGES))
    assert 0 < known.sum() < 8
    classes = (np.asarray(cross_entropy(logits, LABELS)) * known).sum() / (0.5 * 8)
    game = (jax.nn.softplus(-real) + jax.nn.softplus(fake)).mean()
    np.testing.assert_allclose(metrics["class_loss"], classes, rtol=1e-5)
    np.testing.assert_allclose(loss, game + 0.4 * classes, rtol=1e-5)
    right = np.asarray(logits.argmax(axis=1) == LABELS)
    np.testing.assert_allclose(metrics["accuracy"], right[~known].mean(), rtol=1e-6)


def test_a_label_that_is_not_used_changes_nothing(state):
    def loss(labels):
        return ccgan.discriminator_loss(TINY, state.discriminator.variables, IMAGES, labels, -IMAGES, MODE)[0]

    known = ccgan.labelled(TINY, IMAGES)
    others = (LABELS + 1) % 3
    assert loss(jnp.where(known, LABELS, others)) == loss(LABELS)
    assert loss(jnp.where(known, others, LABELS)) != loss(LABELS)


def test_the_generator_pays_for_composites_that_look_false(state):
    composites, _ = ccgan.fill(TINY, state.generator.variables, IMAGES, MASK, MODE)
    opponent = state.discriminator.variables
    loss, _ = ccgan.generator_loss(TINY, state.generator.variables, opponent, IMAGES, MASK, MODE)
    np.testing.assert_allclose(loss, jax.nn.softplus(-heads(state, composites)[0]).mean(), rtol=1e-5)


def test_with_nothing_hidden_a_composite_is_the_image_and_the_game_costs_two_logarithms_of_two(state):
    """Of a discriminator that cannot tell them apart, whose score is then 0 at best."""
    composites, _ = ccgan.fill(TINY, state.generator.variables, IMAGES, jnp.ones_like(MASK), MODE)
    np.testing.assert_array_equal(composites, IMAGES)
    variables = jax.tree.map(jnp.zeros_like, state.discriminator.variables)
    _, (metrics, _) = ccgan.discriminator_loss(TINY, variables, IMAGES, LABELS, composites, MODE)
    np.testing.assert_allclose(metrics["discriminator_loss"], 2 * np.log(2), rtol=1e-6)


def test_the_hole_reaches_the_generator_through_the_copy_of_low_resolution_alone(state):
    """Pixels of one 2x2 block count alike there."""

    def filled(images):
        return ccgan.fill(TINY, state.generator.variables, images, MASK, Mode())[0]

    hidden = np.asarray(MASK)[0, :, :, 0] == 0
    blocks = hidden.reshape(4, 2, 4, 2).all(axis=(1, 3))
    assert blocks.any()
    row, column = 2 * np.argwhere(blocks)[0]
    step = jnp.zeros_like(IMAGES).at[0, row, column, 0].set(0.1)
    moved = step - jnp.zeros_like(IMAGES).at[0, row + 1, column + 1, 0].set(0.1)
    assert_close(filled(IMAGES + moved), filled(IMAGES))
    assert np.abs(filled(IMAGES + step) - filled(IMAGES)).max() > 1e-6


def test_about_the_share_of_the_images_is_labelled_and_always_the_same_ones():
    images = jax.random.uniform(jax.random.key(4), (4000, 2, 2, 1), minval=-1.0)
    for share in (0.1, 0.5):
        config = dataclasses.replace(TINY, labelled_share=share)
        known = ccgan.labelled(config, images)
        assert abs(float(known.mean()) - share) < 4 * (share * (1 - share) / 4000) ** 0.5
        np.testing.assert_array_equal(ccgan.labelled(config, images[::-1])[::-1], known)
    pixels = to_pixels(images)
    np.testing.assert_array_equal(ccgan.labelled(TINY, ccgan.scale(pixels)), ccgan.labelled(TINY, images))
    every = dataclasses.replace(TINY, labelled_share=1.0)
    assert ccgan.labelled(every, images).all()
    with pytest.raises(ValueError, match=r"labelled_share is 0.0, but must be in \(0, 1\]"):
        dataclasses.replace(TINY, labelled_share=0.0)


def test_images_that_differ_in_one_pixel_are_labelled_independently():
    """One value of one pixel through all its steps: half of the images are labelled, in no order."""
    images = (
        (jnp.arange(256, dtype=jnp.uint8)[:, None, None, None] + jnp.zeros((256, 8, 8, 1), jnp.uint8)).at[:, 1:].set(9)
    )
    known = np.asarray(ccgan.labelled(TINY, ccgan.scale(images)), float)
    assert 90 < known.sum() < 166
    assert abs(np.corrcoef(known[1:], known[:-1])[0, 1]) < 0.25


def test_a_sample_fills_the_given_hole_or_one_of_its_own_key(state):
    keys = jax.random.split(jax.random.key(0), 8)
    filled = ccgan.sample(TINY, state, keys, 8, Masked(IMAGES, MASK))
    wanted, _ = ccgan.fill(TINY, state.ema, IMAGES, MASK)
    assert_close(filled, wanted)
    own = draw_masks(TINY.masks, keys, 8, TINY.image_shape)
    assert_close(ccgan.sample(TINY, state, keys, 8, IMAGES), ccgan.fill(TINY, state.ema, IMAGES, own)[0])
    np.testing.assert_array_equal(ccgan.holes(TINY, keys, IMAGES), own)


def test_classes_are_those_of_the_second_head(state):
    logits = ccgan.classify(TINY, state, IMAGES)
    outputs, _ = apply(TINY.discriminator, state.discriminator.variables, IMAGES, (4,))
    assert_close(logits, outputs[:, 1:])
