import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.conditions import one_hot
from jaxgen.gans import acgan
from jaxgen.gans.discrimination import FAKE as FAKE_STREAM
from jaxgen.gans.discrimination import REAL as REAL_STREAM
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.networks import two_headed
from jaxgen.moving_averages import Exponential
from jaxgen.nets.acgan import ACGANDiscriminator
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract
from tests.gans.games import (
    UNREGULARIZED,
    UNTRICKED,
    WITH_BATCH_STATISTICS,
    assert_close,
    compiled,
    count,
    stepped,
    training,
)

TINY = acgan.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    prior=Normal(3),
    generator=ConcatCondition(MLP((6,), norm="batch")),
    discriminator=MLP((6,), norm="batch", negative_slope=0.2),
    class_weight=0.5,
    discrimination=Discrimination(joint=True),
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
LABELS = jnp.arange(6, dtype=jnp.int32) % 3
CLASSES = one_hot(LABELS, 3)
REAL = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1))
FAKE = jax.random.uniform(jax.random.key(2), (6, 4, 4, 1))
MODE = training(jax.random.key(7), 6)


class TestContract(contract.Suite):
    case = contract.Case(
        acgan,
        TINY,
        unreached=(
            # A constant before batch normalisation is taken out by its mean.
            "['discriminator']['Dense_0']['bias']",
            "['generator']['net']['Dense_0']['bias']",
        ),
        inert=UNREGULARIZED,
        refused=WITH_BATCH_STATISTICS,
    )


def log_softmax(logits):
    logits = np.asarray(logits, np.float64)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def class_loss(logits):
    return -log_softmax(logits)[np.arange(6), LABELS].mean()


def test_losses_are_those_of_the_paper_written_out_in_numpy():
    """-(L_S + a L_C) with both classes' terms for D, and for G the non-saturating -L_S - a L_C of its fakes."""
    config = dataclasses.replace(TINY, discriminator=ACGANDiscriminator((4, 4), dropout=0.0), discrimination=UNTRICKED)
    state, latents = TestContract.init(config), jax.random.normal(jax.random.key(3), (6, 3))
    network = jax.jit(lambda variables, images: two_headed(config.discriminator, 3)(variables, images, MODE))
    (real_scores, real_logits), after = network(state.discriminator.variables, REAL)
    (fake_scores, fake_logits), _ = network(after, FAKE)

    source = np.log1p(np.exp(-np.asarray(real_scores))).mean() + np.log1p(np.exp(np.asarray(fake_scores))).mean()
    wanted = source + 0.5 * (class_loss(real_logits) + class_loss(fake_logits))
    loss, _ = compiled(acgan.discriminator_loss, config)(state.discriminator.variables, REAL, FAKE, LABELS, MODE)
    assert loss == pytest.approx(wanted, rel=1e-5)

    images, _ = jax.jit(lambda: acgan.generate(config, state.generator.variables, latents, CLASSES, mode=MODE))()
    (scores, logits), _ = network(state.discriminator.variables, images)
    wanted = np.log1p(np.exp(-np.asarray(scores))).mean() + 0.5 * class_loss(logits)
    inputs = state.generator.variables, state.discriminator.variables, (REAL, LABELS), latents, MODE
    loss, (metrics, _) = compiled(acgan.generator_loss, config)(*inputs)
    assert loss == pytest.approx(wanted, rel=1e-5)
    assert metrics["fake_accuracy"] == (logits.argmax(axis=1) == LABELS).mean()


def by_hand(config, state, batch, key):
    """The discriminator's and the generator's variables after an update."""
    key_fake, key_latents, key_pass, key_generator_pass = jax.random.split(key, 4)
    mode = training(key_pass, 6)
    fake, _ = acgan.generate(config, state.generator.variables, config.prior.draw(key_fake, 6), CLASSES, mode=mode)
    loss = functools.partial(acgan.discriminator_loss, config)
    discriminator, *_ = stepped(state.discriminator.variables, loss, 0.05, batch.images, fake, batch.labels, mode)
    inputs = discriminator, tuple(batch), config.prior.draw(key_latents, 6), training(key_generator_pass, 6)
    loss = functools.partial(acgan.generator_loss, config)
    return discriminator, stepped(state.generator.variables, loss, 0.05, *inputs)[0]


def test_update_is_a_step_of_each_player_done_by_hand():
    """Fakes have the classes of the real images, and no statistics of either player are those of another's step."""
    config = contract.with_sgd(TINY, 0.05)
    state, key, batch = TestContract.init(config), jax.random.key(2), acgan.Labelled(REAL, LABELS)
    found, _ = compiled(acgan.update, config)(state, batch, key)
    wanted = compiled(by_hand, config)(state, batch, key)
    assert_close((found.discriminator.variables, found.generator.variables), wanted)


def test_the_class_changes_the_image():
    state, latents = TestContract.init(), jax.random.normal(jax.random.key(2), (6, 3))
    draw = compiled(acgan.from_latents, TINY)
    assert (np.abs(draw(state, latents, LABELS) - draw(state, latents, (LABELS + 1) % 3)).max((1, 2, 3)) > 1e-4).all()
    sample = jax.jit(lambda state, labels: acgan.sample(TINY, state, jax.random.key(0), 6, labels))
    np.testing.assert_array_equal(sample(state, None), sample(state, LABELS))


def test_without_the_class_weight_labels_do_not_move_the_discriminator():
    """They enter its loss by L_C alone: the image is not labelled for it."""
    variables = TestContract.init().discriminator.variables

    @functools.partial(jax.jit, static_argnums=0)
    def loss(config, labels):
        return acgan.discriminator_loss(config, variables, REAL, FAKE, labels, MODE)[0]

    free = dataclasses.replace(TINY, class_weight=0.0)
    others = (LABELS + 1) % 3
    assert loss(free, LABELS) == loss(free, others)
    assert loss(TINY, LABELS) != loss(TINY, others)


@pytest.mark.parametrize("wrapped", [False, True], ids=["dropout", "noise"])
def test_noise_and_dropout_reach_the_discriminator_and_differ_between_real_and_fake(wrapped):
    net = InstanceNoise(MLP((4,), activation="tanh"), 0.1) if wrapped else ACGANDiscriminator((6,))
    config = dataclasses.replace(TINY, discriminator=net)
    variables, network = TestContract.init(config).discriminator.variables, two_headed(net, 3)
    plain, real, fake = (
        network(variables, REAL, mode)[0][1]
        for mode in (MODE.replace(train=False), MODE.stream(REAL_STREAM), MODE.stream(FAKE_STREAM))
    )
    for one, other in ((real, plain), (fake, plain), (real, fake)):
        assert (np.abs(one - other).max(axis=1) > 1e-6).all()


def test_default_networks_have_the_reference_parameter_counts():
    state = jax.eval_shape(lambda: acgan.init(acgan.Config(), jax.random.key(0)))
    assert (count(state.generator.params), count(state.discriminator.params)) == (2_994_531, 1_663_883)


@pytest.mark.parametrize(("setting", "value"), [("num_classes", 0), ("class_weight", -1.0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})
