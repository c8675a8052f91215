"""PixelDA: its losses by hand, whose noise it is, its classifier, and the contract."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import LabelledUnpaired
from jaxgen.mode import Mode
from jaxgen.nets.pixelda import DomainClassifier, NoisyDiscriminator, NoisyTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys
from jaxgen.priors import Uniform
from jaxgen.train_state import apply
from jaxgen.translation import pixelda
from tests import contract
from tests.gans.games import assert_close

ADAM = Optimizer(1e-3, Adam(b1=0.5))
TINY = pixelda.Config(
    image_shape=(8, 8, 2),
    num_classes=3,
    prior=Uniform(3),
    generator=NoisyTranslator(channels=2, blocks=1),
    discriminator=NoisyDiscriminator(channels=2),
    classifier=DomainClassifier(channels=(2, 3), width=8),
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
    adversarial_weight=0.5,
    task_weight=2.0,
)
A, B = jax.random.uniform(jax.random.key(1), (2, 4, 8, 8, 2), minval=-1.0)
BATCH = LabelledUnpaired(A, jnp.array([0, 2, 1, 1]), B)
NOISE = jax.random.uniform(jax.random.key(2), (4, 3), minval=-1.0)
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)


class TestContract(contract.Suite):
    case = contract.Case(pixelda, TINY)


@pytest.fixture(scope="module")
def state():
    return jax.jit(pixelda.init, static_argnums=0)(TINY, jax.random.key(0))


@jax.jit
def negative_log_likelihood(state, images, domain):
    inputs = images, jnp.full(4, domain), (3,)
    logits, _ = apply(TINY.classifier, state.discriminator.variables, *inputs, part="classifier")
    return -jax.nn.log_softmax(logits)[jnp.arange(4), BATCH.labels].mean()


@functools.partial(jax.jit, static_argnums=2)
def scores(state, images, stream):
    mode = MODE.stream(stream)
    return apply(TINY.discriminator, state.discriminator.variables, images, (), mode=mode, part="discriminator")[0]


def test_the_discriminator_learns_domains_and_the_classifier_learns_from_sources_and_fakes(state):
    fakes = -A
    found = jax.jit(functools.partial(pixelda.discriminator_loss, TINY))
    loss, (metrics, _) = found(state.discriminator.variables, BATCH, fakes, MODE)
    game = jax.nn.softplus(-scores(state, B, 0)).mean() + jax.nn.softplus(scores(state, fakes, 1)).mean()
    task = negative_log_likelihood(state, A, 0) + negative_log_likelihood(state, fakes, 1)
    np.testing.assert_allclose(metrics["task_loss"], task, rtol=1e-5)
    np.testing.assert_allclose(loss, 0.5 * game + 2.0 * task, rtol=1e-5)


@pytest.mark.exhaustive
def test_the_generator_pays_for_fakes_that_are_found_out_and_for_digits_that_are_not_recognised(state):
    variables, opponent = state.generator.variables, state.discriminator.variables
    fakes, _ = pixelda.generate(TINY, variables, A, NOISE, MODE)
    loss, _ = pixelda.generator_loss(TINY, variables, opponent, BATCH, NOISE, MODE)
    game = jax.nn.softplus(-scores(state, fakes, 1)).mean()
    np.testing.assert_allclose(loss, 0.5 * game + 2.0 * negative_log_likelihood(state, fakes, 1), rtol=1e-5)


def test_the_classifier_for_target_images_is_that_for_fakes(state):
    found = pixelda.classify(TINY, state, B)
    for domain, same in ((pixelda.TARGET, True), (pixelda.SOURCE, False)):
        logits, _ = pixelda.predict(TINY, state.discriminator.variables, B, domain)
        assert np.allclose(found, logits) == same


@pytest.mark.exhaustive
def test_labels_of_the_source_reach_the_generator_through_the_classifier_alone(state):
    """With no weight on the task other labels change nothing."""
    config = dataclasses.replace(TINY, task_weight=0.0)
    update = jax.jit(functools.partial(pixelda.update, config))
    one, other = (
        update(state, BATCH._replace(labels=labels), jax.random.key(0))[0]
        for labels in (BATCH.labels, (BATCH.labels + 1) % 3)
    )
    jax.tree.map(np.testing.assert_array_equal, one.generator.params, other.generator.params)


def test_an_image_is_translated_with_the_noise_of_its_own_key(state):
    images = pixelda.sample(TINY, state, jax.random.key(0), 4, A)
    noise = TINY.prior.draw(example_keys(jax.random.key(0), 4), 4)
    assert_close(images, pixelda.generate(TINY, state.ema, A, noise)[0])
    with pytest.raises(ValueError, match="condition is None, but must be images of the source"):
        pixelda.sample(TINY, state, jax.random.key(0), 4)
