import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.predictions import Data, Noise, Preconditioned, Score, V, Velocity
from jaxgen.diffusion.schedules import Level, snr
from jaxgen.diffusion.weights import (
    DataError,
    EDMWeight,
    MinSNR,
    NoiseError,
    PseudoHuber,
    SmoothL1,
    Squared,
    Unweighted,
)
from jaxgen.losses import mean_squared_error, smooth_l1_error

LOG_SNRS = np.array([-9.0, -2.0, 0.0, 1.5, 2.0, 11.0])
LEVEL = Level(*(jnp.sqrt(1 / (1 + jnp.exp(jnp.float32(sign * LOG_SNRS)))) for sign in (-1, 1)))
SNR = np.exp(LOG_SNRS)
SIGMAS = np.array([0.002, 0.1, 1.0, 80.0], np.float32)
EDM_LEVEL = Level(jnp.ones(4), jnp.asarray(SIGMAS))


def factors(weight, kind, level=LEVEL):
    found = weight.factor(kind, level)
    assert found.shape == level.sigma.shape and found.dtype == jnp.float32
    return np.asarray(found)


@pytest.mark.parametrize("gamma", [5.0, 1.0])
def test_min_snr_has_the_three_published_forms(gamma):
    least = np.minimum(SNR, gamma)
    np.testing.assert_allclose(factors(MinSNR(gamma), Noise()), least / SNR, rtol=1e-4)
    np.testing.assert_allclose(factors(MinSNR(gamma), Data()), least, rtol=1e-4)
    np.testing.assert_allclose(factors(MinSNR(gamma), V()), least / (SNR + 1), rtol=1e-4)


def test_min_snr_stops_at_5_by_default():
    assert MinSNR() == MinSNR(5.0)


@pytest.mark.parametrize("deviation", [0.5, 1.0])
def test_edms_weight_is_1_for_its_own_prediction(deviation):
    """lambda c_out^2 = 1 at every sigma."""
    kind = Preconditioned(deviation)
    np.testing.assert_allclose(factors(EDMWeight(deviation), kind, EDM_LEVEL), 1.0, rtol=1e-5)
    np.testing.assert_allclose(factors(EDMWeight(deviation), kind), 1.0, rtol=1e-4)


def test_edms_weight_of_the_data_is_the_lambda_of_its_table_1():
    level = Level(jnp.ones(4), jnp.array([0.002, 0.5, 1.0, 80.0]))
    np.testing.assert_allclose(factors(EDMWeight(), Data(), level), [250004, 8, 5, 4.0002], rtol=2e-5)


@pytest.mark.parametrize("weight", [Unweighted(), DataError(), NoiseError(), MinSNR(), EDMWeight(0.5)], ids=str)
@pytest.mark.parametrize("kind", [Velocity(), V()], ids=str)
def test_weights_are_finite_where_only_noise_is_left(weight, kind):
    """There ||x_0||^2 = ||v||^2; the limits of w: 1, 0, 0 and 1 / data_deviation^2."""
    limits = {NoiseError: 0.0, MinSNR: 0.0, EDMWeight: 4.0}
    found = factors(weight, kind, Level(jnp.zeros(1), jnp.ones(1)))
    np.testing.assert_allclose(found, limits.get(type(weight), 1.0))


FACTORS = [  # of the squared error of a prediction, so that it is that of the data, or of the noise
    (DataError(), Data(), 1.0),
    (DataError(), Noise(), 1 / SNR),
    (DataError(), V(), 1 / (1 + SNR)),  # ||v||^2 = (1 + SNR) ||x_0||^2
    (DataError(), Score(), (1 / (1 + SNR)) / SNR),  # the noise is -sigma score, sigma^2 = 1 / (1 + SNR)
    (NoiseError(), Noise(), 1.0),
    (NoiseError(), Data(), SNR),  # ||epsilon||^2 = SNR ||x_0||^2
    (NoiseError(), V(), SNR / (1 + SNR)),
    (NoiseError(), Velocity(), SNR / (1 + np.sqrt(SNR)) ** 2),  # epsilon - x_0 = (x_t - (alpha + sigma) x_0) / sigma
]


@pytest.mark.parametrize(("weight", "kind", "wanted"), FACTORS, ids=str)
def test_errors_of_one_prediction_are_the_same_in_noise_data_and_v(weight, kind, wanted):
    np.testing.assert_allclose(factors(weight, kind), np.broadcast_to(wanted, SNR.shape), rtol=1e-4)


@pytest.mark.parametrize("kind", [Noise(), Data(), V(), Score(), Velocity(), Preconditioned()], ids=str)
def test_weights_of_the_same_error_do_not_depend_on_the_kind_but_by_its_own_error(kind):
    """Each is w(SNR) times what turns the kind's error into that of the data."""
    own = factors(DataError(), kind)
    np.testing.assert_allclose(factors(NoiseError(), kind), SNR * own, rtol=1e-4)
    np.testing.assert_allclose(factors(MinSNR(2.0), kind), np.minimum(SNR, 2.0) * own, rtol=1e-4)
    np.testing.assert_array_equal(factors(Unweighted(), kind), np.ones(len(SNR)))
    s = np.exp(-0.5 * LOG_SNRS)
    np.testing.assert_allclose(factors(EDMWeight(2.0), kind), (s**2 + 4) / (2 * s) ** 2 * own, rtol=1e-4)
    np.testing.assert_allclose(snr(LEVEL), SNR, rtol=1e-4)


def test_distances_are_means_over_an_example():
    prediction, wanted = jnp.array([[0.0, 0.5], [3.0, -1.0]]), jnp.zeros((2, 2))
    np.testing.assert_allclose(Squared().between(prediction, wanted), [0.125, 5.0])
    np.testing.assert_allclose(SmoothL1().between(prediction, wanted), [0.0625, 1.5])
    np.testing.assert_array_equal(Squared().between(prediction, wanted), mean_squared_error(prediction, wanted))
    np.testing.assert_array_equal(SmoothL1().between(prediction, wanted), smooth_l1_error(prediction, wanted))


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        (MinSNR, {"gamma": 0.0}, "gamma is 0.0, but must be above 0"),
        (EDMWeight, {"data_deviation": 0.0}, "data_deviation is 0.0, but must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        kind(**settings)


def test_the_pseudo_huber_distance_is_of_the_whole_example():
    """c = .0299298379 for 32x32x3; near 0 a square over 2 c, far away a length less c."""
    distance, size = PseudoHuber(), (1, 32, 32, 3)
    c = 0.0299298379
    step = jnp.zeros(size).at[0, 0, 0, 0]
    zeros = jnp.zeros(size)
    np.testing.assert_allclose(distance.between(step.set(3.0), zeros), (9 + c**2) ** 0.5 - c, rtol=1e-5)
    np.testing.assert_allclose(distance.between(step.set(0.004), zeros), 0.004**2 / (2 * c), rtol=0.01)
    assert distance.between(zeros, zeros)[0] == 0.0
    drawn = jax.random.normal(jax.random.key(0), size)
    slope = jax.grad(lambda images: distance.between(images, zeros)[0])(drawn)
    assert 0.99 < float(jnp.linalg.norm(slope)) <= 1.0


def test_a_distance_without_a_scale_is_refused():
    with pytest.raises(ValueError, match=r"share is 0\.0, but must be above 0"):
        PseudoHuber(0.0)
