import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import acgan, discrimination
from jaxgen.gans.discrimination import Discrimination
from jaxgen.nets.acgan import ACGANDiscriminator
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract

TINY = acgan.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    prior=Normal(3),
    generator=ConcatCondition(MLP((8,), norm="batch")),
    discriminator=MLP((8,), norm="batch", negative_slope=0.2),
    class_weight=0.5,
    view=Discrimination(joint=True),
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    ema_decay=0.15,  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
LABELS = jnp.arange(6, dtype=jnp.int32) % 3
REAL = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1))
FAKE = jax.random.uniform(jax.random.key(2), (6, 4, 4, 1))


class TestContract(contract.Suite):
    case = contract.Case(
        acgan,
        TINY,
        unreached=(
            # A constant before batch normalisation is taken out by its mean.
            "['discriminator']['Dense_0']['bias']",
            "['generator']['net']['Dense_0']['bias']",
        ),
        inert=("view.noise.end",),  # without noise, as everywhere by default
    )


@functools.cache
def compiled(function, config):
    """One program in place of one for each operation."""
    return jax.jit(functools.partial(function, config))


def luck(config):
    return discrimination.chance(
        config.view, config.discriminator, jax.random.key(7), 6, config.image_shape, jnp.int32(0)
    )


def log_softmax(logits):
    logits = np.asarray(logits, np.float64)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_losses_are_those_of_the_paper_written_out_in_numpy():
    """-(L_S + a L_C) with both classes' terms for D, and for G the non-saturating -L_S - a L_C of its fakes."""
    config = dataclasses.replace(TINY, discriminator=ACGANDiscriminator((4, 4), dropout=0.0), view=Discrimination())
    state, latents = TestContract.init(config), jax.random.normal(jax.random.key(3), (6, 3))
    parts = state.discriminator.params, state.discriminator.collections
    (real_scores, real_logits), collections = compiled(acgan.judge, config)(*parts, REAL)
    (fake_scores, fake_logits), _ = compiled(acgan.judge, config)(parts[0], collections, FAKE)
    rows, chance = np.arange(6), discrimination.Chance(None, None, None, None, None)

    def class_loss(logits):
        return -log_softmax(logits)[rows, LABELS].mean()

    source = np.log1p(np.exp(-np.asarray(real_scores))).mean() + np.log1p(np.exp(np.asarray(fake_scores))).mean()
    wanted = source + 0.5 * (class_loss(real_logits) + class_loss(fake_logits))
    loss, _ = compiled(acgan.discriminator_loss, config)(*parts, REAL, FAKE, LABELS, chance)
    assert loss == pytest.approx(wanted, rel=1e-5)

    generator = state.generator.params, state.generator.collections
    images, _ = jax.jit(lambda: acgan.generate(config, *generator, latents, LABELS, train=True))()
    (scores, logits), _ = compiled(acgan.judge, config)(*parts, images)
    wanted = np.log1p(np.exp(-np.asarray(scores))).mean() + 0.5 * class_loss(logits)
    inputs = *generator, state.discriminator, latents, LABELS, REAL, chance
    loss, (metrics, _) = compiled(acgan.generator_loss, config)(*inputs)
    assert loss == pytest.approx(wanted, rel=1e-5)
    assert metrics["fake_accuracy"] == (logits.argmax(axis=1) == LABELS).mean()


def test_the_class_changes_the_image():
    state, latents = TestContract.init(), jax.random.normal(jax.random.key(2), (6, 3))
    draw = compiled(acgan.from_latents, TINY)
    assert (np.abs(draw(state, latents, LABELS) - draw(state, latents, (LABELS + 1) % 3)).max((1, 2, 3)) > 1e-4).all()
    sample = jax.jit(lambda state, labels: acgan.sample(TINY, state, jax.random.key(0), 6, labels))
    np.testing.assert_array_equal(sample(state, None), sample(state, LABELS))


def test_without_the_class_weight_labels_do_not_move_the_discriminator():
    """They enter its loss by L_C alone: the image is not labelled for it."""
    state = TestContract.init()
    parts = state.discriminator.params, state.discriminator.collections

    @functools.partial(jax.jit, static_argnums=0)
    def loss(config, labels):
        return acgan.discriminator_loss(config, *parts, REAL, FAKE, labels, luck(config))[0]

    free = dataclasses.replace(TINY, class_weight=0.0)
    others = (LABELS + 1) % 3
    assert loss(free, LABELS) == loss(free, others)
    assert loss(TINY, LABELS) != loss(TINY, others)


def test_noise_and_dropout_reach_the_discriminator():
    view = Discrimination(noise=discrimination.InstanceNoise(0.1))
    config = dataclasses.replace(TINY, discriminator=ACGANDiscriminator((8,)), view=view)
    state, chance = TestContract.init(config), luck(config)
    parts = state.discriminator.params, state.discriminator.collections
    judge = compiled(acgan.judge, config)
    plain, noisy, dropped = (
        judge(*parts, REAL, noise, keys)[0][1]
        for noise, keys in ((None, None), (chance.real_noise, None), (None, chance.real_keys))
    )
    assert (np.abs(noisy - plain).max(axis=1) > 1e-6).all()
    assert (np.abs(dropped - plain).max(axis=1) > 1e-6).all()


def test_default_networks_have_the_reference_parameter_counts():
    state = jax.eval_shape(lambda: acgan.init(acgan.Config(), jax.random.key(0)))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    assert (count(state.generator.params), count(state.discriminator.params)) == (2_994_531, 1_663_883)


@pytest.mark.parametrize(("setting", "value"), [("num_classes", 0), ("class_weight", -1.0), ("ema_decay", 1.0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})
