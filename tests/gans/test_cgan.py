import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Labelled
from jaxgen.gans import cgan, discrimination
from jaxgen.gans.discrimination import Discrimination, InstanceNoise
from jaxgen.gans.objectives import LeastSquares, NonSaturating, Relativistic
from jaxgen.nets.conditional_mlp import ConditionalMLPDiscriminator, ConditionalMLPGenerator
from jaxgen.nets.conditioning import ChannelCondition, ConcatCondition
from jaxgen.nets.conv_autoencoder import ConvEncoder
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract

TINY = cgan.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    prior=Normal(3),
    generator=ConditionalMLPGenerator(4, 4, 8, dropout=0.25),
    discriminator=ConditionalMLPDiscriminator(4, 4, 4, 2, 2, dropout=0.25),
    objective=NonSaturating(smoothing=0.1),
    view=Discrimination(flip=0.1, noise=InstanceNoise(0.1, 5)),
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    ema_decay=0.15,  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
PLAIN = dataclasses.replace(  # batch statistics in both players, and nothing by chance
    TINY,
    generator=ConcatCondition(MLP((8,), norm="batch")),
    discriminator=ChannelCondition(ConvEncoder((4,), norm="batch", negative_slope=0.2)),
    objective=LeastSquares(),
    view=Discrimination(),
    ema_decay=0.0,
)
LABELS = jnp.arange(6, dtype=jnp.int32) % 3
REAL = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1))


class TestContract(contract.Suite):
    case = contract.Case(cgan, TINY)


@functools.cache
def compiled(function, config):
    """One program in place of one for each operation."""
    return jax.jit(functools.partial(function, config))


def luck(config, num=6):
    return discrimination.chance(
        config.view, config.discriminator, jax.random.key(7), num, config.image_shape, jnp.int32(0)
    )


def test_the_class_changes_the_image_and_its_score():
    state, others = TestContract.init(), (LABELS + 1) % 3
    latents = jax.random.normal(jax.random.key(2), (6, 3))
    images, different = (compiled(cgan.from_latents, TINY)(state, latents, labels) for labels in (LABELS, others))
    assert (np.abs(images - different).max((1, 2, 3)) > 1e-3).all()
    inputs = state.discriminator.params, state.discriminator.collections, REAL
    scores, different = (compiled(cgan.score, TINY)(*inputs, labels)[0] for labels in (LABELS, others))
    assert (np.abs(scores - different) > 1e-3).all()
    sample = jax.jit(lambda state, labels: cgan.sample(TINY, state, jax.random.key(0), 6, labels))
    np.testing.assert_array_equal(sample(state, None), sample(state, LABELS))


def test_each_image_is_judged_under_the_label_that_it_was_made_for():
    """With labels exchanged within the batch, and latents and images with them, no loss changes."""
    state = TestContract.init(PLAIN)
    latents, fake = jax.random.normal(jax.random.key(2), (6, 3)), jax.random.uniform(jax.random.key(3), REAL.shape)
    inputs = PLAIN, state.discriminator.params, state.discriminator.collections
    order = jnp.array([1, 0, 2, 5, 4, 3])

    @jax.jit
    def losses(places, labels):
        of_d = cgan.discriminator_loss(*inputs, REAL[places], fake[places], labels, luck(PLAIN))[0]
        generator = PLAIN, state.generator.params, state.generator.collections, state.discriminator
        of_g = cgan.generator_loss(*generator, latents[places], labels, REAL, luck(PLAIN))[0]
        return jnp.stack([of_d, of_g])

    wanted = losses(jnp.arange(6), LABELS)
    np.testing.assert_allclose(losses(order, LABELS[order]), wanted, rtol=1e-5)
    assert (np.abs(losses(order, LABELS) - wanted) > 1e-4).all()


def test_update_is_a_step_of_each_player_done_by_hand():
    """The generator, batch statistics too, is as its own step leaves it; the discriminator sees real, then fake."""
    config = contract.with_sgd(PLAIN, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, _ = compiled(cgan.update, config)(state, Labelled(REAL, LABELS), key)

    @jax.jit
    def by_hand(state):
        def descended(player, loss):
            grads, collections = jax.grad(loss, has_aux=True)(player.params)
            params = jax.tree.map(lambda param, grad: param - 0.05 * grad, player.params, grads)
            return player.replace(params=params, collections=collections)

        def score(params, collections, images):
            return cgan.score(config, params, collections, images, LABELS)

        def generate(params, key):
            latents = config.prior.draw(key, 6)
            return cgan.generate(config, params, state.generator.collections, latents, LABELS, train=True)

        def of_d(params):
            real, collections = score(params, state.discriminator.collections, REAL)
            fake, collections = score(params, collections, generate(state.generator.params, keys[0])[0])
            return ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2, collections

        def of_g(params):
            fake, collections = generate(params, keys[1])
            scores, _ = score(discriminator.params, discriminator.collections, fake)
            return ((scores - 1) ** 2).mean() / 2, collections

        keys = jax.random.split(key, 6)
        discriminator = descended(state.discriminator, of_d)
        return descended(state.generator, of_g), discriminator

    for player, wanted in zip((found.generator, found.discriminator), by_hand(state), strict=True):
        for path, leaf in contract.leaves(wanted.variables).items():
            np.testing.assert_allclose(contract.leaves(player.variables)[path], leaf, atol=1e-6, err_msg=path)
    assert not contract.differs(found.ema, found.generator.variables)


def test_an_objective_that_compares_with_real_scores_gets_them():
    config = dataclasses.replace(PLAIN, objective=Relativistic())
    state = TestContract.init(config)
    latents = jax.random.normal(jax.random.key(2), (6, 3))
    inputs = state.generator.params, state.generator.collections, state.discriminator, latents, LABELS
    loss = compiled(cgan.generator_loss, config)
    one, other = (loss(*inputs, real, luck(config))[0] for real in (REAL, 1.0 - REAL))
    assert np.isfinite(one) and one != other


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
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    assert (count(state.generator.params), count(state.discriminator.params)) == wanted


@pytest.mark.parametrize(("setting", "value"), [("num_classes", 0), ("ema_decay", 1.0), ("value_range", (0.0, 2.0))])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is .*, but must be"):
        dataclasses.replace(TINY, **{setting: value})
