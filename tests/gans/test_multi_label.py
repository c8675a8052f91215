"""Labels made by a conditional GAN: binary on both sides, the loss without a game, labels that occur together."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import losses
from jaxgen.abilities import MultiLabelClassifier
from jaxgen.batches import MultiLabelled
from jaxgen.gans import multi_label
from jaxgen.gans.objectives import Relativistic
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Model
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Adam, Optimizer
from jaxgen.train_state import descend
from tests import contract

TINY = multi_label.Config(
    image_shape=(4, 4, 1),
    num_attributes=3,
    generator=MLP((6,)),
    discriminator=ConcatCondition(MLP((6,))),
    generator_optimizer=Optimizer(0.05, SGD()),
    discriminator_optimizer=Optimizer(0.05, Adam()),
)
IMAGES = jax.random.randint(jax.random.key(0), (8, 4, 4, 1), 0, 256).astype(jnp.uint8)
LABELS = jax.random.bernoulli(jax.random.key(1), 0.4, (8, 3)).astype(jnp.uint8)
FLOATS = IMAGES.astype(jnp.float32) / 127.5 - 1.0
init = jax.jit(multi_label.init, static_argnums=0)
update = jax.jit(multi_label.update, static_argnums=0)


class TestContract(contract.Suite):
    case = contract.Case(multi_label, TINY)


class TestContractWithRealScores(contract.Suite):
    """An objective of differences of scores, whose generator needs those of real labels too: no bias has a gradient."""

    case = contract.Case(
        multi_label,
        dataclasses.replace(TINY, objective=Relativistic()),
        unreached=("['discriminator']['net']['Dense_1']['bias']",),
    )


def test_it_names_labels_and_makes_no_images():
    assert isinstance(multi_label, MultiLabelClassifier) and not isinstance(multi_label, Model)
    state = init(TINY, jax.random.key(0))
    logits = multi_label.label_logits(TINY, state, FLOATS)
    np.testing.assert_array_equal(logits, multi_label.generate(TINY, state.generator.variables, FLOATS)[0])
    assert logits.shape == (8, 3)


def test_drawn_labels_are_binary_as_often_as_they_are_likely_with_the_gradient_of_the_probability():
    logits = jnp.array([[-2.0, 0.0, 1.5]])
    noise = jnp.broadcast_to((jnp.arange(1000.0) / 1000)[:, None], (1000, 3))
    drawn = multi_label.draw_labels(jnp.broadcast_to(logits, (1000, 3)), noise)
    np.testing.assert_array_equal(np.unique(drawn), [0, 1])
    np.testing.assert_allclose(drawn.mean(axis=0), jax.nn.sigmoid(logits[0]), atol=2e-3)
    slopes = jax.grad(lambda one: multi_label.draw_labels(one, noise[:1]).sum())(logits)
    probabilities = jax.nn.sigmoid(logits)
    np.testing.assert_allclose(slopes, probabilities * (1 - probabilities), rtol=1e-5)


SEEN: list[np.ndarray] = []


class Stored(nn.Module):
    """Keeps the labels that a discriminator is shown in `SEEN`."""

    @nn.compact
    def __call__(self, images, labels, output_shape, *, mode=EVALUATION):
        jax.debug.callback(lambda each: SEEN.append(np.asarray(each)), labels)
        return ConcatCondition(MLP((4,)))(images, labels, output_shape, mode=mode)


def test_the_discriminator_never_sees_a_label_between_0_and_1():
    SEEN.clear()
    config = dataclasses.replace(TINY, discriminator=Stored())
    multi_label.update(config, init(config, jax.random.key(0)), MultiLabelled(IMAGES, LABELS), jax.random.key(1))
    jax.effects_barrier()
    assert SEEN
    for each in SEEN:
        assert np.isin(each, (0, 1)).all()


def test_without_the_game_the_generator_descends_the_cross_entropy_of_each_label_alone():
    config = dataclasses.replace(TINY, adversarial_weight=0.0)
    state = before = init(config, jax.random.key(0))
    player, labels = before.generator, LABELS.astype(jnp.float32)
    for step in range(3):
        state, metrics = update(config, state, MultiLabelled(IMAGES, LABELS), jax.random.key(step))

        def loss(variables):
            logits, after = multi_label.generate(config, variables, FLOATS)
            each = -(labels * jax.nn.log_sigmoid(logits) + (1 - labels) * jax.nn.log_sigmoid(-logits))
            return each.mean(), ({"loss": each.mean()}, after)

        player, found = descend(player, loss, ())
        np.testing.assert_allclose(metrics["cross_entropy"], found["loss"], rtol=1e-5)
    jax.tree.map(
        lambda one, other: np.testing.assert_allclose(one, other, atol=1e-6), state.generator.params, player.params
    )
    weighed, _ = update(TINY, before, MultiLabelled(IMAGES, LABELS), jax.random.key(0))
    alone, _ = update(config, before, MultiLabelled(IMAGES, LABELS), jax.random.key(0))
    differ = jax.tree.map(
        lambda *each: bool((each[0] != each[1]).any()), weighed.generator.params, alone.generator.params
    )
    assert any(jax.tree.leaves(differ))


def test_the_losses_are_those_of_the_paper():
    state, noise = init(TINY, jax.random.key(0)), jax.random.uniform(jax.random.key(2), (8, 3))
    labels = LABELS.astype(jnp.float32)
    logits = multi_label.label_logits(TINY, state, FLOATS)
    fake = multi_label.draw_labels(logits, noise)

    def scores(labels):
        return TINY.discriminator.apply(state.discriminator.variables, FLOATS, labels, ())

    loss, _ = multi_label.discriminator_loss(TINY, state.discriminator.variables, FLOATS, (labels, fake), Mode())
    wanted = -jax.nn.log_sigmoid(scores(labels)) - jax.nn.log_sigmoid(-scores(fake))
    np.testing.assert_allclose(loss, wanted.mean(), rtol=1e-5)
    given = state.generator.variables, state.discriminator.variables, (FLOATS, labels), noise, Mode()
    loss, (metrics, _) = multi_label.generator_loss(TINY, *given)
    independent = losses.bernoulli_nll(logits, labels).mean() / 3
    np.testing.assert_allclose(metrics["cross_entropy"], independent, rtol=1e-5)
    np.testing.assert_allclose(loss, independent - 0.1 * jax.nn.log_sigmoid(scores(fake)).mean(), rtol=1e-5)


class Table(nn.Module):
    """A logit for each of the four vectors of two labels, whatever the image."""

    @nn.compact
    def __call__(self, images, labels, output_shape, *, mode=EVALUATION):
        table = self.param("table", nn.initializers.zeros, (2, 2))
        first, second = labels[:, 0], labels[:, 1]
        ones = jnp.stack([1 - first, first], axis=1), jnp.stack([1 - second, second], axis=1)
        return jnp.einsum("bi,bj,ij->b", *ones, table)


class Constant(nn.Module):
    """The same logits for every image."""

    @nn.compact
    def __call__(self, images, output_shape, *, mode=EVALUATION):
        logits = self.param("logits", nn.initializers.zeros, output_shape)
        return jnp.broadcast_to(logits, (len(images), *output_shape))


TOGETHER = dataclasses.replace(TINY, num_attributes=2, generator=Constant(), discriminator=Table())
"""Of two labels that always occur together, each for half of the images."""
PAIRS = jnp.array([[0, 0], [0, 0], [1, 1], [1, 1]], jnp.float32)
EVERY = jnp.array([[0, 0], [0, 1], [1, 0], [1, 1]], jnp.float32)


def table_slopes(table):
    """Of the discriminator's loss in its four logits, against labels drawn one by one with probability 1/2."""
    variables, images = {"params": {"table": table}}, FLOATS[:4]

    def loss(variables):
        return multi_label.discriminator_loss(TOGETHER, variables, images, (PAIRS, EVERY), Mode())[0]

    return np.asarray(jax.grad(loss)(variables)["params"]["table"])


@pytest.mark.parametrize("logit", [3.0, 0.0, -5.0, -15.0])
def test_exactly_one_of_two_labels_that_occur_together_has_no_finite_logit(logit):
    """At log(1/2 / 1/4) for (0, 0) and (1, 1) the slope is 0; at the others it is sigmoid(logit) / 4 > 0 for any."""
    best = np.log(2.0)
    slopes = table_slopes(jnp.array([[best, logit], [logit, best]]))
    np.testing.assert_allclose(np.diag(slopes), 0.0, atol=1e-7)
    np.testing.assert_allclose(slopes[[0, 1], [1, 0]], 1 / (1 + np.exp(-logit)) / 4, rtol=1e-4)
    assert (slopes[[0, 1], [1, 0]] > 0).all()


def test_the_cross_entropy_of_each_label_alone_knows_nothing_of_that():
    """At p = 1/2 it is at its minimum, though half of the vectors that are drawn never occur."""
    variables = init(TOGETHER, jax.random.key(0)).generator.variables

    def loss(variables):
        return multi_label.cross_entropy(TOGETHER, variables, FLOATS[:4], PAIRS, Mode())[0]

    value, slopes = jax.value_and_grad(loss)(variables)
    np.testing.assert_allclose(value, np.log(2.0), rtol=1e-6)
    np.testing.assert_allclose(slopes["params"]["logits"], 0.0, atol=1e-7)
