"""SiGAN: pairs of a batch, its losses by hand, an update, and the contract."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import LabelledPaired
from jaxgen.gans.discrimination import FAKE
from jaxgen.mode import Mode
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conv import ConvCritic
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.srresnet import SRResNet
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.translation import sigan
from tests import contract
from tests.gans.games import assert_close, compiled, stepped, training

TINY = sigan.Config(
    input_shape=(4, 4, 1),
    image_shape=(8, 8, 1),
    num_classes=3,
    generator=SRResNet(channels=2, blocks=1),
    embedder=ConvCritic(2, norm="batch"),
    discriminator=InstanceNoise(ConvCritic(2), 0.1),
    embedding_dim=3,
    margin=2.0,
    reduced_weight=0.5,
    contrastive_weight=0.3,
    adversarial_weight=0.2,
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
TARGETS = jax.random.uniform(jax.random.key(1), (6, 8, 8, 1), minval=-1.0)
BATCH = LabelledPaired(TARGETS[:, ::2, ::2], TARGETS, jnp.array([0, 2, 1, 1, 0, 2], jnp.int32))


class TestContract(contract.Suite):
    case = contract.Case(
        sigan,
        TINY,
        # A constant before batch normalisation is taken out by its mean; that of the vectors by their differences.
        unreached=(
            "['generator']['embedder']['Conv_1']['bias']",
            "['generator']['embedder']['Dense_0']['bias']",
            "['generator']['generator']['Conv_1']['bias']",
            "['generator']['generator']['Conv_2']['bias']",
            "['generator']['generator']['Conv_3']['bias']",
        ),
        inert=("num_classes",),  # no network depends on how many people there are
        refused=("input_shape", "image_shape"),  # the factor must be a whole number
        without_noise=True,
    )


def by_pairs(vectors, people, margin):
    """Equation 1 over all pairs, one by one."""
    values = {True: [0.0], False: [0.0]}
    for i in range(len(vectors)):
        for j in range(i):
            distance = np.linalg.norm(np.asarray(vectors[i] - vectors[j], np.float64))
            same = bool(people[i] == people[j])
            values[same].append(distance**2 if same else max(0.0, margin - distance) ** 2)
    return sum(sum(each) / max(1, len(each) - 1) for each in values.values())


@pytest.mark.parametrize("people", [(0, 2, 1, 1, 0, 2), (1, 1, 1, 1, 1, 1), (0, 1, 2, 3, 4, 5)])
def test_all_pairs_of_a_batch_count_those_of_one_person_as_much_as_the_others(people):
    vectors = jax.random.normal(jax.random.key(2), (6, 3))
    found = sigan.contrast(TINY, vectors, jnp.array(people, jnp.int32))
    assert float(found) == pytest.approx(by_pairs(vectors, people, 2.0), rel=1e-4)


def test_equal_pairs_of_one_person_cost_nothing():
    assert float(sigan.contrast(TINY, jnp.ones((4, 3)), jnp.zeros(4, jnp.int32))) == 0
    state = TestContract.init()
    one = jnp.broadcast_to(BATCH.inputs[:1], BATCH.inputs.shape)
    fakes, _ = sigan.enlarge(TINY, state.generator.variables, one)
    vectors, _ = sigan.embed(TINY, state.generator.variables, fakes)
    assert float(sigan.contrast(TINY, vectors, jnp.zeros(6, jnp.int32))) < 1e-9


def test_the_generators_loss_is_the_sum_of_its_terms():
    state, mode = TestContract.init(), training(jax.random.key(3), 6)
    variables, opponent = state.generator.variables, state.discriminator.variables
    loss, (metrics, _) = sigan.generator_loss(TINY, variables, opponent, BATCH, mode)
    fakes, after = sigan.enlarge(TINY, variables, BATCH.inputs, mode)
    vectors, _ = sigan.embed(TINY, after, fakes, mode)
    difference = np.asarray(fakes - TARGETS, np.float64)
    reduced = difference.reshape(6, 4, 2, 4, 2, 1).mean(axis=(2, 4))
    scores = np.asarray(TINY.discriminator.apply(opponent, fakes, (), mode=mode.stream(FAKE)), np.float64)
    wanted = {
        "error": np.abs(difference).mean(),
        "reduced_error": np.abs(reduced).mean(),
        "contrastive": by_pairs(vectors, BATCH.labels, 2.0),
        "generator_loss": np.log1p(np.exp(-scores)).mean(),
    }
    for name, value in wanted.items():
        assert float(metrics[name]) == pytest.approx(value, rel=1e-3), name
    whole = sum(weight * value for weight, value in zip((1.0, 0.5, 0.3, 0.2), wanted.values(), strict=True))
    assert float(loss) == pytest.approx(whole, rel=1e-3)


def by_hand(config, state, batch, key):
    """Both players' variables after a step of D, then one of G and e, with one set of keys."""
    mode = training(key, 6)
    fakes, _ = sigan.enlarge(config, state.generator.variables, batch.inputs, mode)
    loss = functools.partial(sigan.discriminator_loss, config)
    discriminator, *_ = stepped(state.discriminator.variables, loss, 0.05, batch.targets, fakes, mode)
    loss = functools.partial(sigan.generator_loss, config)
    return discriminator, stepped(state.generator.variables, loss, 0.05, discriminator, batch, mode)[0]


def test_update_is_a_step_of_each_player_written_out():
    config = contract.with_sgd(TINY, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, metrics = compiled(sigan.update, config)(state, BATCH, key)
    wanted = compiled(by_hand, config)(state, BATCH, key)
    assert_close((found.discriminator.variables, found.generator.variables), wanted)
    assert {"contrastive", "error", "reduced_error", "real_certainty"} <= metrics.keys()


def test_pairs_are_those_of_all_devices():
    state, mode = TestContract.init(), training(jax.random.key(3), 6)
    variables = state.generator.variables, state.discriminator.variables
    wanted = sigan.generator_loss(TINY, *variables, BATCH, mode)[1][0]["contrastive"]

    def of_share(batch, keys):
        shared = mode.with_keys(keys).replace(axis_name="i")
        return sigan.generator_loss(TINY, *variables, batch, shared)[1][0]["contrastive"]

    shares = jax.tree.map(lambda each: each.reshape(2, 3, *each.shape[1:]), (BATCH, mode.keys))
    found = jax.jit(jax.vmap(of_share, axis_name="i"))(*shares)
    np.testing.assert_allclose(found, np.full(2, wanted), rtol=1e-3)


def test_samples_are_enlarged_by_the_average_whatever_their_size():
    state = TestContract.init()
    images = jax.random.uniform(jax.random.key(4), (2, 6, 4, 1), minval=-1.0)
    found = sigan.sample(TINY, state, jax.random.key(0), 2, images)
    assert found.shape == (2, 12, 8, 1)
    wanted, _ = sigan.enlarge(TINY, state.ema, images, Mode())
    np.testing.assert_allclose(found, wanted.clip(-1.0, 1.0), rtol=1e-5)
    with pytest.raises(ValueError, match="condition is None, but must be the images to enlarge"):
        sigan.sample(TINY, state, jax.random.key(0), 2)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"margin is 0\.0, but must be above 0"):
        dataclasses.replace(TINY, margin=0.0)
    wrong = dataclasses.replace(TINY, input_shape=(3, 3, 1))
    with pytest.raises(ValueError, match="a whole number of times as high and wide as 3x3"):
        sigan.init(wrong, jax.random.key(0))
