import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.diffusion import importance
from jaxgen.diffusion.importance import KEPT, draw_times, probabilities, remember


def filled(losses):
    """A history whose rows hold each loss ten times."""
    history = importance.start(len(losses))
    for _ in range(KEPT):
        history = remember(history, jnp.arange(len(losses), dtype=jnp.float32), jnp.asarray(losses, jnp.float32))
    return history


def test_times_are_uniform_until_each_step_has_its_losses():
    history = filled([1.0, 2.0, 3.0])
    partly = history._replace(counts=history.counts.at[1].add(-1))
    np.testing.assert_allclose(probabilities(partly), 1 / 3)
    times, weights = draw_times(partly, jax.random.key(0), 16, None)
    np.testing.assert_allclose(weights, 1.0, rtol=1e-6)
    assert set(np.asarray(times)) <= {0.0, 1.0, 2.0}


def test_probabilities_are_the_roots_of_mean_squares_and_a_thousandth_uniform():
    history = filled([1.0, 2.0, 5.0])
    np.testing.assert_allclose(probabilities(history), 0.999 * np.array([1, 2, 5]) / 8 + 0.001 / 3, rtol=1e-6)


def test_weighted_losses_have_the_mean_over_the_steps():
    losses = np.array([1.0, 2.0, 5.0])
    history = filled(losses)
    times, weights = draw_times(history, jax.random.key(0), 20_000, None)
    np.testing.assert_allclose((np.asarray(weights) * losses[np.asarray(times, int)]).mean(), losses.mean(), rtol=0.01)
    assert (np.asarray(times) == 2).mean() > 0.5


def test_the_last_ten_losses_stay_in_their_order():
    history = remember(importance.start(2), jnp.ones(13), jnp.arange(13.0))
    np.testing.assert_array_equal(history.losses[1], np.arange(3.0, 13.0))
    np.testing.assert_array_equal(history.counts, [0, KEPT])
    history = remember(importance.start(2), jnp.ones(4), jnp.arange(1.0, 5.0))
    np.testing.assert_array_equal(history.losses[1], [1, 2, 3, 4, 0, 0, 0, 0, 0, 0])


def test_zero_losses_give_no_nan():
    assert np.isfinite(probabilities(filled([0.0, 0.0]))).all()


def test_times_are_the_same_on_any_number_of_devices():
    history, key = filled([1.0, 3.0]), jax.random.key(1)
    whole = draw_times(history, key, 8, None)[0]
    shares = jax.vmap(functools.partial(draw_times, axis_name="d"), (None, None, None), axis_size=4, axis_name="d")
    np.testing.assert_array_equal(shares(history, key, 2)[0].reshape(-1), whole)
