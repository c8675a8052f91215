import itertools

import chex
import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.cluster.vq
import scipy.stats

from jaxgen.autoencoders import codebook
from jaxgen.autoencoders.codebook import Averages, ByMovingAverage
from tests.programs import operations

seeds = st.integers(0, 2**31 - 1)
nearest = jax.jit(codebook.nearest)  # one program for each shape
vectors_of = jax.jit(codebook.vectors_of, static_argnums=1)
follow = jax.jit(codebook.follow, static_argnums=(1, 5))
perplexity = jax.jit(codebook.perplexity, static_argnums=(1, 2))


def normal(*shape, seed=0):
    return jax.random.normal(jax.random.key(seed), shape)


@pytest.mark.exhaustive
@hypothesis.given(seeds)
def test_codes_are_those_of_scipys_vector_quantisation(seed):
    encodings, vectors = normal(2, 3, 5, seed=seed), normal(7, 5, seed=seed + 1)
    codes = nearest(encodings, vectors)
    wanted, _ = scipy.cluster.vq.vq(np.asarray(encodings).reshape(-1, 5), np.asarray(vectors))
    assert codes.shape == (2, 3) and codes.dtype == jnp.int32
    np.testing.assert_array_equal(codes.ravel(), wanted)


def test_products_are_of_the_highest_precision():
    """On accelerators, too, an encoding has its nearest code, and sums keep their digits."""
    settings, codes = ByMovingAverage(), jnp.zeros(6, jnp.int32)

    def both(encodings, vectors):
        return codebook.nearest(encodings, vectors), codebook.follow(
            codebook.start(vectors), settings, encodings, codes, jax.random.key(0)
        )

    program = jax.make_jaxpr(both)(normal(6, 2), normal(4, 2))
    found = [op.params["precision"] for op in operations(program.jaxpr) if op.primitive.name == "dot_general"]
    assert found == [(jax.lax.Precision.HIGHEST,) * 2] * 2


def test_a_code_is_its_own_nearest():
    vectors = normal(9, 4)
    np.testing.assert_array_equal(nearest(vectors, vectors), np.arange(9))
    np.testing.assert_array_equal(nearest(normal(3, 4), jnp.ones((2, 4))), np.zeros(3))  # the first of equals


def test_straight_through_has_the_quantized_value_and_the_gradient_of_the_identity():
    encodings, quantized, weights = normal(6, 4, seed=1), normal(6, 4, seed=2), normal(6, 4, seed=3)

    def loss(encodings, quantized):
        outputs = codebook.straight_through(encodings, quantized)
        return (weights * outputs**2).sum()

    np.testing.assert_array_equal(codebook.straight_through(encodings, quantized), quantized)
    to_encodings, to_quantized = jax.grad(loss, argnums=(0, 1))(encodings, quantized)
    np.testing.assert_allclose(to_encodings, 2 * weights * quantized, rtol=1e-6)  # as if it stood at the quantized
    np.testing.assert_array_equal(to_quantized, jnp.zeros_like(quantized))


@hypothesis.given(seeds)
def test_without_memory_a_code_is_the_mean_of_the_encodings_that_chose_it(seed):
    encodings, vectors = normal(30, 2, seed=seed), normal(4, 2, seed=seed + 1)
    codes = nearest(encodings, vectors)
    settings = ByMovingAverage(decay=0.0, epsilon=1e-8)
    averages = follow(codebook.start(vectors), settings, encodings, codes, jax.random.key(0))
    found = vectors_of(averages, settings.epsilon)
    for code in np.unique(codes):
        chosen = np.asarray(encodings)[np.asarray(codes) == code]
        np.testing.assert_allclose(found[code], chosen.mean(axis=0), rtol=1e-4, atol=1e-5)


def test_averages_of_equal_batches_have_the_closed_form_of_a_geometric_series():
    """x_t = gamma^t x_0 + (1 - gamma^t) x: the counts, the sums and so the codes."""
    encodings, vectors = normal(3, 4, 2, seed=1), normal(5, 2, seed=2)
    codes = nearest(encodings, vectors)
    settings, averages = ByMovingAverage(decay=0.7), codebook.start(vectors)
    for _ in range(6):
        averages = follow(averages, settings, encodings, codes, jax.random.key(0))
    counts = np.bincount(np.asarray(codes).ravel(), minlength=5)
    sums = np.zeros((5, 2))
    np.add.at(sums, np.asarray(codes).ravel(), np.asarray(encodings).reshape(-1, 2))
    memory = 0.7**6
    np.testing.assert_allclose(averages.counts, memory + (1 - memory) * counts, rtol=1e-5)
    np.testing.assert_allclose(averages.sums, memory * np.asarray(vectors) + (1 - memory) * sums, rtol=1e-4, atol=1e-6)


def test_smoothing_keeps_the_sum_of_the_counts_and_a_code_without_any_at_zero():
    counts, sums, epsilon = jnp.array([6.0, 2.0, 0.0]), jnp.array([[3.0], [4.0], [0.0]]), 0.5
    smoothed = np.array([6.5, 2.5, 0.5]) / (8 + 3 * 0.5) * 8
    assert smoothed.sum() == pytest.approx(8.0)
    vectors = vectors_of(Averages(counts, sums), epsilon)
    np.testing.assert_allclose(vectors, np.asarray(sums) / smoothed[:, None], rtol=1e-6)
    assert np.isfinite(vectors).all()


def test_averages_start_at_their_vectors():
    vectors = normal(5, 3)
    for epsilon in (1e-5, 0.3):
        np.testing.assert_allclose(vectors_of(codebook.start(vectors), epsilon), vectors, rtol=1e-5)


def test_moving_averages_descend_the_squared_distance_as_k_means_does():
    """Without memory each round is one of Lloyd's: the distortion never rises."""
    encodings, vectors = normal(60, 2, seed=1), normal(4, 2, seed=2)
    settings, distortions = ByMovingAverage(decay=0.0, epsilon=1e-8), []
    averages = codebook.start(vectors)
    for _ in range(8):
        vectors = vectors_of(averages, settings.epsilon)
        codes = nearest(encodings, vectors)
        distortions.append(float(((encodings - vectors[codes]) ** 2).sum(axis=1).mean()))
        averages = follow(averages, settings, encodings, codes, jax.random.key(0))
    assert all(b <= a + 1e-5 for a, b in itertools.pairwise(distortions))
    assert distortions[-1] < 0.8 * distortions[0]


@pytest.mark.exhaustive
def test_dead_codes_restart_at_encodings_of_the_batch_and_live_ones_stay():
    encodings, far = normal(20, 2, seed=1), jnp.full((2, 2), 100.0)
    vectors = jnp.concatenate([jnp.zeros((1, 2)), far])
    codes = nearest(encodings, vectors)
    never, once = ByMovingAverage(decay=0.0), ByMovingAverage(decay=0.0, restart_below=0.5)
    kept = follow(codebook.start(vectors), never, encodings, codes, jax.random.key(0))
    averages = follow(codebook.start(vectors), once, encodings, codes, jax.random.key(0))
    assert (kept.counts == jnp.array([20.0, 0.0, 0.0])).all()
    np.testing.assert_array_equal(averages.counts, [20.0, 0.5, 0.5])
    np.testing.assert_array_equal(averages.sums[0], kept.sums[0])
    restarted = averages.sums[1:] / averages.counts[1:, None]
    distances = ((restarted[:, None] - encodings[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(distances.min(axis=1), 0.0, atol=1e-10)
    assert len(np.unique(distances.argmin(axis=1))) == 2  # each a draw of its own
    other = follow(codebook.start(vectors), once, encodings, codes, jax.random.key(1))
    assert (other.sums[1:] != averages.sums[1:]).any()


@pytest.mark.exhaustive
@pytest.mark.parametrize("restart_below", [0.0, 2.0])
def test_averages_and_perplexity_are_those_of_the_whole_batch_on_any_number_of_devices(restart_below):
    encodings, vectors = normal(8, 3, 2, seed=1), normal(6, 2, seed=2)
    settings = ByMovingAverage(decay=0.5, restart_below=restart_below)

    def both(encodings, axis_name):
        codes = nearest(encodings, vectors)
        averages = follow(codebook.start(vectors), settings, encodings, codes, jax.random.key(0), axis_name)
        return averages, perplexity(codes, 6, axis_name)

    wanted = both(encodings, None)
    shares = encodings.reshape(4, 2, 3, 2)
    found = jax.vmap(lambda share: both(share, "i"), axis_name="i")(shares)
    for device in range(4):
        chex.assert_trees_all_close(jax.tree.map(lambda leaf, i=device: leaf[i], found), wanted, rtol=1e-5)


@hypothesis.given(seeds, st.sampled_from([1, 3, 8]))
def test_perplexity_is_the_exponential_of_scipys_entropy_between_one_and_k(seed, num_codes):
    codes = jax.random.randint(jax.random.key(seed), (3, 5), 0, num_codes)
    value = perplexity(codes, num_codes)
    counts = np.bincount(np.asarray(codes).ravel(), minlength=num_codes)
    np.testing.assert_allclose(value, np.exp(scipy.stats.entropy(counts)), rtol=1e-5)
    assert 1 - 1e-5 <= value <= num_codes + 1e-5


def test_perplexity_is_one_for_one_code_and_k_for_all_equally_often():
    assert perplexity(jnp.full((4, 2), 3), 7) == pytest.approx(1.0)
    assert perplexity(jnp.arange(7).repeat(2).reshape(7, 2), 7) == pytest.approx(7.0, rel=1e-6)


@pytest.mark.parametrize(("setting", "value"), [("decay", 1.0), ("epsilon", 0.0), ("restart_below", -1.0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        ByMovingAverage(**{setting: value})
