import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.discrimination import FAKE as FAKE_STREAM
from jaxgen.gans.discrimination import REAL as REAL_STREAM
from jaxgen.gans.discrimination import Discrimination, flip_labels, require_no_batch_statistics, score_both
from jaxgen.gans.networks import scorer, two_headed
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.mlp import MLP
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.train_state import blank, create
from tests.contract import differs
from tests.gans.games import training

NET = MLP((4,), norm="batch")
REAL, FAKE = jax.random.normal(jax.random.key(0), (2, 8, 3)) + jnp.array([0.0, 2.0])[:, None, None]
TRAINING = Mode(train=True)


@pytest.fixture(scope="module")
def variables():
    return dict(NET.init(jax.random.key(1), REAL, ()))


def normalized(variables, images):
    """The network, its statistics those of `images`."""
    return NET.apply(variables, images, (), mode=TRAINING, mutable=["batch_stats"])[0]


@pytest.mark.parametrize("joint", [False, True])
def test_batch_statistics_are_of_one_batch_or_of_two(variables, joint):
    (real, fake), after = score_both(scorer(NET), variables, REAL, FAKE, TRAINING, joint=joint)
    both = normalized(variables, jnp.concatenate([REAL, FAKE]))
    apart = jnp.concatenate([normalized(variables, REAL), normalized(variables, FAKE)])
    found, wanted, other = jnp.concatenate([real, fake]), *((both, apart) if joint else (apart, both))
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert np.abs(found - other).max() > 0.1
    means = [np.asarray(tree["batch_stats"]["BatchNorm_0"]["mean"]) for tree in (variables, after)]
    hidden = [np.asarray(x @ variables["params"]["Dense_0"]["kernel"]).mean(0) for x in (REAL, FAKE)]
    steps = [sum(hidden) / 2] if joint else hidden  # two batches move the running means twice, the real one first
    for mean in steps:
        means[0] = 0.9 * means[0] + 0.1 * mean
    np.testing.assert_allclose(means[1], means[0], atol=1e-5)


@pytest.mark.parametrize("joint", [False, True])
def test_fakes_alone_are_normalised_by_themselves_and_real_outputs_are_none(variables, joint):
    (real, fake), after = score_both(scorer(NET), variables, None, FAKE, TRAINING, joint=joint)
    assert real is None
    np.testing.assert_allclose(fake, normalized(variables, FAKE), atol=1e-5)
    chex.assert_trees_all_equal(after, scorer(NET)(variables, FAKE, TRAINING)[1])  # their statistics are kept
    assert differs(after["batch_stats"], variables["batch_stats"])
    outputs, _ = score_both(two_headed(MLP(()), 2), MLP(()).init(jax.random.key(0), REAL, (3,)), None, FAKE, TRAINING)
    assert outputs[0] == (None, None)
    assert [part.shape for part in outputs[1]] == [(8,), (8, 2)]


class Conditioned(nn.Module):
    """The product of a point's first number and its condition."""

    @nn.compact
    def __call__(self, points, condition, output_shape, *, mode=EVALUATION):
        return points[:, 0] * condition


@pytest.mark.parametrize("joint", [False, True])
def test_conditions_stay_with_their_points(joint):
    real, fake = jnp.arange(8.0), 10 + jnp.arange(8.0)
    inputs = (REAL, real), (FAKE, fake)
    scores, _ = score_both(scorer(Conditioned()), {}, *inputs, TRAINING, joint=joint)
    np.testing.assert_allclose(jnp.stack(scores), [REAL[:, 0] * real, FAKE[:, 0] * fake], rtol=1e-6)


class Drawn(nn.Module):
    """Gives back a number drawn from each example's key."""

    @nn.compact
    def __call__(self, images, output_shape, *, mode=EVALUATION):
        return jax.vmap(jax.random.uniform)(mode.example_keys("a test"))


@pytest.mark.parametrize("joint", [False, True])
def test_each_real_example_and_each_fake_has_keys_of_its_own(joint):
    mode = training(jax.random.key(2), 8)
    scores, _ = score_both(scorer(Drawn()), {}, REAL, FAKE, mode, joint=joint)
    assert len(np.unique(np.concatenate(scores))) == 16
    for found, stream in zip(scores, (REAL_STREAM, FAKE_STREAM), strict=True):
        np.testing.assert_array_equal(found, jax.vmap(jax.random.uniform)(mode.stream(stream).keys))
    (_, alone), _ = score_both(scorer(Drawn()), {}, None, FAKE, mode, joint=joint)
    np.testing.assert_array_equal(alone, scores[1])


def test_flipped_pairs_exchange_their_scores_and_the_share_is_as_set():
    real, fake = jnp.arange(4_000.0), 10_000 + jnp.arange(4_000.0)
    found = flip_labels(0.25, real, fake, training(jax.random.key(0), 4_000))
    flipped = np.asarray(found[0] != real)
    np.testing.assert_array_equal(found[0], np.where(flipped, fake, real))
    np.testing.assert_array_equal(found[1], np.where(flipped, real, fake))
    assert flipped.mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 4_000))


def test_without_flipping_no_keys_are_needed_and_with_it_they_are():
    real, fake = flip_labels(0.0, REAL[:, 0], FAKE[:, 0], TRAINING)
    np.testing.assert_array_equal(jnp.stack([real, fake]), jnp.stack([REAL[:, 0], FAKE[:, 0]]))
    with pytest.raises(ValueError, match="label flipping draws random numbers in training"):
        flip_labels(0.1, real, fake, TRAINING)


@pytest.mark.parametrize(
    ("net", "refused"), [(NET, True), (Spectral(NET), True), (Spectral(MLP((4,))), False), (MLP((4,)), False)]
)
def test_batch_statistics_of_a_penalised_critic_are_refused_and_other_collections_are_not(net, refused):
    critic = create(net, Optimizer(0.1, SGD()), jax.random.key(0), blank((3,)), ())
    if refused:
        with pytest.raises(ValueError, match="batch normalisation: use layer normalisation, spectral normalisation"):
            require_no_batch_statistics(critic)
    else:
        require_no_batch_statistics(critic)


def test_by_default_real_and_fake_stay_apart_and_no_label_is_flipped(variables):
    assert Discrimination() == Discrimination(joint=False, flip=0.0)
    found, wanted = (score_both(scorer(NET), variables, REAL, FAKE, TRAINING, **o)[0] for o in ({}, {"joint": False}))
    chex.assert_trees_all_equal(found, wanted)


@pytest.mark.parametrize("flip", [-0.1, 0.6])
def test_settings_out_of_range_are_refused_and_its_borders_are_not(flip):
    with pytest.raises(ValueError, match=f"flip is {flip}, but must be in"):
        Discrimination(flip=flip)
    assert [Discrimination(flip=border).flip for border in (0.0, 0.5)] == [0.0, 0.5]
