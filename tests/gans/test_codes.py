import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.codes import CodePrior, Codes, CodeSettings, Predicted, categorical_loss, continuous_loss
from jaxgen.priors import Uniform

SETTINGS = CodeSettings((3, 2), 1, fixed_std=False)
CODES = Codes(jnp.array([[2, 1], [0, 0]]), jnp.array([[0.5], [-0.25]]))


def test_a_latent_vector_holds_continuous_codes_unit_vectors_and_noise():
    found = SETTINGS.latents(CODES, jnp.array([[7.0, 8.0], [9.0, 10.0]]))
    np.testing.assert_array_equal(found, [[0.5, 0, 0, 1, 0, 1, 7, 8], [-0.25, 1, 0, 0, 1, 0, 9, 10]])
    assert SETTINGS.size == 6
    for back, code in zip(SETTINGS.codes_of(jnp.asarray(found)), CODES, strict=True):
        np.testing.assert_array_equal(back, code)


def test_latents_without_categorical_codes_have_none():
    settings = CodeSettings((), 2)
    codes = settings.codes_of(jnp.array([[0.5, -0.5, 9.0]]))
    assert codes.categorical.shape == (1, 0) and codes.continuous.tolist() == [[0.5, -0.5]]


def test_a_given_first_code_replaces_that_one_alone():
    latents = SETTINGS.latents(CODES, jnp.array([[7.0, 8.0], [9.0, 10.0]]))
    found = SETTINGS.with_first_code(latents, jnp.array([1, 2]))
    np.testing.assert_array_equal(found, [[0.5, 0, 1, 0, 0, 1, 7, 8], [-0.25, 0, 0, 1, 1, 0, 9, 10]])


def test_the_prior_of_codes_draws_codes_and_noise_independently_and_the_same_on_any_devices():
    prior = CodePrior(SETTINGS, Uniform(2))
    drawn = prior.draw(jax.random.key(0), 2_000)
    assert prior.shape == (8,) and drawn.shape == (2_000, 8)
    codes = SETTINGS.codes_of(drawn)
    np.testing.assert_array_equal(SETTINGS.latents(codes, drawn[:, 6:]), drawn)
    columns = np.stack([codes.continuous[:, 0], codes.categorical[:, 0], *drawn[:, 6:].T])
    correlations = np.corrcoef(columns) - np.eye(4)
    assert np.abs(correlations).max() < 4 / np.sqrt(2_000)
    shares = jax.vmap(lambda _: prior.draw(jax.random.key(0), 500, "i"), axis_name="i")(jnp.zeros(4))
    np.testing.assert_array_equal(shares.reshape(2_000, 8), drawn)


def test_the_networks_outputs_are_logits_of_each_code_then_means_then_log_variances():
    outputs = jnp.arange(14.0).reshape(2, 7)
    predicted = SETTINGS.predicted(outputs)
    assert SETTINGS.outputs == 7
    np.testing.assert_array_equal(predicted.logits[0], outputs[:, :3])
    np.testing.assert_array_equal(predicted.logits[1], outputs[:, 3:5])
    np.testing.assert_array_equal(predicted.mean, outputs[:, 5:6])
    np.testing.assert_array_equal(predicted.logvar, outputs[:, 6:])
    np.testing.assert_array_equal(CodeSettings((3, 2), 1).predicted(outputs).logvar, np.zeros((2, 1)))


def test_the_bound_is_entropy_minus_cross_entropy():
    """With Q = (1/2, 1/4, 1/4) and (1/8, 7/8): log 3 + log 2 + log Q(c), and a Gaussian's log density + log 2."""
    logits = (jnp.log(jnp.array([[0.5, 0.25, 0.25]] * 2)), jnp.log(jnp.array([[0.125, 0.875]] * 2)))
    predicted = Predicted(logits, jnp.array([[0.0], [0.25]]), jnp.log(jnp.array([[1.0], [0.25]])))
    bound = np.log(6.0) + np.log([0.25 * 0.875, 0.5 * 0.125])
    np.testing.assert_allclose(-categorical_loss(predicted, CODES), bound, rtol=1e-5)
    density = np.array([-(0.5**2) / 2, -np.log(0.5) - (0.5 / 0.5) ** 2 / 2]) - np.log(2 * np.pi) / 2
    np.testing.assert_allclose(-continuous_loss(predicted, CODES), density + np.log(2.0), rtol=1e-5)


def test_the_bound_reaches_from_nothing_to_the_entropy():
    sure = tuple(100.0 * jax.nn.one_hot(CODES.categorical[:, i], size) for i, size in enumerate((3, 2)))
    blank = Predicted((jnp.zeros((2, 3)), jnp.zeros((2, 2))), CODES.continuous, jnp.zeros((2, 1)))
    np.testing.assert_allclose(categorical_loss(blank, CODES), np.zeros(2), atol=1e-6)
    np.testing.assert_allclose(-categorical_loss(blank._replace(logits=sure), CODES), np.log([6.0, 6.0]), rtol=1e-6)


def test_codes_are_drawn_uniformly_and_the_same_on_any_number_of_devices():
    settings = CodeSettings((3, 2), 2)
    codes = jax.jit(lambda key: settings.draw(key, 3_000))(jax.random.key(0))
    for code, size in ((0, 3), (1, 2)):
        share = np.bincount(codes.categorical[:, code], minlength=size) / 3_000
        np.testing.assert_allclose(share, 1 / size, atol=0.04)  # over four deviations of a share
    assert -1 <= codes.continuous.min() < -0.99 and 0.99 < codes.continuous.max() < 1
    np.testing.assert_allclose(codes.continuous.var(axis=0), 1 / 3, atol=0.03)
    assert abs(np.corrcoef(codes.continuous.T)[0, 1]) < 0.08
    draw = jax.vmap(lambda _: settings.draw(jax.random.key(0), 750, "i"), axis_name="i")
    found = draw(jnp.arange(4))
    np.testing.assert_array_equal(found.categorical.reshape(-1, 2), codes.categorical)
    np.testing.assert_array_equal(found.continuous.reshape(-1, 2), codes.continuous)


@pytest.mark.parametrize("settings", [{"categorical": (1,)}, {"continuous": -1}, {"categorical": (), "continuous": 0}])
def test_codes_that_are_none_are_refused(settings):
    with pytest.raises(ValueError, match="but must be"):
        CodeSettings(**settings)
