"""DualGAN: its losses by hand, its penalty, its clipped critics, its noise, and the contract."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Unpaired
from jaxgen.mode import Mode
from jaxgen.nets.dualgan import DualGANCritic, DualGANTranslator
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.optimizers import Optimizer, RMSProp
from jaxgen.train_state import apply
from jaxgen.translation import dualgan
from jaxgen.translation.cycles import Both, translate
from tests import contract
from tests.gans.games import assert_close

RMS = Optimizer(1e-3, RMSProp(decay=0.9))
TINY = dualgan.Config(
    image_shape=(8, 8, 1),
    generator=DualGANTranslator(channels=2, downs=2),
    discriminator=DualGANCritic(channels=2, layers=2),
    cycle_weight=2.0,
    penalty_weight=0.5,  # of a large one, rounding moves biases before norms
    clip=2.0,  # above all weights at the beginning: a clipped critic moves without a step
    critic_steps=2,
    generator_optimizer=RMS,
    discriminator_optimizer=RMS,
)
IMAGES = Both(*(jax.random.uniform(jax.random.key(seed), (4, 8, 8, 1), minval=-1.0) for seed in (1, 2)))
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)

WITHOUT_SLOPE = tuple(
    f"['{player}']['{part}']['{layer}']['bias']"
    for player, parts, layers in (
        ("generator", ("to_a", "to_b"), ("Conv_1", "ConvTranspose_0")),
        ("discriminator", ("a", "b"), ("Conv_1", "Dense_0")),
    )
    for part in parts
    for layer in layers
)
"""Biases that an instance norm takes out again, and that of a critic, whose scores are subtracted from each other."""


class TestContract(contract.Suite):
    case = contract.Case(dualgan, TINY, refused=("image_shape",), unreached=WITHOUT_SLOPE)


@pytest.fixture(scope="module")
def state():
    return jax.jit(dualgan.init, static_argnums=0)(TINY, jax.random.key(0))


def score(state, part, images):
    return apply(TINY.discriminator, state.discriminator.variables, images, (), part=part)[0]


def test_the_critics_pay_for_the_difference_of_mean_scores_and_the_weighted_penalty(state):
    fakes = Both(0.5 * IMAGES.b, -IMAGES.a)
    loss, (metrics, _) = dualgan.discriminator_loss(TINY, state.discriminator.variables, IMAGES, fakes, MODE)
    parts = zip(Both._fields, IMAGES, fakes, strict=True)
    distance = sum(score(state, part, real).mean() - score(state, part, fake).mean() for part, real, fake in parts)
    np.testing.assert_allclose(metrics["wasserstein_estimate"], distance, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(loss, -distance + 0.5 * metrics["gradient_penalty"], rtol=1e-4)


def test_the_penalty_is_that_of_the_slopes_at_the_images_where_fakes_are_the_images(state):
    found = dualgan.penalty(TINY, state.discriminator.variables, IMAGES, IMAGES, MODE)
    wanted = 0.0
    for part, images in zip(Both._fields, IMAGES, strict=True):
        slope = jax.grad(lambda images, part=part: score(state, part, images).sum())(images)
        wanted += ((jnp.sqrt((slope**2).sum(axis=(1, 2, 3))) - 1.0) ** 2).mean()
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_without_a_weight_there_is_no_penalty_and_batch_statistics_are_allowed(state):
    config = dataclasses.replace(TINY, penalty_weight=0.0)
    _, (metrics, _) = dualgan.discriminator_loss(config, state.discriminator.variables, IMAGES, IMAGES, MODE)
    assert "gradient_penalty" not in metrics
    batch_norm = dataclasses.replace(TINY, discriminator=PatchDiscriminator(channels=2, layers=1))
    with pytest.raises(ValueError, match="the gradient penalty needs a critic that scores each example on its own"):
        jax.eval_shape(lambda: dualgan.init(batch_norm, jax.random.key(0)))
    jax.eval_shape(lambda: dualgan.init(dataclasses.replace(batch_norm, penalty_weight=0.0), jax.random.key(0)))
    with pytest.raises(ValueError, match=r"clip is 0\.0, but must be above 0, or None"):
        dataclasses.replace(TINY, clip=0.0)


def test_the_generators_pay_for_scores_and_the_weighted_cycle(state):
    """Dropout is drawn for each pass: the distance of the logged cycle is not made again here."""
    variables, opponent = state.generator.variables, state.discriminator.variables
    loss, (metrics, _) = dualgan.generator_loss(TINY, variables, opponent, IMAGES, MODE)
    np.testing.assert_allclose(loss, metrics["generator_loss"] + 2.0 * metrics["cycle"], rtol=1e-5)


@pytest.mark.exhaustive
def test_weights_of_the_critics_lie_in_the_clipped_interval_and_those_of_generators_do_not(state):
    images = Unpaired(*(jnp.concatenate([each, each]) for each in IMAGES))
    config = dataclasses.replace(TINY, clip=0.05)
    after, _ = jax.jit(dualgan.update, static_argnums=0)(config, state, images, jax.random.key(0))
    largest = [max(jnp.abs(leaf).max() for leaf in jax.tree.leaves(player.params)) for player in after[:2]]
    assert largest[0] > 0.05 >= largest[1]
    assert after.discriminator.step == 2 and after.generator.step == 1


def test_an_image_is_translated_alone_with_the_dropout_of_its_own_key(state):
    keys = jax.random.split(jax.random.key(0), 4)
    for function, part in ((dualgan.to_a, "to_a"), (dualgan.to_b, "to_b")):
        images = function(TINY, state, keys, IMAGES.a)
        mode = Mode(keys=keys[2:3], step=jnp.int32(0), train=True)
        assert_close(images[2:3], translate(TINY, state.ema, part, IMAGES.a[2:3], mode)[0])
        assert not np.allclose(images[1], function(TINY, state, keys[::-1], IMAGES.a)[1])
    with pytest.raises(ValueError, match="condition is None, but must be images of domain a"):
        dualgan.sample(TINY, state, jax.random.key(0), 4)
