import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.predictions import (
    Bounded,
    Data,
    Noise,
    Preconditioned,
    Prediction,
    Score,
    V,
    Velocity,
    along,
    convert,
    corrupt,
    data_error,
    estimate,
    target,
)
from jaxgen.diffusion.schedules import Level

KINDS = [Noise(), Data(), V(), Score(), Velocity(), Preconditioned(0.5), Preconditioned(2.0)]

LEVELS = {
    "nearly clean": Level(0.99999, np.sqrt(1 - 0.99999**2)),
    "between": Level(0.6, 0.8),
    "nearly noise": Level(0.00635281809, np.sqrt(1 - 4.03582977e-5)),  # DDPM's last step
    "edm, least": Level(1.0, 0.002),
    "edm, most": Level(1.0, 80.0),
    "straight, early": Level(0.999, 0.001),
    "straight, late": Level(0.002, 0.998),
}
PURE_NOISE = Level(0.0, 1.0)


def points(num=6):
    """Data and noise (num, 2, 1), float64 where that is on."""
    data, noise = np.random.default_rng(0).normal(size=(2, num, 2, 1))
    return jnp.asarray(0.5 * data), jnp.asarray(noise)


def for_each(level, num):
    """The level as one for each example."""
    return Level(*(jnp.full(num, part) for part in level))


PAIRS = [(one, other) for i, one in enumerate(KINDS) for other in (KINDS[i - 1], KINDS[i - 2], KINDS[i - 4])]
"""Each kind with three others, so that each is reached from each in a few conversions."""


@jax.jit
def converted(level, data, noise):
    """Targets and estimates of all kinds, and the conversions of all pairs."""
    noisy = corrupt(level, data, noise)
    values = [target(kind, level, data, noise) for kind in KINDS]
    predictions = {kind: Prediction(value, kind) for kind, value in zip(KINDS, values, strict=True)}
    estimates = [estimate(prediction, level, noisy) for prediction in predictions.values()]
    return values, estimates, [convert(predictions[one], other, level, noisy) for one, other in PAIRS]


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("name", LEVELS)
def test_every_kind_stands_for_the_same_data_and_noise_and_goes_over_into_others(name, each):
    """At one level for all examples, and at one for each."""
    with jax.enable_x64(True):
        data, noise = points()
        level = for_each(LEVELS[name], len(data)) if each else Level(*map(jnp.float64, LEVELS[name]))
        values, estimates, pairs = converted(level, data, noise)
    for kind, found in zip(KINDS, estimates, strict=True):
        np.testing.assert_allclose(found.data, data, atol=1e-10, err_msg=str(kind))
        np.testing.assert_allclose(found.noise, noise, atol=1e-8, err_msg=str(kind))
    for (one, other), became in zip(PAIRS, pairs, strict=True):
        assert became.kind == other
        wanted = values[KINDS.index(other)]
        np.testing.assert_allclose(became.value, wanted, rtol=1e-7, atol=1e-8, err_msg=f"{one}, {other}")


def test_most_kinds_say_what_the_data_are_where_only_noise_is_left():
    """All but the noise and the score."""
    data, noise = (each.astype(jnp.float32) for each in points())
    _, estimates, _ = converted(Level(*map(jnp.float32, PURE_NOISE)), data, noise)
    for kind, found in zip(KINDS, estimates, strict=True):
        if isinstance(kind, Noise | Score):
            assert not np.isfinite(found.data).any()
            continue
        np.testing.assert_allclose(found.data, data, atol=1e-6, err_msg=str(kind))
        np.testing.assert_allclose(found.noise, noise, atol=1e-6, err_msg=str(kind))


def test_estimates_are_good_in_single_precision_too():
    """Up to the factor by which the smaller part of x_t is raised."""
    data, noise = (each.astype(jnp.float32) for each in points())
    for name, level in LEVELS.items():
        _, estimates, _ = converted(Level(*map(jnp.float32, level)), data, noise)
        raised = max(level.sigma / level.alpha, level.alpha / level.sigma, 1.0)
        for kind, found in zip(KINDS, estimates, strict=True):
            assert found.data.dtype == found.noise.dtype == jnp.float32
            for part, wanted in ((found.data, data), (found.noise, noise)):
                np.testing.assert_allclose(part, wanted, atol=3e-6 * raised, err_msg=f"{name}, {kind}")


TARGETS = {  # by hand, at alpha = 3/5 and sigma = 4/5, for x_0 = 2 and epsilon = -1
    Noise(): -1.0,
    Data(): 2.0,
    V(): 0.6 * -1.0 - 0.8 * 2.0,
    Score(): 1.0 / 0.8,
    Velocity(): -1.0 - 2.0,
    Preconditioned(0.5): (4 / 3 * 2.0 / 0.5 - 0.5 * -1.0) / np.sqrt(16 / 9 + 0.25),
}


@pytest.mark.parametrize("kind", TARGETS, ids=str)
def test_targets_are_those_of_the_papers(kind):
    found = target(kind, Level(0.6, 0.8), jnp.full((1, 1), 2.0), jnp.full((1, 1), -1.0))
    np.testing.assert_allclose(found, [[TARGETS[kind]]], rtol=1e-6)


def test_v_is_a_rotation_of_data_and_noise():
    """v = alpha epsilon - sigma x_0, x_0 = alpha x_t - sigma v, epsilon = sigma x_t + alpha v; dx_t / dangle = v."""
    data, noise = (each.astype(jnp.float32) for each in points())
    for angle in (0.05, 0.7, 1.5):
        alpha, sigma = np.cos(angle), np.sin(angle)
        level = Level(alpha, sigma)
        v, noisy = target(V(), level, data, noise), corrupt(level, data, noise)
        np.testing.assert_allclose(alpha * noisy - sigma * v, data, atol=1e-6)
        np.testing.assert_allclose(sigma * noisy + alpha * v, noise, atol=1e-6)
        moved = jax.jvp(lambda angle: corrupt(Level(jnp.cos(angle), jnp.sin(angle)), data, noise), (angle,), (1.0,))[1]
        np.testing.assert_allclose(moved, v, atol=1e-6)


def test_v_at_other_schedules_is_that_of_the_scaled_example():
    data, noise = (each.astype(jnp.float32) for each in points())
    scaled = Level(1.0 / np.sqrt(17), 4.0 / np.sqrt(17))
    found, wanted = (target(V(), level, data, noise) for level in (Level(1.0, 4.0), scaled))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_the_velocity_is_the_slope_of_the_straight_path():
    data, noise = (each.astype(jnp.float32) for each in points())
    slope = jax.jvp(lambda t: corrupt(Level(1.0 - t, t), data, noise), (0.3,), (1.0,))[1]
    np.testing.assert_allclose(target(Velocity(), Level(0.7, 0.3), data, noise), slope, atol=1e-6)


def test_the_score_is_the_gradient_of_the_log_density_of_x_given_the_data():
    data, noise = (each.astype(jnp.float32) for each in points())
    level = Level(0.6, 0.8)
    gradient = jax.grad(lambda x: -0.5 * ((x - level.alpha * data) ** 2 / level.sigma**2).sum())
    found = target(Score(), level, data, noise)
    np.testing.assert_allclose(found, gradient(corrupt(level, data, noise)), rtol=1e-4, atol=1e-6)


EDM_TABLE = [  # of the reference: sigma, c_skip, c_out, c_in
    (0.002, 0.999984, 0.002000, 1.999984),
    (0.5, 0.5, 0.353553, 1.414214),
    (1.0, 0.2, 0.447214, 0.894427),
    (80.0, 0.000039, 0.499990, 0.012500),
]


@pytest.mark.parametrize(("sigma", "skip", "out", "inner"), EDM_TABLE)
@pytest.mark.parametrize("alpha", [1.0, 0.4])
def test_edms_coefficients_are_those_of_its_table_1(sigma, skip, out, inner, alpha):
    """F = 0 gives c_skip x, and F adds c_out F, of x = x_t / alpha; on any schedule with this sigma / alpha."""
    level, kind, noisy = Level(alpha, alpha * sigma), Preconditioned(0.5), jnp.full((1, 1), alpha)
    nothing, one = (estimate(Prediction(jnp.full((1, 1), value), kind), level, noisy).data for value in (0.0, 1.0))
    np.testing.assert_allclose(nothing, skip, atol=1e-6)
    np.testing.assert_allclose(one - nothing, out, atol=1e-6)
    np.testing.assert_allclose(kind.inputs(level, noisy), inner, atol=1e-6)


@pytest.mark.parametrize("sigma", [0.002, 0.3, 1.0, 80.0])
@pytest.mark.parametrize("deviation", [0.5, 1.3])
def test_edms_inputs_and_targets_have_unit_variance(sigma, deviation):
    """For independent data of this deviation and unit noise: p^2 d^2 + q^2, and c_in^2 (d^2 + sigma^2)."""
    kind, level = Preconditioned(deviation), Level(np.float32(1.0), np.float32(sigma))
    p, q = kind.coefficients(level)
    assert float(p**2 * deviation**2 + q**2) == pytest.approx(1.0, rel=1e-5)
    inner = float(kind.inputs(level, jnp.ones((1, 1)))[0, 0])
    assert inner**2 * (deviation**2 + sigma**2) == pytest.approx(1.0, rel=1e-5)


def test_inputs_are_the_noisy_example_itself_for_all_other_kinds():
    noisy = jnp.arange(6.0).reshape(3, 2)
    for kind in KINDS[:5]:
        assert kind.inputs(Level(0.6, 0.8), noisy) is noisy
    each = Preconditioned(0.5).inputs(Level(jnp.array([1.0, 0.5, 0.0]), jnp.array([0.0, 1.0, 2.0])), noisy)
    np.testing.assert_allclose(each, noisy / np.sqrt([[0.25], [1.0625], [4.0]]), rtol=1e-6)


@jax.jit
def of_wrong(level, data, noise):
    """For each kind the squared errors of the data, as found and by `data_error`, of a wrong prediction."""
    noisy, wrong = corrupt(level, data, noise), 0.1 * jnp.cos(jnp.arange(12.0).reshape(6, 2, 1))
    found = [estimate(Prediction(target(kind, level, data, noise) + wrong, kind), level, noisy) for kind in KINDS]
    errors = jnp.stack([((each.data - data) ** 2).sum((1, 2)) for each in found])
    return errors, jnp.stack([data_error(kind, level) for kind in KINDS]) * (wrong**2).sum((1, 2))[None]


@pytest.mark.parametrize("name", LEVELS)
def test_the_error_of_the_data_is_that_of_the_prediction_times_its_factor(name):
    """||x_0 - estimate||^2 = data_error ||y - prediction||^2."""
    with jax.enable_x64(True):
        data, noise = points()
        errors, wanted = of_wrong(for_each(LEVELS[name], len(data)), data, noise)
    np.testing.assert_allclose(errors, wanted, rtol=1e-6)


def test_a_prediction_of_the_wanted_kind_is_given_back_and_its_variance_is_kept():
    level, noisy = Level(0.6, 0.8), jnp.ones((2, 3))
    prediction = Prediction(jnp.ones((2, 3)), V(), jnp.full((2, 3), 0.25))
    assert convert(prediction, V(), level, noisy) is prediction
    assert convert(prediction, Noise(), level, noisy).variance is prediction.variance
    assert estimate(prediction, level, noisy).variance is prediction.variance


def test_a_prediction_carries_its_kind_through_jit():
    found = jax.jit(lambda each: each)(Prediction(jnp.ones((1, 2)), Preconditioned(0.7)))
    assert found.kind == Preconditioned(0.7)
    assert len(jax.tree.leaves(found)) == 1


def test_one_number_for_each_example_multiplies_points_of_any_rank():
    for shape in ((3,), (3, 2), (3, 2, 2, 1)):
        found = along(jnp.array([1.0, 2.0, 3.0]), jnp.ones(shape)) * jnp.ones(shape)
        np.testing.assert_array_equal(found.reshape(3, -1), np.tile([[1.0], [2.0], [3.0]], found.size // 3))
    assert along(2.0, jnp.ones((3, 2))).shape == ()
    assert along(np.float64(2.0), jnp.ones(3, jnp.bfloat16)).dtype == jnp.bfloat16


def test_the_deviation_of_the_data_must_be_positive():
    with pytest.raises(ValueError, match=r"data_deviation is 0\.0, but must be above 0"):
        Preconditioned(0.0)
    assert Preconditioned().data_deviation == 0.5


@pytest.mark.parametrize("sigma", [0.003, 0.5, 80.0])
def test_consistency_coefficients_are_those_of_the_paper(sigma):
    """c_skip and c_out of arXiv 2303.01469, appendix C, through y = F of equation 1."""
    kind, level = Bounded(0.5, 0.002), Level(jnp.float32(1.0), jnp.float32(sigma))
    skip, out = kind.scales(level)
    assert skip == pytest.approx(0.25 / ((sigma - 0.002) ** 2 + 0.25), rel=1e-5)
    assert out == pytest.approx(0.5 * (sigma - 0.002) / (sigma**2 + 0.25) ** 0.5, rel=1e-3)
    noisy, value = jnp.array([[0.3, -2.0]]), jnp.array([[0.7, 0.1]])
    data = estimate(Prediction(value, kind), level, noisy).data
    np.testing.assert_allclose(data, skip * noisy + out * value, rtol=2e-3, atol=1e-5)
    np.testing.assert_allclose(kind.inputs(level, noisy), noisy / np.sqrt(sigma**2 + 0.25), rtol=1e-5)


def test_at_the_least_noise_the_scales_leave_x_as_it_is():
    skip, out = Bounded(0.5, 0.002).scales(Level(jnp.float32(1.0), jnp.float32(0.002)))
    assert skip == 1.0 and out == 0.0
