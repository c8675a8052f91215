import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.latents.arithmetic import along, analogy, mean_vectors


def test_mean_vectors_are_numpys_means_of_each_group():
    latents = jax.random.normal(jax.random.key(0), (50, 3))
    labels = jax.random.randint(jax.random.key(1), (50,), 0, 4)
    found = mean_vectors(latents, labels, 5)
    wanted = [np.asarray(latents)[np.asarray(labels) == group].mean(0) for group in range(4)]
    np.testing.assert_allclose(found[:4], wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found[4], 0.0)
    np.testing.assert_allclose(mean_vectors(latents[:1], labels[:1], 5)[labels[0]], latents[0], rtol=1e-6)


def test_mean_vectors_move_with_their_groups_and_not_with_the_order():
    latents, labels = jax.random.normal(jax.random.key(2), (6, 2)), jnp.array([0, 1, 0, 1, 1, 0])
    order = jnp.array([3, 5, 1, 0, 4, 2])
    means = mean_vectors(latents, labels, 2)
    np.testing.assert_allclose(mean_vectors(latents[order], labels[order], 2), means, atol=1e-6)
    moved = latents + jnp.array([[1.0, 0.0], [0.0, 5.0]])[labels]
    np.testing.assert_allclose(mean_vectors(moved, labels, 2) - means, [[1.0, 0.0], [0.0, 5.0]], atol=1e-6)


def test_an_analogy_of_equals_changes_nothing_and_exchanges_its_terms():
    a, b, c = jax.random.normal(jax.random.key(3), (3, 2, 4))
    np.testing.assert_array_equal(analogy(a, a, c), c)
    np.testing.assert_allclose(analogy(a, b, b), a, atol=1e-6)
    np.testing.assert_allclose(analogy(a, b, c), analogy(c, b, a), atol=1e-6)
    np.testing.assert_allclose(analogy(b, a, analogy(a, b, c)), c, atol=1e-6)


def test_strengths_of_a_direction_stand_row_by_row():
    latents, direction = jnp.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]), jnp.array([[10.0, -1.0]])
    found = along(latents, direction, jnp.array([0.0, 0.5])).reshape(3, 2, 2)
    np.testing.assert_array_equal(found[:, 0], latents)
    np.testing.assert_allclose(found[:, 1] - found[:, 0], np.tile([5.0, -0.5], (3, 1)))


def test_the_full_strength_of_a_difference_is_the_analogy():
    a, b, c = jax.random.normal(jax.random.key(4), (3, 1, 4))
    np.testing.assert_allclose(along(c, a - b, jnp.ones(1)), analogy(a, b, c), atol=1e-6)
