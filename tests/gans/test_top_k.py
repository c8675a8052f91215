import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.game import generator_value
from jaxgen.gans.objectives import Energy, Hinge, NonSaturating, Relativistic
from jaxgen.gans.regularization import Regularization
from jaxgen.gans.top_k import TopK, mean_of_best
from jaxgen.mode import Mode
from tests.gans.test_game import Config

SCORES = jnp.array([0.3, -1.5, 1.0, 0.2, -0.4, 2.0])
LOSSES = jnp.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])


def mean(step, top_k, losses=LOSSES, scores=SCORES, axis_name=None, **options):
    return mean_of_best(top_k, losses, scores, Mode(step=jnp.int32(step), train=True, axis_name=axis_name), **options)


@pytest.mark.parametrize(
    ("step", "wanted"),
    [(0, LOSSES.mean()), (9, LOSSES.mean()), (10, (32 + 4 + 1 + 8) / 4), (20, (32 + 4) / 2), (90, (32 + 4) / 2)],
)
def test_the_share_falls_by_gamma_at_each_step_of_it_down_to_the_least(step, wanted):
    """6, 6 * 0.7 = 4.2, 6 * 0.49 = 2.9 and 6 * 0.4 = 2.4 fakes, truncated."""
    assert mean(step, TopK(gamma=0.7, least=0.4, every=10)) == pytest.approx(float(wanted), rel=1e-6)


@pytest.mark.parametrize(("gamma", "num", "k"), [(0.9, 10, 9), (0.1, 10, 1), (0.01, 10, 1), (0.7, 10, 7), (0.3, 10, 3)])
def test_rounding_takes_no_fake_away_and_one_is_left(gamma, num, k):
    found = jax.grad(lambda losses: mean(1, TopK(gamma, least=gamma, every=1), losses, jnp.arange(1.0 * num)))
    np.testing.assert_allclose(found(jnp.ones(num)), [0.0] * (num - k) + [1 / k] * k, rtol=1e-6)


def test_fakes_outside_of_the_best_have_no_gradient():
    def value(scores):
        return mean(1, TopK(gamma=0.5, every=1), jax.nn.softplus(-scores), scores)

    best, slope = np.argsort(SCORES)[-3:], np.asarray(jax.grad(value)(SCORES))
    wanted = np.zeros(6)
    wanted[best] = -1 / (1 + np.exp(np.asarray(SCORES)[best])) / 3
    np.testing.assert_allclose(slope, wanted, rtol=1e-5)


def test_all_fakes_count_alike_where_all_scores_are_equal_and_k_is_the_whole_batch():
    assert mean(0, TopK(gamma=0.5), scores=jnp.zeros(6)) == pytest.approx(float(LOSSES.mean()))
    assert mean(1, TopK(gamma=0.5, every=1), scores=jnp.zeros(6)) == pytest.approx(7 / 3)  # the first three of equals


def test_no_step_is_needed_where_all_fakes_count():
    assert mean_of_best(TopK(), LOSSES, SCORES, Mode(train=True)) == LOSSES.mean()
    with pytest.raises(ValueError, match="top-k training counts updates, but this pass has no step"):
        mean_of_best(TopK(0.9), LOSSES, SCORES, Mode(train=True))


@pytest.mark.parametrize(
    ("objective", "reached"), [(NonSaturating(), 2), (Relativistic(), 6), (Relativistic(average=False), 2)], ids=str
)
def test_the_best_are_those_of_all_devices_and_so_is_the_gradient(objective, reached):
    """The largest two scores are on one of three devices. A loss of a gathered batch is the same on each."""
    config = Config(objective, Discrimination(), Regularization(top_k=TopK(gamma=0.4, least=0.4, every=1)))
    real, fake = jnp.linspace(-1.0, 2.0, 6), jnp.array([0.3, -1.5, 2.0, 1.0, -0.4, 0.2])

    def value(scores, axis_name=None):
        mode = Mode(step=jnp.int32(1), train=True, axis_name=axis_name)
        loss = generator_value(config, *scores, mode)[0]
        return loss if axis_name is None else jax.lax.pmean(loss, axis_name)

    wanted, slope = jax.value_and_grad(value)((real, fake))
    assert (np.asarray(slope[1]) != 0).sum() == reached
    shares = tuple(each.reshape(3, 2) for each in (real, fake))

    def whole(shares):
        return jax.vmap(lambda *each: value(each, "i"), axis_name="i")(*shares).mean()

    found, slopes = jax.value_and_grad(whole)(shares)
    assert found == pytest.approx(float(wanted), rel=1e-5)
    np.testing.assert_allclose(slopes[1].reshape(-1), slope[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("objective", "best"), [(Hinge(), (2, 5)), (Energy(), (1, 4))], ids=str)
def test_the_best_have_large_scores_or_small_energies(objective, best):
    config = Config(objective, Discrimination(), Regularization(top_k=TopK(gamma=0.4, least=0.4, every=1)))
    mode = Mode(step=jnp.int32(1), train=True)
    slope = np.asarray(jax.grad(lambda scores: generator_value(config, None, scores, mode)[0])(SCORES))
    np.testing.assert_array_equal(np.flatnonzero(slope), best)
