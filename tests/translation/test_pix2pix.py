"""pix2pix: its losses by hand, its step, its noise, and the contract."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Paired
from jaxgen.mode import Mode
from jaxgen.nets.pix2pix import PatchDiscriminator, UNetTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import apply
from jaxgen.translation import pix2pix
from tests import contract
from tests.gans.games import assert_close

ADAM = Optimizer(1e-3, Adam(b1=0.5))
TINY = pix2pix.Config(
    input_shape=(64, 64, 1),
    image_shape=(64, 64, 2),
    generator=UNetTranslator(channels=2, downs=6),
    discriminator=PatchDiscriminator(channels=2, layers=1),
    l1_weight=3.0,
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
)
INPUTS = jax.random.uniform(jax.random.key(1), (4, 64, 64, 1), minval=-1.0)
TARGETS = jax.random.uniform(jax.random.key(2), (4, 64, 64, 2), minval=-1.0)
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)


class TestContract(contract.OverDevices):
    case = contract.Case(pix2pix, TINY, refused=("input_shape", "image_shape", "generator.downs"))


@pytest.fixture(scope="module")
def state():
    return jax.jit(pix2pix.init, static_argnums=0)(TINY, jax.random.key(0))


def scores(state, images):
    pair = jnp.concatenate([INPUTS, images], axis=3)
    return apply(TINY.discriminator, state.discriminator.variables, pair, (), mode=Mode(train=True))[0]


def test_the_discriminator_pays_half_of_both_cross_entropies_over_all_patches(state):
    fakes = -TARGETS
    loss, _ = pix2pix.discriminator_loss(TINY, state.discriminator.variables, INPUTS, TARGETS, fakes, MODE)
    real, fake = scores(state, TARGETS), scores(state, fakes)
    assert real.ndim == 3
    wanted = (jax.nn.softplus(-real).mean() + jax.nn.softplus(fake).mean()) / 2
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)


@pytest.mark.exhaustive
def test_the_generator_pays_for_patches_that_look_false_and_for_its_distance(state):
    fakes, _ = pix2pix.generate(TINY, state.generator.variables, INPUTS, MODE)
    opponent = state.discriminator.variables
    loss, _ = pix2pix.generator_loss(TINY, state.generator.variables, opponent, INPUTS, TARGETS, MODE)
    wanted = jax.nn.softplus(-scores(state, fakes)).mean() + 3.0 * jnp.abs(fakes - TARGETS).mean()
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)


def test_both_players_see_the_same_fakes_of_the_generator_before_its_step(state):
    """With rates of nearly 0 the logged losses are those of one set of fakes."""
    key = jax.random.key(7)
    _, metrics = jax.jit(pix2pix.update, static_argnums=0)(TINY, state, Paired(INPUTS, TARGETS), key)
    mode = pix2pix.training_mode(state.generator, key, 4, None)
    fakes, _ = pix2pix.generate(TINY, state.generator.variables, INPUTS, mode)
    np.testing.assert_allclose(metrics["l1"], jnp.abs(fakes - TARGETS).mean(), rtol=1e-4)
    loss, _ = pix2pix.discriminator_loss(TINY, state.discriminator.variables, INPUTS, TARGETS, fakes, MODE)
    np.testing.assert_allclose(metrics["discriminator_loss"], loss, rtol=1e-4)


@pytest.mark.exhaustive
def test_an_image_is_made_as_a_batch_of_its_own_with_dropout(state):
    """Other images beside it change nothing; another key does."""
    keys = jax.random.split(jax.random.key(0), 4)
    images = pix2pix.sample(TINY, state, keys, 4, INPUTS)
    mode = Mode(keys=keys[2:3], step=jnp.int32(0), train=True)
    alone, _ = pix2pix.generate(TINY, state.generator.variables, INPUTS[2:3], mode)
    assert_close(images[2:3], alone)
    other = pix2pix.sample(TINY, state, keys[::-1], 4, INPUTS)
    assert not np.allclose(images[1], other[1])
    with pytest.raises(ValueError, match="condition is None, but must be the inputs"):
        pix2pix.sample(TINY, state, keys, 4)
