import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import diagnostics
from jaxgen.gans.objectives import LeastSquares, Minimax, Wasserstein


def test_certainty_is_the_share_classified_correctly_above_the_threshold():
    """sigmoid(3) = 0.953, sigmoid(2) = 0.881."""
    real, fake = jnp.array([3.0, 2.0, -4.0, 5.0]), jnp.array([-3.0, -2.0, 4.0, 0.0])
    found = diagnostics.certainty(Minimax(), real, fake)
    assert {name: float(value) for name, value in found.items()} == {"real_certainty": 0.5, "fake_certainty": 0.25}


def test_a_probability_at_the_threshold_is_not_above_it():
    """Scores of LSGAN are their probabilities. Shares are float32, as all that is logged."""
    real, fake = (jnp.full(2, border, jnp.float32) for border in (diagnostics.CERTAIN, 1 - diagnostics.CERTAIN))
    found = diagnostics.certainty(LeastSquares(), real, fake)
    assert {name: (float(value), value.dtype) for name, value in found.items()} == {
        "real_certainty": (0.0, jnp.float32),
        "fake_certainty": (0.0, jnp.float32),
    }


def test_a_critic_has_no_certainty():
    assert diagnostics.certainty(Wasserstein(), jnp.ones(2), jnp.zeros(2)) == {}


def test_mean_squared_distance_is_that_of_all_pairs():
    points = np.asarray(jax.random.normal(jax.random.key(0), (6, 2, 3)))
    pairs = [((one - other) ** 2).sum() for one in points for other in points]
    assert diagnostics.mean_squared_distance(jnp.asarray(points)) == pytest.approx(np.mean(pairs), rel=1e-5)


def test_diversity_compares_fakes_with_real_examples_over_all_devices():
    real = jax.random.normal(jax.random.key(0), (8, 3))
    fake = 0.5 * jax.random.normal(jax.random.key(1), (8, 3)) + 7.0
    wanted = diagnostics.diversity(real, fake)["diversity"]
    assert wanted == pytest.approx(float(fake.var(0).sum() / real.var(0).sum()), rel=1e-4)
    found = jax.vmap(functools.partial(diagnostics.diversity, axis_name="i"), axis_name="i")(
        real.reshape(4, 2, 3), fake.reshape(4, 2, 3)
    )
    np.testing.assert_allclose(found["diversity"], np.full(4, wanted), rtol=1e-5)
    assert diagnostics.diversity(real, jnp.ones_like(fake))["diversity"] == 0
    assert np.isfinite(diagnostics.diversity(jnp.ones_like(real), jnp.ones_like(real))["diversity"])


def test_the_mean_over_steps_is_each_metrics_own():
    found = diagnostics.means({"a": jnp.array([1.0, 3.0]), "b": jnp.array([0.0, 0.5])})
    assert {name: float(value) for name, value in found.items()} == {"a": 2.0, "b": 0.25}


def test_latents_are_recovered_by_the_share_of_their_squares_over_all_devices():
    latents = jax.random.normal(jax.random.key(2), (8, 2, 3))
    found = 0.5 * latents
    loss, share = diagnostics.latent_error(found, latents)
    np.testing.assert_allclose(loss, 0.25 * (np.asarray(latents) ** 2).sum((1, 2)).mean(), rtol=1e-5)
    np.testing.assert_allclose(share, 0.75, rtol=1e-5)
    assert diagnostics.latent_error(latents, latents)[1] == 1 and diagnostics.latent_error(0 * latents, latents)[1] == 0
    uneven = jnp.concatenate([found[:4], 0 * latents[4:]])
    error = functools.partial(diagnostics.latent_error, axis_name="i")
    shares = jax.vmap(error, axis_name="i")(uneven.reshape(4, 2, 2, 3), latents.reshape(4, 2, 2, 3))[1]
    np.testing.assert_allclose(shares, np.full(4, diagnostics.latent_error(uneven, latents)[1]), rtol=1e-5)
