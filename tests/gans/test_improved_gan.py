"""Improved GAN: K + 1 classes, feature matching, means over time, an update by hand, and the contract."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import PartlyLabelled
from jaxgen.gans import improved_gan
from jaxgen.losses import historical_averaging
from jaxgen.moving_averages import Exponential
from jaxgen.nets.improved_gan import ImprovedMLPDiscriminator, ImprovedMLPGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform
from tests import contract
from tests.gans.games import assert_close, compiled, stepped, training

TINY = improved_gan.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    prior=Uniform(3),
    generator=ImprovedMLPGenerator((6,)),
    discriminator=ImprovedMLPDiscriminator((6, 5), kernels=2),
    feature_weight=0.7,
    adversarial_weight=0.3,
    historical_weight=0.2,
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
    classifier_average=Exponential(0.15),
)
IMAGES = jax.random.uniform(jax.random.key(1), (2, 6, 4, 4, 1))
BATCH = PartlyLabelled(IMAGES[0], jnp.array([0, 2, 1, 1, 0, 2], jnp.int32), IMAGES[1])


class TestContract(contract.Suite):
    # `num_reference` is of virtual batch normalisation, which this generator does not have.
    case = contract.Case(improved_gan, TINY, inert=("generator.num_reference",))


def logits_of(variables, images, mode, stream):
    outputs = TINY.discriminator.apply(variables, images, (3,), mode=mode.stream(stream))
    return np.asarray(outputs["logits"], np.float64), np.asarray(outputs["features"], np.float64)


def test_the_discriminator_is_a_classifier_of_one_class_more_whose_logit_is_0():
    variables, mode = TestContract.init().discriminator.variables, training(jax.random.key(3), 6)
    fake = jax.random.uniform(jax.random.key(4), (6, 4, 4, 1))
    loss, (metrics, _) = improved_gan.discriminator_loss(TINY, variables, BATCH, fake, mode)

    def log_probabilities(images, stream):
        logits = logits_of(variables, images, mode, stream)[0]
        logits = np.concatenate([logits, np.zeros((6, 1))], axis=1)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    labelled, real, fakes = (
        log_probabilities(images, stream) for images, stream in ((BATCH.labelled, 5), (BATCH.images, 0), (fake, 1))
    )
    is_real = [np.log1p(-np.exp(each[:, 3])) for each in (labelled, real)]
    classes = -(labelled[np.arange(6), BATCH.labels] - is_real[0]).mean()  # given that the image is real
    game = -(is_real[1] + fakes[:, 3]).mean()
    assert float(metrics["class_loss"]) == pytest.approx(classes, rel=1e-4)
    assert float(metrics["discriminator_loss"]) == pytest.approx(game, rel=1e-4)
    assert float(loss) == pytest.approx(classes + 0.5 * game, rel=1e-4)


@pytest.mark.parametrize("classes", [2, 10])
def test_the_score_of_equal_logits_is_that_of_k_real_classes_among_k_and_one(classes):
    score = improved_gan.score(jnp.zeros((1, classes)))[0]
    assert float(jax.nn.sigmoid(score)) == pytest.approx(classes / (classes + 1), rel=1e-5)
    assert float(jax.nn.softplus(-score)) == pytest.approx(np.log((classes + 1) / classes), rel=1e-5)
    assert np.isfinite(jax.grad(lambda logits: improved_gan.score(logits).sum())(jnp.full((1, classes), -1e4))).all()


def test_the_generator_matches_the_means_of_features_and_plays_the_game():
    state, mode = TestContract.init(), training(jax.random.key(3), 6)
    latents = TINY.prior.draw(jax.random.key(2), 6)
    inputs = state.generator.variables, state.discriminator.variables, BATCH.images, latents, mode
    loss, (metrics, _) = improved_gan.generator_loss(TINY, *inputs)
    fake, _ = improved_gan.generate(TINY, state.generator.variables, latents, mode=mode)
    variables = state.discriminator.variables
    (_, real_features), (logits, features) = (
        logits_of(variables, images, mode, stream) for images, stream in ((BATCH.images, 0), (fake, 1))
    )
    matched = ((real_features.mean(axis=0) - features.mean(axis=0)) ** 2).sum()
    game = np.log1p(1 / np.exp(logits).sum(axis=1)).mean()
    assert float(metrics["feature_matching"]) == pytest.approx(matched, rel=1e-3)
    assert float(metrics["generator_loss"]) == pytest.approx(game, rel=1e-4)
    assert float(loss) == pytest.approx(0.7 * matched + 0.3 * game, rel=1e-3)


def by_hand(config, state, batch, key):
    """Both players' variables after a step of D, then one of G, without means over time."""
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    latents, mode = config.prior.draw(key_latents, 6), training(key_pass, 6)
    fake, _ = improved_gan.generate(config, state.generator.variables, latents, mode=mode)
    loss = functools.partial(improved_gan.discriminator_loss, config)
    discriminator, *_ = stepped(state.discriminator.variables, loss, 0.05, batch, fake, mode)
    inputs = discriminator, batch.images, config.prior.draw(key_generator, 6), training(key_generator_pass, 6)
    loss = functools.partial(improved_gan.generator_loss, config)
    return discriminator, stepped(state.generator.variables, loss, 0.05, *inputs)[0]


def test_update_is_a_step_of_each_player_written_out():
    config = contract.with_sgd(dataclasses.replace(TINY, historical_weight=0.0), 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, metrics = compiled(improved_gan.update, config)(state, BATCH, key)
    wanted = compiled(by_hand, config)(state, BATCH, key)
    assert_close((found.discriminator.variables, found.generator.variables), wanted)
    assert {"class_loss", "accuracy", "feature_matching", "diversity", "real_certainty"} <= metrics.keys()
    assert found.history == {}


def test_players_pay_for_the_distance_from_the_mean_of_all_params_so_far():
    """Nothing in the first update; then the mean is that of the params after each update."""
    config = contract.with_sgd(TINY, 0.05)
    plain = dataclasses.replace(config, historical_weight=0.0)
    state, key = TestContract.init(config), jax.random.key(2)
    first, metrics = compiled(improved_gan.update, config)(state, BATCH, key)
    assert float(metrics["distance/generator"]) == 0 and float(metrics["distance/discriminator"]) == 0
    one, _ = compiled(improved_gan.update, plain)(TestContract.init(plain), BATCH, key)
    assert_close(first.discriminator.variables, one.discriminator.variables)
    second, _ = compiled(improved_gan.update, config)(first, BATCH, jax.random.key(3))
    mean = jax.tree.map(lambda a, b: (a + b) / 2, first.generator.params, second.generator.params)
    assert_close(second.history["generator"], mean)
    _, metrics = compiled(improved_gan.update, config)(second, BATCH, jax.random.key(4))
    wanted = historical_averaging(second.discriminator.params, second.history["discriminator"])
    assert float(metrics["distance/discriminator"]) == pytest.approx(float(wanted), rel=1e-4) and wanted > 0


def test_the_gradient_of_the_distance_leads_to_the_mean():
    history = {"generator": {"w": jnp.array([1.0, 2.0])}}

    def nothing(config, variables):
        return 0.0 * variables["params"]["w"].sum(), ({}, variables)

    loss = improved_gan.remembering(TINY, nothing, history, "generator")
    slope = jax.grad(lambda params: loss(TINY, {"params": params})[0])({"w": jnp.array([1.5, 1.0])})
    np.testing.assert_allclose(slope["w"], 2 * 0.2 * np.array([0.5, -1.0]), rtol=1e-5)
    assert improved_gan.remembering(TINY, nothing, {}, "generator") is nothing


def test_features_are_those_of_all_devices():
    state = TestContract.init()
    variables = state.generator.variables, state.discriminator.variables
    mode, latents = training(jax.random.key(3), 6), TINY.prior.draw(jax.random.key(2), 6)
    wanted = improved_gan.generator_loss(TINY, *variables, BATCH.images, latents, mode)[1][0]["feature_matching"]

    def of_share(images, latents, keys):
        shared = mode.with_keys(keys).replace(axis_name="i")
        return improved_gan.generator_loss(TINY, *variables, images, latents, shared)[1][0]["feature_matching"]

    shares = (each.reshape(2, 3, *each.shape[1:]) for each in (BATCH.images, latents, mode.keys))
    found = jax.jit(jax.vmap(of_share, axis_name="i"))(*shares)
    np.testing.assert_allclose(found, np.full(2, wanted), rtol=1e-3)


def test_classes_are_named_by_the_average_and_scores_given_by_the_network():
    state = TestContract.init()
    zeros = jax.tree.map(jnp.zeros_like, state.classifier)
    named = improved_gan.classify(TINY, state._replace(classifier=zeros), BATCH.images)
    np.testing.assert_array_equal(named, np.zeros((6, 3)))
    logits = improved_gan.classify(TINY, state, BATCH.images)
    np.testing.assert_allclose(
        improved_gan.discriminate(TINY, state._replace(classifier=zeros), BATCH.images),
        improved_gan.score(logits),
        rtol=1e-5,
    )


def test_virtual_batch_normalisation_keeps_its_reference_batch():
    generator = ImprovedMLPGenerator((6,), norm="virtual", num_reference=3)
    config = contract.with_sgd(dataclasses.replace(TINY, generator=generator), 0.05)
    state = TestContract.init(config)
    found, _ = compiled(improved_gan.update, config)(state, BATCH, jax.random.key(2))
    for variables in (found.generator.variables, found.ema):
        np.testing.assert_allclose(
            variables["reference"]["inputs"], state.generator.variables["reference"]["inputs"], rtol=1e-6
        )
    assert found.ema["reference"]["inputs"].shape == (3, 3)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"is \(0.0, 0.0\), but must be above 0 in one of the two"):
        dataclasses.replace(TINY, feature_weight=0.0, adversarial_weight=0.0)
    with pytest.raises(ValueError, match=r"unlabelled_weight is -1\.0, but must be at least 0"):
        dataclasses.replace(TINY, unlabelled_weight=-1.0)
