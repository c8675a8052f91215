import functools

import jax
import numpy as np
import pytest

from jaxgen.priors import Gaussian, Normal, Uniform


@pytest.mark.parametrize(
    ("prior", "variance", "largest"), [(Normal(3), 1.0, 9.0), (Uniform(3), 1 / 3, 1.0), (Uniform(3, 3**0.5), 1.0, 1.74)]
)
def test_draws_have_the_moments_of_the_prior(prior, variance, largest):
    latents = prior.draw(jax.random.key(0), 4_000)
    assert latents.shape == (4_000, 3) and latents.dtype == np.float32
    assert np.abs(latents).max() <= largest
    assert abs(latents.mean()) < 4 / np.sqrt(12_000)
    assert latents.var() == pytest.approx(variance, abs=4 * np.sqrt(2 / 12_000))


@pytest.mark.parametrize("deviation", [1.0, 80.0])
def test_gaussian_noise_has_the_shape_and_the_deviation_of_the_prior(deviation):
    prior = Gaussian((2, 2, 1), deviation)
    latents = prior.draw(jax.random.key(0), 3_000)
    assert latents.shape == (3_000, *prior.shape) and latents.dtype == np.float32
    assert abs(latents.mean()) < 4 * deviation / np.sqrt(12_000)
    assert latents.std() == pytest.approx(deviation, rel=4 / np.sqrt(24_000))
    np.testing.assert_allclose(latents, deviation * Gaussian((2, 2, 1)).draw(jax.random.key(0), 3_000), rtol=1e-6)


@pytest.mark.parametrize("prior", [Normal(2), Uniform(2), Gaussian((2,), 3.0)])
def test_latents_are_the_same_however_many_devices_share_the_batch(prior):
    whole = prior.draw(jax.random.key(0), 8)
    shares = jax.vmap(lambda _: prior.draw(jax.random.key(0), 2, "i"), axis_name="i")(np.zeros(4))
    np.testing.assert_array_equal(shares.reshape(8, 2), whole)


def test_latents_have_a_hundred_numbers_by_default_and_may_have_one():
    assert Normal() == Normal(100) and Uniform() == Uniform(100, limit=1.0)
    assert [kind(1).draw(jax.random.key(0), 2).shape for kind in (Normal, Uniform)] == [(2, 1), (2, 1)]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (Normal, {"dim": 0}),
        (Uniform, {"dim": 0}),
        (Uniform, {"limit": 0.0}),
        (functools.partial(Gaussian, (2,)), {"deviation": 0.0}),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} is 0"):
        kind(**settings)
