"""TP-GAN: its losses by hand, whose player each term moves, an update, and the contract."""

import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import LabelledPaired
from jaxgen.gans.discrimination import FAKE
from jaxgen.mode import EVALUATION, Mode
from jaxgen.moving_averages import Exponential
from jaxgen.nets.convolution import mean_pool
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.norm import normalize
from jaxgen.nets.tp_gan import CoarseDiscriminator, IdentityHead, Rotated, Synthesis
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from jaxgen.train_state import apply
from jaxgen.translation import tp_gan
from jaxgen.translation.feature_maps import feature_maps
from jaxgen.translation.templates import Place, Template
from tests import contract
from tests.gans.games import assert_close, compiled, stepped, training


class FewLayers(nn.Module):
    """In the place of the global pathway, whose many layers its own tests look at."""

    @nn.compact
    def __call__(self, images, noise, parts, output_shape, *, mode=EVALUATION):
        code = nn.Dense(4)(images.reshape(images.shape[0], -1))
        start = nn.Dense(images.shape[1])(jnp.concatenate([code, noise], axis=1))
        hidden = nn.tanh(Conv(2)(jnp.concatenate([images, parts], axis=3)) + start[:, :, None, None])
        outputs = Conv(output_shape[2])(hidden)
        return Synthesis((outputs, mean_pool(outputs, 2), mean_pool(outputs, 4)), code)


class FewLocalLayers(nn.Module):
    """In the place of the local pathway."""

    @nn.compact
    def __call__(self, images, output_shape, *, mode=EVALUATION):
        maps = nn.tanh(normalize(Conv(2, use_bias=False)(images), "batch", mode))
        return Rotated(maps, Conv(output_shape[2])(maps))


class FewFeatures(nn.Module):
    """A map and a vector of an image."""

    @nn.compact
    def __call__(self, images, output_shape=(), *, mode=EVALUATION):
        maps = Conv(2)(images)
        return maps, nn.Dense(3)(nn.relu(maps).reshape(images.shape[0], -1))


TEMPLATE = Template(Place(0, 0, 8, 8), Place(0, 7, 8, 8), Place(4, 4, 8, 8), Place(7, 0, 8, 15))
TINY = tp_gan.Config(
    image_shape=(16, 16, 1),
    num_classes=3,
    template=TEMPLATE,
    prior=Normal(3),
    noise_deviation=1.0,
    generator=FewLayers(),
    local=FewLocalLayers(),
    head=IdentityHead(0.5),
    discriminator=CoarseDiscriminator(2, 4),
    features=FewFeatures(),
    scale_weights=(1.0, 0.5, 2.0),
    symmetry_weight=0.7,
    adversarial_weight=0.2,
    identity_weight=0.4,
    variation_weight=0.1,
    class_weight=0.6,
    parts_weight=0.3,
    generator_optimizer=Optimizer(1e-3, Adam()),
    discriminator_optimizer=Optimizer(1e-3, Adam()),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
INPUTS, TARGETS = (jax.random.uniform(jax.random.key(seed), (6, 16, 16, 1), minval=-1.0) for seed in (1, 2))
BATCH = LabelledPaired(INPUTS, TARGETS, jnp.array([0, 2, 1, 1, 0, 2], jnp.int32))


class TestContract(contract.Suite):
    case = contract.Case(tp_gan, TINY, refused=("image_shape", "discriminator.side"))  # sides halve


WEIGHTS = {
    "pixel": 1.0,
    "symmetry": 0.7,
    "generator_loss": 0.2,
    "total_variation": 0.1,
    "cross_entropy": 0.6,
    "parts": 0.3,
    "identity": 0.4,
}
"""Of the terms of equation 5, as the settings above have them."""

LOCAL = set(TEMPLATE.places)
"""Names of the networks of the local pathway."""


@pytest.fixture(scope="module")
def shown():
    """State, what the generator's loss is shown, the mode; the loss, its metrics and what was generated."""
    state, mode = TestContract.init(), training(jax.random.key(3), 6)
    given = tp_gan.Shown(INPUTS, TARGETS, BATCH.labels, jax.random.normal(jax.random.key(4), (6, 3)))

    @jax.jit
    def compute(state, mode):
        variables = state.generator.variables
        loss, (metrics, _) = tp_gan.generator_loss(TINY, variables, state, given, mode)
        frontal, _ = tp_gan.generate(TINY, variables, given.inputs, given.noise, mode)
        return loss, metrics, frontal

    return state, given, mode, *compute(state, mode)


def halved(images):
    return images.reshape(len(images), images.shape[1] // 2, 2, images.shape[2] // 2, 2, -1).mean(axis=(2, 4))


def test_the_generators_loss_is_the_weighted_sum_of_its_terms(shown):
    state, _, mode, loss, metrics, frontal = shown
    images = [np.asarray(each, np.float64) for each in frontal.images]
    targets = np.asarray(TARGETS, np.float64)
    scales = [targets, halved(targets), halved(halved(targets))]
    weighed = list(zip(TINY.scale_weights, images, scales, strict=True))
    parts = [targets[:, :8, :8], targets[:, :8, 7:15], targets[:, 4:12, 4:12], targets[:, 7:15, :15]]
    net, opponent = TINY.discriminator, state.discriminator.variables
    scores, _ = apply(net, opponent, frontal.images[0], (), mode=mode.stream(FAKE))
    scores = np.asarray(scores, np.float64)
    logits, _ = tp_gan.identify(TINY, state.generator.variables, frontal.code, mode)
    chances = np.asarray(jax.nn.log_softmax(logits), np.float64)
    found, wished = (feature_maps(TINY, state.features.variables, each) for each in (frontal.images[0], TARGETS))
    wanted = {
        "pixel": sum(weight * np.abs(image - target).mean() for weight, image, target in weighed),
        "symmetry": sum(weight * np.abs(image - image[:, :, ::-1]).mean() for weight, image, _ in weighed),
        "generator_loss": np.log1p(np.exp(-scores)).mean(),
        "total_variation": sum(np.abs(np.diff(images[0], axis=axis)).sum() for axis in (1, 2)) / images[0].size,
        "cross_entropy": -chances[np.arange(6), np.asarray(BATCH.labels)].mean(),
        "parts": sum(
            np.abs(np.asarray(part) - target).mean() for part, target in zip(frontal.parts, parts, strict=True)
        ),
        "identity": sum(np.abs(np.asarray(a - b)).mean() for a, b in zip(found, wished, strict=True)),
    }
    assert scores.shape == (6, 4, 4) and len(found) == 2
    for name, value in wanted.items():
        assert float(metrics[name]) == pytest.approx(value, rel=1e-3), name
    assert float(loss) == pytest.approx(sum(WEIGHTS[name] * value for name, value in wanted.items()), rel=1e-3)


def test_a_frontal_face_that_is_its_own_mirror_image_is_not_asymmetric_and_a_target_costs_nothing(shown):
    frontal = shown[-1]
    images = tuple(each + each[:, :, ::-1] for each in frontal.images)
    assert float(tp_gan.asymmetry(TINY, frontal._replace(images=images))) == 0
    assert float(tp_gan.asymmetry(TINY, frontal)) > 0
    perfect = tuple(mean_pool(TARGETS, factor) for factor in (1, 2, 4))
    assert float(tp_gan.pixel_error(TINY, frontal._replace(images=perfect), TARGETS)) < 1e-6


@pytest.mark.exhaustive
def test_each_term_moves_the_networks_that_it_depends_on(shown):
    """Who it is reaches no doubling, the parts reach no global pathway; all others reach both and not the head."""
    state, given, mode, *_ = shown

    def terms(params):
        variables = state.generator.variables | {"params": params}
        _, (metrics, _) = tp_gan.generator_loss(TINY, variables, state, given, mode)
        return {name: metrics[name] for name in WEIGHTS}

    slopes = jax.jit(jax.jacrev(terms))(state.generator.params)
    moved = {
        name: {part for part, tree in found.items() if any(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(tree))}
        for name, found in slopes.items()
    }
    wanted = {name: {"generator", *LOCAL} for name in WEIGHTS}
    assert moved == wanted | {"parts": LOCAL, "cross_entropy": {"generator", "head"}}
    assert not np.abs(slopes["cross_entropy"]["generator"]["Dense_1"]["kernel"]).any()
    assert np.abs(slopes["cross_entropy"]["generator"]["Dense_0"]["kernel"]).any()


def by_hand(config, state, batch, key):
    """Both players' variables after a step of D, then one of G, with one set of keys and one noise."""
    key_noise, key_pass = jax.random.split(key)
    noise, mode = tp_gan.draw_noise(config, key_noise, 6), training(key_pass, 6)
    frontal, _ = tp_gan.generate(config, state.generator.variables, batch.inputs, noise, mode)
    loss = functools.partial(tp_gan.discriminator_loss, config)
    shown = batch.targets, frontal.images[0], mode
    discriminator, *_ = stepped(state.discriminator.variables, loss, 0.05, *shown)
    after = state._replace(discriminator=state.discriminator.replace(params=discriminator["params"]))
    loss, given = functools.partial(tp_gan.generator_loss, config), tp_gan.Shown(*batch, noise)
    return discriminator, stepped(state.generator.variables, loss, 0.05, after, given, mode)[0]


@pytest.mark.exhaustive
def test_update_is_a_step_of_each_player_written_out():
    config = contract.with_sgd(dataclasses.replace(TINY, discriminator=CoarseDiscriminator(2, 4, norm="none")), 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, metrics = compiled(tp_gan.update, config)(state, BATCH, key)
    wanted = compiled(by_hand, config)(state, BATCH, key)
    assert_close((found.discriminator.variables, found.generator.variables), wanted)
    assert {*WEIGHTS, "accuracy", "real_certainty", "discriminator_loss"} <= metrics.keys()


def test_without_a_network_of_features_the_identity_term_is_missing():
    config = dataclasses.replace(TINY, features=None)
    state = jax.eval_shape(lambda: tp_gan.init(config, jax.random.key(0)))
    assert state.features is None
    _, metrics = jax.eval_shape(functools.partial(tp_gan.update, config), state, BATCH, jax.random.key(0))
    assert "identity" not in metrics and "symmetry" in metrics


def test_faces_are_turned_by_the_average_with_the_noise_of_their_own_keys():
    state, keys = TestContract.init(), jax.random.split(jax.random.key(5), 6)
    noise = tp_gan.draw_noise(TINY, keys, 6)
    wanted, _ = tp_gan.generate(TINY, state.ema, INPUTS, noise, Mode())
    np.testing.assert_allclose(tp_gan.sample(TINY, state, keys, 6, INPUTS), wanted.images[0], atol=1e-5)
    half = dataclasses.replace(TINY, noise_deviation=0.5)
    np.testing.assert_allclose(tp_gan.draw_noise(half, keys, 6), 0.5 * noise)
    with pytest.raises(ValueError, match="condition is None, but must be turned faces"):
        tp_gan.sample(TINY, state, keys, 6)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"template\.mouth is .* inside of 8x16 pixels"):
        dataclasses.replace(
            TINY, image_shape=(8, 16, 1), template=Template(*[Place(0, 0, 8, 8)] * 3, Place(8, 0, 8, 8))
        )
    with pytest.raises(ValueError, match=r"scale_weights is \(1\.0, -1\.0, 1\.0\), but must be at least 0"):
        dataclasses.replace(TINY, scale_weights=(1.0, -1.0, 1.0))
