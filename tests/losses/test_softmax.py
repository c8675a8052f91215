"""Softmax GAN and boundary-seeking GAN: golden values, bounds, gradients, weights on a finite table."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.losses import softmax
from tests.losses.finite import FAKE, REAL, p, q

REAL_ENERGIES, FAKE_ENERGIES = jnp.array([0.5, -1.0]), jnp.array([1.0, 0.2])
SCORES = jnp.array([-1.5, 0.3, 1.0])


def test_softmax_losses_are_the_known_ones():
    """Energies of a hand-computed example: log Z = 1.5066125544."""
    scores = -REAL_ENERGIES, -FAKE_ENERGIES
    assert softmax.softmax_discriminator(*scores).mean() == pytest.approx(1.2566125544, abs=1e-6)
    assert softmax.softmax_generator(*scores).mean() == pytest.approx(1.6816125544, abs=1e-6)


def test_the_gradient_in_a_score_is_its_mass_minus_the_target():
    masses = np.array([0.1344433236, 0.6025331741, 0.0815439978, 0.1814795045])
    for loss, target in (
        (softmax.softmax_discriminator, [0.5, 0.5, 0.0, 0.0]),
        (softmax.softmax_generator, [0.25, 0.25, 0.25, 0.25]),
    ):
        slopes = jax.grad(lambda *scores, loss=loss: loss(*scores).mean(), (0, 1))(-REAL_ENERGIES, -FAKE_ENERGIES)
        np.testing.assert_allclose(jnp.concatenate(slopes), masses - np.array(target), atol=1e-6)


def test_softmax_losses_do_not_change_with_a_number_added_to_all_scores():
    for loss in (softmax.softmax_discriminator, softmax.softmax_generator):
        moved = loss(100.0 - REAL_ENERGIES, 100.0 - FAKE_ENERGIES)
        np.testing.assert_allclose(moved, loss(-REAL_ENERGIES, -FAKE_ENERGIES), rtol=1e-5)


def test_softmax_losses_have_the_entropies_of_their_targets_as_bounds():
    """log B for a discriminator that is sure, log 2 B for a generator whose fakes score like the data."""
    sure = softmax.softmax_discriminator(jnp.full(5, 50.0), jnp.full(5, -50.0))
    np.testing.assert_allclose(sure, np.log(5), rtol=1e-5)
    equal = softmax.softmax_generator(jnp.full(5, 3.0), jnp.full(5, 3.0))
    np.testing.assert_allclose(equal, np.log(10), rtol=1e-5)


def test_the_best_discriminator_of_softmax_gan_is_the_share_of_the_data():
    """On samples of two finite distributions: e^l proportional to p / (p + q), where no score has a slope."""

    def loss(table):
        return softmax.softmax_discriminator(table[REAL], table[FAKE]).mean()

    best = jnp.log(jnp.asarray(p / (p + q), jnp.float32))
    np.testing.assert_allclose(jax.grad(loss)(best + 2.0), np.zeros(4), atol=1e-6)


def test_fakes_on_the_boundary_cost_nothing_and_have_no_slope():
    value = softmax.boundary_seeking_generator(SCORES)
    assert value.mean() == pytest.approx(0.5566666667, abs=1e-6)
    slope = jax.grad(lambda scores: softmax.boundary_seeking_generator(scores).sum())(jnp.zeros(3))
    np.testing.assert_array_equal(slope, np.zeros(3))


def test_importance_weights_sum_to_one_and_are_equal_for_a_discriminator_that_tells_nothing_apart():
    found = softmax.importance_weights(jnp.stack([SCORES, jnp.full(3, 7.0)]))
    np.testing.assert_allclose(found[0], [0.0519962899, 0.3145592231, 0.6334444871], rtol=1e-6)
    np.testing.assert_allclose(found[1], np.full(3, 1 / 3), rtol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), np.ones(2), rtol=1e-6)


def test_samples_of_the_generator_weighted_at_the_best_discriminator_are_distributed_as_the_data():
    """With l = log p / q the sum of e^l over samples of q is their number: Z = 1."""
    scores = jnp.asarray(np.log(p / q)[FAKE], jnp.float32)
    assert jnp.exp(scores).mean() == pytest.approx(1.0, rel=1e-6)
    weights = np.asarray(softmax.importance_weights(scores[None])[0])
    np.testing.assert_allclose(np.bincount(FAKE, weights), p, rtol=1e-5)


def test_the_policy_descends_towards_the_data():
    """The gradient of the loss in the logits of a categorical generator is q - p, all samples there in their shares.

    No gradient flows into the scores.
    """
    scores = jnp.asarray(np.log(p / q)[FAKE], jnp.float32)

    def loss(logits, scores):
        log_probs = jax.nn.log_softmax(logits)[FAKE]
        return softmax.boundary_seeking_policy(log_probs[None], scores[None])[0]

    of_logits, of_scores = jax.grad(loss, (0, 1))(jnp.asarray(np.log(q), jnp.float32), scores)
    np.testing.assert_allclose(of_logits, q - p, atol=1e-5)
    np.testing.assert_array_equal(of_scores, np.zeros(10))
