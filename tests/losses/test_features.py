"""Statistics of batches of features: ranges, golden values, agreement with scikit-learn."""

import functools
import itertools

import chex
import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import sklearn.metrics.pairwise

from jaxgen.losses import features as ft

seeds = st.integers(0, 1000)


def normal(*shape, seed=0):
    return jnp.array(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def test_pull_away_of_two_axes_and_their_diagonal_is_a_third():
    # Squared cosines 0, 1/2, 1/2.
    rows = jnp.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(ft.pull_away(rows), 1 / 3, rtol=1e-6)


@hypothesis.given(seeds)
def test_pull_away_is_the_mean_squared_cosine_of_pairs_and_ignores_lengths(seed):
    rows = normal(5, 3, seed=seed)
    value = ft.pull_away(rows)
    cosines = sklearn.metrics.pairwise.cosine_similarity(np.asarray(rows, np.float64))
    expected = np.mean([cosines[i, j] ** 2 for i in range(5) for j in range(5) if i != j])
    np.testing.assert_allclose(value, expected, rtol=1e-4)
    assert 0 <= value <= 1
    scales = jnp.array([0.1, -2.0, 3.0, 1.0, 7.0])[:, None]
    np.testing.assert_allclose(ft.pull_away(scales * rows), value, rtol=1e-4)


def test_pull_away_is_zero_for_orthogonal_and_one_for_collinear_rows():
    np.testing.assert_allclose(ft.pull_away(3 * jnp.eye(4)), 0.0, atol=1e-7)
    collinear = jnp.array([1.0, -2.0, 5.0])[:, None] * jnp.array([[0.3, 0.4]])
    np.testing.assert_allclose(ft.pull_away(collinear), 1.0, rtol=1e-6)


def test_pull_away_has_a_finite_gradient_at_a_zero_row():
    rows = jnp.array([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])
    value, gradient = jax.value_and_grad(ft.pull_away)(rows)
    np.testing.assert_allclose(value, 2 * (5**2 / (5 * 10)) / 6, rtol=1e-5)  # one pair counts
    chex.assert_tree_all_finite(gradient)


@hypothesis.given(seeds)
def test_feature_matching_is_the_squared_distance_of_the_means(seed):
    real, fake = normal(2, 4, 3, 2, seed=seed)
    expected = np.square(np.mean(real, axis=0) - np.mean(fake, axis=0)).sum()
    np.testing.assert_allclose(ft.feature_matching(real, fake), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ft.feature_matching(real, real[::-1]), 0.0, atol=1e-10)


def test_minibatch_discrimination_of_three_points():
    # Distances 1, 2 and 3: exp(-1) + exp(-2), exp(-1) + exp(-3), exp(-2) + exp(-3).
    matrices = jnp.array([[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 2.0]]])
    values = ft.minibatch_discrimination(matrices)
    np.testing.assert_allclose(values[:, 0], [0.50321472, 0.41766651, 0.18512235], rtol=1e-6)


@hypothesis.settings(max_examples=10)
@hypothesis.given(seeds)
def test_minibatch_discrimination_keeps_kernels_apart(seed):
    matrices = normal(4, 3, 2, seed=seed)
    values = ft.minibatch_discrimination(matrices)
    chex.assert_shape(values, (4, 3))
    for kernel in range(3):
        alone = ft.minibatch_discrimination(matrices[:, kernel : kernel + 1])
        np.testing.assert_allclose(values[:, kernel], alone[:, 0], rtol=1e-5)


def test_minibatch_discrimination_of_equal_examples_counts_the_others():
    np.testing.assert_allclose(ft.minibatch_discrimination(jnp.ones((6, 2, 3))), 5.0)


def test_minibatch_discrimination_keeps_small_values_beside_the_example_itself():
    far = jnp.array([[[0.0]], [[30.0]]])
    np.testing.assert_allclose(ft.minibatch_discrimination(far), np.exp(-30.0), rtol=1e-5)


@hypothesis.given(seeds)
def test_minibatch_stddev_is_the_mean_deviation_in_strided_groups(seed):
    batch = np.random.default_rng(seed).normal(size=(6, 2, 2))
    values = ft.minibatch_stddev(jnp.array(batch, jnp.float32), group_size=3)
    for start in range(2):
        expected = batch[start::2].std(axis=0).mean()
        np.testing.assert_allclose(values[start::2], expected, rtol=1e-4)


def test_minibatch_stddev_takes_four_in_a_group_or_the_whole_of_a_smaller_batch():
    batch = normal(8, 5)
    np.testing.assert_array_equal(ft.minibatch_stddev(batch), ft.minibatch_stddev(batch, group_size=4))
    expected = np.std(batch[:3], axis=0).mean()
    np.testing.assert_allclose(ft.minibatch_stddev(batch[:3]), expected, rtol=1e-4)


def test_minibatch_stddev_of_a_group_of_one_is_the_root_of_its_floor():
    values = ft.minibatch_stddev(normal(3, 5), group_size=1)
    np.testing.assert_allclose(values, 1e-4, rtol=1e-5)


def test_minibatch_stddev_of_equal_examples_is_the_root_of_its_floor():
    values, gradient = jax.value_and_grad(lambda x: ft.minibatch_stddev(x).sum())(jnp.ones((4, 3)))
    np.testing.assert_allclose(values, 4 * 1e-4, rtol=1e-5)
    chex.assert_tree_all_finite(gradient)


def linear(x, y):
    return x @ y.T


@hypothesis.given(seeds)
def test_biased_discrepancy_with_a_linear_kernel_is_the_squared_distance_of_the_means(seed):
    real, fake = normal(5, 3, seed=seed), normal(4, 3, seed=seed + 1)
    value = ft.maximum_mean_discrepancy(real, fake, linear, unbiased=False)
    expected = np.square(np.mean(real, axis=0) - np.mean(fake, axis=0)).sum()
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


@hypothesis.settings(max_examples=10)
@hypothesis.given(seeds)
def test_unbiased_discrepancy_leaves_out_the_pairs_of_an_example_with_itself(seed):
    real, fake = normal(5, 3, seed=seed), normal(4, 3, seed=seed + 1)
    bandwidths = (0.5, 2.0)
    value = ft.maximum_mean_discrepancy(real, fake, functools.partial(ft.gaussian_kernel, bandwidths=bandwidths))

    def kernel(x, y):
        rbf = sklearn.metrics.pairwise.rbf_kernel
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        return np.sum([rbf(x, y, gamma=1 / (2 * b**2)) for b in bandwidths], axis=0)

    def within(k):
        return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))

    expected = within(kernel(real, real)) + within(kernel(fake, fake))
    expected -= 2 * kernel(real, fake).mean()
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


def test_two_examples_make_a_pair():
    rows = jnp.array([[1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(ft.pull_away(rows), 0.5, rtol=1e-6)
    # k(x, x') = 1, k(y, y') = 0 and the mean of k(x, y) is (1 + 0 + 1 + 1) / 4.
    other = jnp.array([[1.0, 0.0], [0.0, 1.0]])
    value = ft.maximum_mean_discrepancy(rows, other, linear)
    np.testing.assert_allclose(value, 1.0 + 0.0 - 2 * 0.75, rtol=1e-6)


def test_discrepancy_is_unbiased_by_default_and_can_be_negative():
    sample = normal(4, 2)
    biased = ft.maximum_mean_discrepancy(sample, sample, ft.gaussian_kernel, unbiased=False)
    np.testing.assert_allclose(biased, 0.0, atol=1e-6)
    assert ft.maximum_mean_discrepancy(sample, sample, ft.gaussian_kernel) < -0.1


def test_unbiased_discrepancy_averages_to_zero_over_all_splits_of_a_sample():
    # Each split of six points into halves is as likely as its mirror image: the mean over all is
    # the expectation under one distribution, drawn without replacement.
    points = normal(6, 2)
    splits = list(itertools.combinations(range(6), 3))
    parts = [(list(s), [i for i in range(6) if i not in s]) for s in splits]
    real = jnp.stack([points[jnp.array(a)] for a, _ in parts])
    fake = jnp.stack([points[jnp.array(b)] for _, b in parts])
    discrepancy = functools.partial(ft.maximum_mean_discrepancy, kernel=ft.gaussian_kernel)
    np.testing.assert_allclose(jax.vmap(discrepancy)(real, fake).mean(), 0.0, atol=1e-6)


@hypothesis.given(seeds, st.floats(0.3, 3.0))
def test_gaussian_kernel_agrees_with_scikit_learn(seed, bandwidth):
    x, y = normal(3, 4, seed=seed), normal(2, 4, seed=seed + 1)
    value = ft.gaussian_kernel(x, y, bandwidths=(bandwidth,))
    expected = sklearn.metrics.pairwise.rbf_kernel(x, y, gamma=1 / (2 * bandwidth**2))
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


def test_gaussian_kernel_has_one_bandwidth_of_one_by_default():
    value = ft.gaussian_kernel(jnp.zeros((1, 1)), jnp.full((1, 1), 2.0))
    np.testing.assert_allclose(value, np.exp(-2.0), rtol=1e-6)


@hypothesis.given(seeds, st.floats(0.3, 3.0))
def test_inverse_multiquadratic_kernel_is_written_out_with_scikit_learns_distances(seed, variance):
    x, y = normal(3, 4, seed=seed), normal(2, 4, seed=seed + 1)
    squared = sklearn.metrics.pairwise.euclidean_distances(x, y, squared=True)
    for scales in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0), (3.0,):
        value = ft.inverse_multiquadratic_kernel(x, y, variance=variance, scales=scales)
        expected = sum(8 * variance * s / (8 * variance * s + squared) for s in scales)
        np.testing.assert_allclose(value, expected, rtol=1e-4)


def test_inverse_multiquadratic_kernel_has_the_authors_scales_for_a_standard_normal_prior_by_default():
    """At the distance of C for s = 1 each scale gives s / (s + 1)."""
    value = ft.inverse_multiquadratic_kernel(jnp.zeros((1, 2)), jnp.array([[2.0, 0.0]]))
    expected = sum(s / (s + 1) for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0))
    np.testing.assert_allclose(value, expected, rtol=1e-6)


@hypothesis.given(seeds)
def test_polynomial_kernel_agrees_with_scikit_learn(seed):
    x, y = normal(3, 4, seed=seed), normal(2, 4, seed=seed + 1)
    for degree in 2, 3:
        value = ft.polynomial_kernel(x, y, degree=degree)
        expected = sklearn.metrics.pairwise.polynomial_kernel(x, y, degree=degree, coef0=1)
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(ft.polynomial_kernel(x, y), ft.polynomial_kernel(x, y, degree=3))
