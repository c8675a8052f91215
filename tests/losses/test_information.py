"""Information: the InfoGAN bound against the mutual information of exact channels."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special
import scipy.stats

from jaxgen.losses import information as info

seeds = st.integers(0, 1000)


def normal(*shape, seed=0):
    return jnp.array(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@hypothesis.given(seeds)
def test_cross_entropy_agrees_with_scipy_and_optax(seed):
    logits = normal(6, 4, seed=seed)
    labels = np.random.default_rng(seed).integers(0, 4, 6)
    expected = -scipy.special.log_softmax(np.asarray(logits, np.float64), axis=1)[range(6), labels]
    value = info.cross_entropy(logits, jnp.array(labels, jnp.int32))
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)
    theirs = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.array(labels, jnp.int32))
    np.testing.assert_allclose(value, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [jnp.int32, jnp.uint8])
def test_labels_may_be_of_any_integer_type_and_out_of_range_they_give_nan(dtype):
    logits = normal(2, 3)
    labels = jnp.array([2, 1], dtype)
    np.testing.assert_allclose(info.cross_entropy(logits, labels), info.cross_entropy(logits, jnp.array([2, 1])))
    assert np.isnan(info.cross_entropy(logits, jnp.array([3, 1], dtype)))[0]


def test_negative_labels_give_nan_in_place_of_another_class():
    values = info.cross_entropy(normal(2, 3), jnp.array([-1, 0]))
    np.testing.assert_array_equal(np.isnan(values), [True, False])


@pytest.mark.usefixtures("unchecked_annotations")
def test_one_hot_rows_and_floats_are_refused_as_labels():
    for labels in jnp.eye(3, dtype=int)[:2], jnp.eye(3)[:2], jnp.ones(2):
        with pytest.raises(ValueError, match="give class numbers, not one-hot rows"):
            info.cross_entropy(normal(2, 3), labels)


def test_categorical_bound_is_zero_for_ignorance_and_minus_log_ten_for_knowledge():
    codes = jnp.arange(10)
    ignorant = info.infogan_categorical(jnp.zeros((10, 10)), codes)
    np.testing.assert_allclose(ignorant, 0.0, atol=1e-6)
    certain = info.infogan_categorical(100 * jnp.eye(10), codes)
    np.testing.assert_allclose(certain, -np.log(10), rtol=1e-6)


def channel(seed=0):
    """p(x | c) of 3 codes and 5 outputs."""
    table = np.random.default_rng(seed).dirichlet(np.ones(5), size=3)
    joint = table / 3  # codes are uniform
    posterior = joint / joint.sum(axis=0)
    information = (joint * np.log(joint / (joint.sum(axis=0) / 3))).sum()
    return joint, posterior, information


@hypothesis.given(seeds)
def test_categorical_bound_is_the_mutual_information_at_the_posterior_and_less_elsewhere(seed):
    joint, posterior, information = channel(seed)
    codes, outputs = np.meshgrid(range(3), range(5), indexing="ij")
    codes, mass = jnp.array(codes.ravel()), joint.ravel()

    def negative_bound(log_q):
        logits = jnp.array(log_q.T[outputs.ravel()], jnp.float32)
        return float((mass * info.infogan_categorical(logits, codes)).sum())

    exact = negative_bound(np.log(posterior))
    np.testing.assert_allclose(exact, -information, atol=1e-5)
    other = np.random.default_rng(seed + 1).normal(size=posterior.shape)
    assert negative_bound(other) >= exact - 1e-6


def test_gaussian_bound_at_the_posterior_is_the_capacity_of_the_channel():
    # c ~ N(0, 1), x = c + s n: I = log(1 + 1 / s^2) / 2, in each of two dimensions.
    s = 0.5
    nodes, mass = np.polynomial.hermite_e.hermegauss(10)  # exact for quadratics
    c, n = np.meshgrid(nodes, nodes, indexing="ij")
    weights = np.outer(mass, mass).ravel() / mass.sum() ** 2
    codes = np.stack([c.ravel(), n.ravel()], axis=1)  # two codes, each the noise of the other
    x = codes + s * codes[:, ::-1]
    gain, variance = 1 / (1 + s**2), s**2 / (1 + s**2)
    for logvar in np.log(variance), jnp.full(x.shape, np.log(variance), jnp.float32):
        value = info.infogan_gaussian(jnp.array(gain * x, jnp.float32), logvar, jnp.array(codes, jnp.float32))
        bound = float((weights * value).sum())
        np.testing.assert_allclose(bound, -2 * np.log(1 + 1 / s**2) / 2, rtol=1e-5)


def test_gaussian_bound_of_the_prior_is_zero_on_average():
    nodes, mass = np.polynomial.hermite_e.hermegauss(10)
    codes = jnp.array(nodes[:, None], jnp.float32)
    value = info.infogan_gaussian(jnp.zeros_like(codes), 0.0, codes)
    np.testing.assert_allclose((mass * value).sum() / mass.sum(), 0.0, atol=1e-6)


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (0.0, 4.0)])
def test_uniform_bound_is_scipys_log_density_and_the_entropy_of_the_codes(value_range):
    rng = np.random.default_rng(0)
    mean, logvar = rng.normal(size=(2, 6, 3))
    codes = rng.uniform(*value_range, size=(6, 3))
    expected = -scipy.stats.norm.logpdf(codes, mean, np.exp(logvar / 2)).sum(axis=1)
    expected -= 3 * scipy.stats.uniform.entropy(value_range[0], value_range[1] - value_range[0])
    value = info.infogan_uniform(*(jnp.array(a, jnp.float32) for a in (mean, logvar, codes)), value_range=value_range)
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-4)
    if value_range == (-1.0, 1.0):
        default = info.infogan_uniform(*(jnp.array(a, jnp.float32) for a in (mean, logvar, codes)))
        np.testing.assert_array_equal(default, value)


def test_auxiliary_classifier_adds_the_cross_entropies_of_real_and_fake():
    real, fake = normal(2, 4, 3)
    real_labels, fake_labels = jnp.array([0, 1, 2, 0]), jnp.array([2, 2, 1, 0])
    value = info.auxiliary_classifier(real, real_labels, fake, fake_labels)
    expected = info.cross_entropy(real, real_labels) + info.cross_entropy(fake, fake_labels)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    undecided = info.auxiliary_classifier(0 * real, real_labels, 0 * fake, fake_labels)
    np.testing.assert_allclose(undecided, 2 * np.log(3), rtol=1e-6)


@hypothesis.given(seeds)
def test_projection_adds_the_inner_product_and_is_linear_in_the_embedding(seed):
    scores, features, embeddings = normal(4, seed=seed), *normal(2, 4, 3, seed=seed + 1)
    value = info.projection_score(scores, features, embeddings)
    expected = scores + np.einsum("bd,bd->b", features, embeddings)
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(info.projection_score(scores, features, 0 * embeddings), scores)
    doubled = info.projection_score(scores, features, 2 * embeddings)
    np.testing.assert_allclose(doubled - scores, 2 * (value - scores), rtol=1e-3, atol=1e-4)


def test_bounds_differ_by_the_entropies_of_their_codes_alone():
    arrays = normal(3, 4, 2)
    difference = info.infogan_uniform(*arrays) - info.infogan_gaussian(*arrays)
    expected = 2 * (scipy.stats.norm.entropy() - np.log(2))
    np.testing.assert_allclose(difference, expected, rtol=1e-4)


def test_gradient_of_the_bound_is_that_of_the_likelihood():
    logits, codes = normal(4, 3), jnp.array([0, 1, 2, 0])
    of_bound = jax.grad(lambda x: info.infogan_categorical(x, codes).sum())(logits)
    expected = jax.nn.softmax(logits) - jax.nn.one_hot(codes, 3)
    np.testing.assert_allclose(of_bound, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("function", [info.infogan_gaussian, info.infogan_uniform])
def test_no_code_costs_nothing_and_codes_without_an_axis_are_refused(function):
    none = jnp.ones((3, 0))
    np.testing.assert_array_equal(function(none, none, none), np.zeros(3))
    with pytest.raises(ValueError, match=r"codes has shape \(3, 2, 1\), but must have the axes \(B, D\)"):
        function(jnp.ones((3, 2)), 0.0, jnp.ones((3, 2, 1)))
