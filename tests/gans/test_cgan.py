import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Labelled
from jaxgen.conditions import one_hot
from jaxgen.gans import cgan
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.drawing import Drawing
from jaxgen.gans.objectives import LeastSquares, NonSaturating
from jaxgen.mode import Mode
from jaxgen.moving_averages import Exponential, NoAverage
from jaxgen.nets.conditional_mlp import ConditionalMLPDiscriminator, ConditionalMLPGenerator
from jaxgen.nets.conditioning import ChannelCondition, ConcatCondition
from jaxgen.nets.conv_autoencoder import ConvEncoder
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from jaxgen.train_state import apply, descend
from tests import contract
from tests.gans.games import UNREGULARIZED, UNTRICKED, assert_close, compiled, count

TINY = cgan.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    prior=Normal(3),
    generator=ConditionalMLPGenerator(3, 3, 6, dropout=0.25),
    discriminator=InstanceNoise(ConditionalMLPDiscriminator(3, 3, 3, 2, 2, dropout=0.25), 0.1, 5),
    objective=NonSaturating(smoothing=0.1),
    discrimination=Discrimination(flip=0.1),
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
PLAIN = dataclasses.replace(  # batch statistics in both players, and nothing random in them
    TINY,
    generator=ConcatCondition(MLP((6,), norm="batch")),
    discriminator=ChannelCondition(ConvEncoder((4,), norm="batch", negative_slope=0.2)),
    objective=LeastSquares(),
    discrimination=UNTRICKED,
    average=NoAverage(),
)
LABELS = jnp.arange(6, dtype=jnp.int32) % 3
REAL = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1))
TRAINING = Mode(train=True)


class TestContract(contract.Suite):
    # Its generator has no batch statistics.
    case = contract.Case(cgan, TINY, inert=(*UNREGULARIZED, "drawing.standing"))


def test_the_class_changes_the_image_and_its_score():
    config = dataclasses.replace(  # wide enough that no example has all its units at 0
        TINY,
        generator=ConditionalMLPGenerator(8, 8, 16),
        discriminator=ConditionalMLPDiscriminator(8, 8, 8, 2, 2),
    )
    state, others = TestContract.init(config), (LABELS + 1) % 3
    latents = jax.random.normal(jax.random.key(2), (6, 3))
    images, different = (compiled(cgan.from_latents, config)(state, latents, labels) for labels in (LABELS, others))
    assert (np.abs(images - different).max((1, 2, 3)) > 1e-3).all()
    scores, different = (compiled(cgan.discriminate, config)(state, REAL, labels) for labels in (LABELS, others))
    assert (np.abs(scores - different) > 1e-3).all()
    sample = jax.jit(lambda state, labels: cgan.sample(config, state, jax.random.key(0), 6, labels))
    np.testing.assert_array_equal(sample(state, None), sample(state, LABELS))
    np.testing.assert_array_equal(compiled(cgan.discriminate, config)(state, REAL), scores)


def test_each_image_is_scored_under_the_label_that_it_was_made_for():
    """With labels exchanged within the batch, and latents and images with them, no loss changes."""
    state = TestContract.init(PLAIN)
    latents, fake = jax.random.normal(jax.random.key(2), (6, 3)), jax.random.uniform(jax.random.key(3), REAL.shape)
    order = jnp.array([1, 0, 2, 5, 4, 3])

    @jax.jit
    def losses(places, labels):
        opponent, classes = state.discriminator.variables, one_hot(labels, 3)
        of_d = cgan.discriminator_loss(PLAIN, opponent, REAL[places], fake[places], classes, TRAINING)[0]
        inputs = opponent, (REAL, classes), latents[places], TRAINING
        return jnp.stack([of_d, cgan.generator_loss(PLAIN, state.generator.variables, *inputs)[0]])

    wanted = losses(jnp.arange(6), LABELS)
    np.testing.assert_allclose(losses(order, LABELS[order]), wanted, rtol=1e-5)
    assert (np.abs(losses(order, LABELS) - wanted) > 1e-4).all()


def test_update_is_a_step_of_each_player_done_by_hand():
    """The generator, batch statistics too, is as its own step leaves it; the discriminator sees real, then fake."""
    config = contract.with_sgd(PLAIN, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, _ = compiled(cgan.update, config)(state, Labelled(REAL, LABELS), key)
    classes = one_hot(LABELS, 3)

    @jax.jit
    def by_hand(state):
        def descended(player, loss):
            def value(params):
                return loss({**player.variables, "params": params})

            grads, after = jax.grad(value, has_aux=True)(player.params)
            return {**after, "params": jax.tree.map(lambda param, grad: param - 0.05 * grad, player.params, grads)}

        def score(variables, images):
            return apply(config.discriminator, variables, images, classes, (), mode=TRAINING)

        def generate(variables, key):
            return cgan.generate(config, variables, config.prior.draw(key, 6), classes, mode=TRAINING)

        def of_d(variables):
            real, variables = score(variables, REAL)
            fake, variables = score(variables, generate(state.generator.variables, keys[0])[0])
            return ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2, variables

        def of_g(variables):
            fake, variables = generate(variables, keys[1])
            return ((score(discriminator, fake)[0] - 1) ** 2).mean() / 2, variables

        keys = jax.random.split(key, 4)
        discriminator = descended(state.discriminator, of_d)
        return descended(state.generator, of_g), discriminator

    assert_close((found.generator.variables, found.discriminator.variables), by_hand(state))
    assert not contract.differs(found.ema, found.generator.variables)


@pytest.mark.parametrize(
    ("networks", "wanted"),
    [
        ({}, (2_413_984, 1_224_351)),  # the paper's
        (  # those that are taught
            {
                "generator": ConcatCondition(AtienzaGenerator()),
                "discriminator": ChannelCondition(AtienzaDiscriminator()),
            },
            (1_363_521, 1_090_001),
        ),
    ],
)
def test_networks_have_the_reference_parameter_counts(networks, wanted):
    state = jax.eval_shape(lambda: cgan.init(cgan.Config(**networks), jax.random.key(0)))
    assert (count(state.generator.params), count(state.discriminator.params)) == wanted


@pytest.mark.parametrize(("setting", "value"), [("num_classes", 0), ("value_range", (0.0, 2.0))])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .*, but must be"):
        dataclasses.replace(TINY, **{setting: value})


def test_two_discriminator_steps_are_two_updates_whose_generator_steps_are_left_out():
    """The second minibatch is met by the discriminator of the first; the generator takes one step, on more fakes."""
    config = dataclasses.replace(contract.with_sgd(PLAIN, 0.05), discriminator_steps=2)
    state, key = TestContract.init(config), jax.random.key(2)
    found, _ = compiled(cgan.update, config)(state, Labelled(REAL, LABELS), key)
    key_fake, *_ = jax.random.split(key, 4)
    latents = config.prior.draw(key_fake, 6)

    @jax.jit
    def by_hand(state):
        player = state.discriminator
        for places in (slice(0, None, 2), slice(1, None, 2)):
            classes = one_hot(LABELS[places], 3)
            fake, _ = cgan.generate(config, state.generator.variables, latents[places], classes, mode=TRAINING)
            loss = functools.partial(cgan.discriminator_loss, config)
            player, _ = descend(player, loss, (REAL[places], fake, classes, TRAINING))
        return player.variables

    assert_close(found.discriminator.variables, by_hand(state))
    assert (int(found.discriminator.step), int(found.generator.step)) == (2, 1)


def test_the_generator_step_has_as_many_minibatches_of_fakes_as_said():
    shapes = []

    class Recording(NonSaturating):
        def generator(self, real_scores, fake_scores, *, axis_name=None):
            shapes.append(fake_scores.shape)
            return super().generator(real_scores, fake_scores, axis_name=axis_name)

    config = dataclasses.replace(PLAIN, objective=Recording(), discriminator_steps=2, generator_batches=3)
    state = TestContract.init(PLAIN)
    jax.eval_shape(lambda: cgan.update(config, state, Labelled(REAL, LABELS), jax.random.key(0)))
    assert set(shapes) == {(9,)}


def test_samples_are_of_truncated_latents():
    config = dataclasses.replace(TINY, drawing=Drawing(0.25))
    state, key = TestContract.init(config), jax.random.key(3)
    latents = config.drawing.latents(config.prior, key, 6)
    assert np.abs(latents).max() < 0.25
    wanted = compiled(cgan.from_latents, TINY)(state, latents, LABELS)
    found = jax.jit(lambda state: cgan.sample(config, state, key, 6, LABELS))(state)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
