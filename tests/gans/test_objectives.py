import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.objectives import (
    BoundarySeeking,
    Energy,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Relativistic,
    Softmax,
    Wasserstein,
)
from jaxgen.parallel import pmean

REAL, FAKE = jnp.array([2.0, -1.0, 0.5]), jnp.array([-1.5, 0.3, 1.0])

VALUES = [  # means on the scores above, computed apart from this package: discriminator, generator
    (Minimax(), 1.4277656309, -0.7896767367),
    (NonSaturating(), 1.4277656309, 0.8563434033),
    (NonSaturating(smoothing=0.1), 1.4777656309, 0.8563434033),
    (LeastSquares(), 1.4316666667, 1.1233333333),
    (LeastSquares(-1.0, 1.0, 0.0), 1.8650000000, 0.5566666667),
    (Hinge(), 1.9333333333, 0.0666666667),
    (Wasserstein(), -0.5666666667, 0.0666666667),
    (Relativistic(average=False), 0.8482786188, 1.4149452854),
    (Relativistic(), 1.1775823846, 2.3109157179),
    (Relativistic("least_squares"), 2.9844444444, 7.5177777778),
    (Relativistic("hinge"), 1.5555555556, 3.1333333333),
    (Softmax(), 2.1171715454, 2.4005048788),
    (BoundarySeeking(), 1.4277656309, 0.5566666667),
]


@pytest.mark.parametrize(("objective", "discriminator", "generator"), VALUES, ids=lambda value: str(value))
def test_means_are_the_known_ones(objective, discriminator, generator):
    assert objective.discriminator(REAL, FAKE).mean() == pytest.approx(discriminator, abs=1e-6)
    assert objective.generator(REAL, FAKE).mean() == pytest.approx(generator, abs=1e-6)
    assert hash(objective) == hash(type(objective)(**vars(objective)))


@pytest.mark.parametrize("loss", ["least_squares", "hinge"])
def test_paired_relativistic_losses_are_those_of_the_pairs_differences(loss):
    objective, gap = Relativistic(loss, average=False), np.asarray(REAL - FAKE)
    wanted = (gap - 1) ** 2 if loss == "least_squares" else np.maximum(0, 1 - gap)
    np.testing.assert_allclose(objective.discriminator(REAL, FAKE), wanted, rtol=1e-6)
    np.testing.assert_allclose(objective.generator(REAL, FAKE), objective.discriminator(FAKE, REAL), rtol=1e-6)


def test_energies_are_low_for_real_examples():
    objective = Energy(margin=10.0)
    real, fake = jnp.array([1.0, 2.0, 3.0]), jnp.array([4.0, 12.0, 8.0])
    assert objective.discriminator(real, fake).mean() == pytest.approx(14 / 3)
    assert objective.generator(None, fake).mean() == pytest.approx(8.0)
    np.testing.assert_allclose(objective.probabilities(real, fake)[1], [0.6, 0.0, 0.2], rtol=1e-6)


@pytest.mark.parametrize("objective", [value[0] for value in VALUES], ids=str)
def test_the_generators_value_depends_on_real_scores_where_it_says_so(objective):
    moved = objective.generator(REAL + 1.0, FAKE)
    assert objective.needs_real == bool(np.abs(moved - objective.generator(REAL, FAKE)).max() > 0.1)
    if objective.needs_real:
        with pytest.raises(ValueError, match="depends on the real scores"):
            objective.generator(None, FAKE)
    else:
        np.testing.assert_array_equal(objective.generator(None, FAKE), objective.generator(REAL, FAKE))


@pytest.mark.parametrize("objective", [value[0] for value in VALUES], ids=str)
def test_probabilities_rise_with_the_score_and_are_half_where_all_scores_are_undecided(objective):
    undecided = jnp.full(3, 0.5 if objective == LeastSquares() else 0.0)
    if objective == Wasserstein():
        assert objective.probabilities(REAL, FAKE) is None
        return
    for found in objective.probabilities(undecided, undecided):
        np.testing.assert_allclose(found, 0.5, atol=1e-6)
    real, fake = objective.probabilities(undecided + 9.0, undecided - 9.0)
    assert real.min() > 0.99 and fake.max() < 0.01


@pytest.mark.parametrize("player", ["generator", "discriminator"])
@pytest.mark.parametrize("objective", [value[0] for value in VALUES], ids=str)
def test_devices_that_share_the_batch_have_the_value_and_gradient_of_one(objective, player):
    """The loss of a player that adds its weight to every fake score, through the two means of a descent."""
    real, fake = jax.random.normal(jax.random.key(0), (2, 8))

    def gradient(real, fake, axis_name=None):
        def loss(weight):
            moved = fake + weight * jnp.arange(4, dtype=jnp.float32).sum() * fake
            return pmean(getattr(objective, player)(real, moved, axis_name=axis_name).mean(), axis_name)

        value, slope = jax.value_and_grad(loss)(jnp.float32(0.1))
        return value, pmean(slope, axis_name)

    wanted = gradient(real, fake)
    shares = [scores.reshape(4, 2) for scores in (real, fake)]
    found = jax.vmap(functools.partial(gradient, axis_name="i"), axis_name="i")(*shares)
    for one, many in zip(wanted, found, strict=True):
        np.testing.assert_allclose(many, np.full(4, one), rtol=1e-5)
    if objective.needs_real:
        probabilities = jax.vmap(functools.partial(objective.probabilities, axis_name="i"), axis_name="i")(*shares)
        for one, many in zip(objective.probabilities(real, fake), probabilities, strict=True):
            np.testing.assert_allclose(many.ravel(), one, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Minimax, {"smoothing": 1.0}, "smoothing is 1.0"),
        (NonSaturating, {"smoothing": -0.1}, "smoothing is -0.1"),
        (LeastSquares, {"fake_code": 1.0}, "real_code is 1.0"),
        (Energy, {"margin": 0.0}, "margin is 0.0"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(**settings)
