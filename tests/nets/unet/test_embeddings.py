import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.unet.embeddings import Fourier, PhasedFourier, Sinusoid, TimeEmbedding

SINES = [-0.544021, 0.447671, 0.021543, 0.001000]  # of t = 10 and the frequencies 1, 10^(-4/3), 10^(-8/3), 10^-4
COSINES = [-0.839072, 0.894198, 0.999768, 1.0]


def test_sinusoids_are_those_of_ddpm():
    found = Sinusoid()(jnp.array([10.0, 0.0]), 8)
    np.testing.assert_allclose(found[0], [*SINES, *COSINES], atol=1e-6)
    np.testing.assert_array_equal(found[1], [0.0] * 4 + [1.0] * 4)


def test_sinusoids_of_improved_ddpm_have_the_cosines_first_and_do_not_reach_the_last_frequency():
    found = Sinusoid(endpoint=False, cosines_first=True)(jnp.array([10.0]), 8)
    angles = 10.0 * np.array([1, 1e-1, 1e-2, 1e-3])
    np.testing.assert_allclose(found[0], [*np.cos(angles), *np.sin(angles)], atol=1e-6)


def test_times_of_a_thousand_steps_differ():
    found = Sinusoid()(jnp.arange(1000.0), 32)
    distances = jnp.linalg.norm(found[1:] - found[:-1], axis=1)
    assert distances.min() > 0.5
    assert found.dtype == jnp.float32


def test_fourier_frequencies_are_quantiles_of_a_half_normal_distribution():
    """Their mean square is that of N(0, scale^2) but for the tail, and half of them are below the quartile 0.6745."""
    num = 512
    times = jnp.array([1e-5])
    frequencies = Fourier(3.0)(times, 2 * num)[0, :num] / (2 * np.pi * 1e-5)  # sin(x) = x - ...
    np.testing.assert_allclose(frequencies[num // 2 - 1 : num // 2 + 1].mean(), 3 * 0.67449, rtol=1e-3)
    np.testing.assert_allclose(jnp.mean(frequencies**2), 9.0, rtol=0.01)
    assert (jnp.diff(frequencies) > 0).all()


def test_fourier_features_lie_on_circles():
    sines, cosines = jnp.split(Fourier()(jnp.linspace(-1, 1, 5), 16), 2, axis=1)
    np.testing.assert_allclose(sines**2 + cosines**2, 1.0, atol=1e-5)
    np.testing.assert_allclose(sines[0], -sines[-1], atol=1e-5)


@pytest.mark.parametrize(("num", "bandwidth"), [(128, 1.0), (511, 3.0)])
def test_phased_features_have_the_mean_square_1_at_every_time(num, bandwidth):
    """2 cos^2 has the mean 1 over phases that fill a circle, of an example over its features."""
    found = PhasedFourier(bandwidth)(jnp.linspace(-1.6, 1.1, 50), num)
    np.testing.assert_allclose((found**2).mean(1), 1.0, atol=0.1)
    assert found.shape == (50, num) and np.abs(found).max() <= np.sqrt(2) + 1e-5
    assert jnp.linalg.norm(found[1:] - found[:-1], axis=1).min() > 0.5


def test_phased_features_have_the_frequencies_of_a_normal_distribution_and_phases_of_their_own():
    """At time 0 they are sqrt(2) cos(2 pi i 0.618...); slopes there hold the frequencies."""
    num, features = 400, PhasedFourier(2.0)
    phases = 2 * np.pi * (np.arange(num) * 0.6180339887498949 % 1)
    np.testing.assert_allclose(features(jnp.zeros(1), num)[0], np.sqrt(2) * np.cos(phases), atol=1e-5)
    _, slopes = jax.jvp(lambda times: features(times, num), (jnp.zeros(1),), (jnp.ones(1),))
    apart = np.abs(np.sin(phases)) > 0.1
    frequencies = -slopes[0][apart] / (2 * np.pi * np.sqrt(2) * np.sin(phases[apart]))
    assert (np.diff(frequencies) > 0).all() and frequencies.mean() == pytest.approx(0.0, abs=0.05)
    assert np.sqrt((frequencies**2).mean()) == pytest.approx(2.0, rel=0.03)


@pytest.mark.parametrize("num", [7, 2, 0])
@pytest.mark.parametrize("features", [Sinusoid(), Fourier()])
def test_odd_numbers_of_features_are_refused(num, features):
    with pytest.raises(ValueError, match=f"number of time features is {num}, but must be even and at least 4"):
        features(jnp.zeros(2), num)


def test_an_embedding_is_its_formula():
    net, times, classes = TimeEmbedding(Sinusoid(), 4, 6), jnp.array([3.0, 700.0]), jnp.array([[0.0, 1.0, 0.0]] * 2)
    outputs, variables = jax.jit(lambda: net.init_with_output(jax.random.key(0), times, classes))()
    params = variables["params"]
    hidden = Sinusoid()(times, 4) @ params["Dense_0"]["kernel"]  # biases begin at 0
    hidden = jax.nn.swish(hidden) @ params["Dense_1"]["kernel"] + params["classes"]["kernel"][1][None]
    np.testing.assert_allclose(outputs, jax.nn.swish(hidden), atol=1e-6)
    assert set(params["classes"]) == {"kernel"}
