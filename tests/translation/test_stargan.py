"""StarGAN: its losses by hand, the order of its domains, its steps, and the contract."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Domains
from jaxgen.mode import Mode
from jaxgen.nets.conditioning import TiledCondition
from jaxgen.nets.stargan import StarGANDiscriminator, StarGANTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import apply
from jaxgen.translation import stargan
from tests import contract
from tests.gans.games import assert_close

ADAM = Optimizer(1e-3, Adam(b1=0.5))
TINY = stargan.Config(
    image_shape=(8, 8, 2),
    num_classes=3,
    generator=TiledCondition(StarGANTranslator(channels=2, blocks=1)),
    discriminator=StarGANDiscriminator(channels=2, layers=2),
    reconstruction_weight=0.5,
    discriminator_steps=2,
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
)
IMAGES = jax.random.uniform(jax.random.key(1), (4, 8, 8, 2), minval=-1.0)
FAKES = jax.random.uniform(jax.random.key(2), (4, 8, 8, 2), minval=-1.0)
BATCH, TARGETS = Domains(IMAGES, jnp.array([0, 2, 1, 1])), jnp.array([1, 0, 2, 1])
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)


class TestContract(contract.Suite):
    case = contract.Case(stargan, TINY, without_noise=True, refused=("image_shape",))


@pytest.fixture(scope="module")
def state():
    return jax.jit(stargan.init, static_argnums=0)(TINY, jax.random.key(0))


def negative_log_likelihood(logits, labels):
    return -jax.nn.log_softmax(logits)[jnp.arange(len(labels)), labels].mean()


def test_the_discriminator_pays_for_scores_slopes_and_the_domains_of_real_images(state):
    """The slope is that of the sum of the patches of one image, found image by image."""

    def judge(images):
        return apply(TINY.discriminator, state.discriminator.variables, images, (3,))[0]

    mix = jnp.array([0.0, 0.25, 0.5, 1.0])
    found = jax.jit(functools.partial(stargan.discriminator_loss, TINY))
    loss, (metrics, _) = found(state.discriminator.variables, BATCH, FAKES, mix, MODE)
    between = mix[:, None, None, None] * IMAGES + (1 - mix[:, None, None, None]) * FAKES
    slopes = jax.vmap(jax.grad(lambda image: judge(image[None])["scores"].sum()))(between)
    penalty = ((jnp.sqrt((slopes**2).sum((1, 2, 3))) - 1) ** 2).mean()
    real, fake = judge(IMAGES), judge(FAKES)
    domain = negative_log_likelihood(real["logits"], BATCH.labels)
    np.testing.assert_allclose(metrics["gradient_penalty"], penalty, rtol=1e-5)
    np.testing.assert_allclose(metrics["class_loss"], domain, rtol=1e-5)
    np.testing.assert_allclose(loss, fake["scores"].mean() - real["scores"].mean() + 10 * penalty + domain, rtol=1e-5)


@pytest.mark.exhaustive
def test_the_generator_pays_for_scores_the_domain_that_was_asked_for_and_the_way_back(state):
    def generate(images, labels):
        inputs = images, jax.nn.one_hot(labels, 3), (8, 8, 2)
        return jnp.tanh(apply(TINY.generator, state.generator.variables, *inputs)[0])

    found = jax.jit(functools.partial(stargan.generator_loss, TINY))
    variables, opponent = state.generator.variables, state.discriminator.variables
    loss, (metrics, _) = found(variables, opponent, BATCH, TARGETS, MODE)
    fakes = generate(IMAGES, TARGETS)
    judged = apply(TINY.discriminator, opponent, fakes, (3,))[0]
    way_back = jnp.abs(generate(fakes, BATCH.labels) - IMAGES).mean()
    domain = negative_log_likelihood(judged["logits"], TARGETS)
    np.testing.assert_allclose(metrics["reconstruction"], way_back, rtol=1e-5)
    np.testing.assert_allclose(loss, -judged["scores"].mean() + domain + 0.5 * way_back, rtol=1e-5)


def test_domains_to_translate_to_are_those_of_each_minibatch_in_another_order():
    labels = jnp.arange(12, dtype=jnp.int32)
    found = np.asarray(stargan.shuffled(labels, 3, jax.random.key(0)))
    for step in range(3):
        assert sorted(found[step::3]) == list(range(step, 12, 3))
    assert not np.array_equal(found, labels)


def test_devices_share_one_order():
    labels, key = jnp.arange(12, dtype=jnp.int32), jax.random.key(0)
    there = jax.vmap(lambda shard: stargan.shuffled(shard, 3, key, "i"), axis_name="i")(labels.reshape(2, 6))
    np.testing.assert_array_equal(there.reshape(-1), stargan.shuffled(labels, 3, key))


@pytest.mark.exhaustive
def test_the_discriminator_makes_several_steps_and_the_generator_one(state):
    batch = Domains(*(jnp.concatenate([leaf, leaf]) for leaf in BATCH))
    after, _ = jax.jit(stargan.update, static_argnums=0)(TINY, state, batch, jax.random.key(0))
    assert (after.generator.step, after.discriminator.step) == (1, 2)


def test_a_batch_that_is_no_whole_number_of_minibatches_is_refused(state):
    batch = jax.tree.map(lambda leaf: leaf[:3], BATCH)
    with pytest.raises(ValueError, match="batch of 3 does not divide into 2 minibatches"):
        jax.eval_shape(functools.partial(stargan.update, TINY), state, batch, jax.random.key(0))


def test_images_are_translated_to_the_domains_of_the_condition(state):
    images = stargan.sample(TINY, state, jax.random.key(0), 4, Domains(IMAGES, TARGETS))
    assert_close(images, stargan.translate(TINY, state.ema, IMAGES, TARGETS)[0])
    with pytest.raises(ValueError, match="condition is None, but must be images"):
        stargan.sample(TINY, state, jax.random.key(0), 4)
