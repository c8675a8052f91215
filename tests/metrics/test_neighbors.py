"""Nearest neighbours: agreement with scikit-learn, copies, blocks, two-sample accuracies."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from jaxgen.metrics import nearest_neighbor_accuracy, nearest_neighbors, neighbor_distances
from jaxgen.metrics.neighbors import squared_distances
from tests.metrics import inputs
from tests.metrics.numbers import single

REAL, FAKE = inputs.pairs()


@pytest.mark.parametrize("block_size", [1, 16, 1024])
def test_nearest_references_are_those_of_scikit_learn(block_size):
    distances, indices = NearestNeighbors(n_neighbors=1).fit(REAL).kneighbors(FAKE)
    found = jax.jit(functools.partial(nearest_neighbors, block_size=block_size))(*single(FAKE, REAL))
    np.testing.assert_array_equal(found.indices, indices[:, 0])
    np.testing.assert_allclose(found.distances, distances[:, 0], rtol=1e-5)


def test_copies_are_at_distance_zero_however_far_from_the_origin():
    references = single(REAL + 1000)
    found = jax.jit(nearest_neighbors)(references[::-1], references)
    np.testing.assert_array_equal(found.distances, 0)
    np.testing.assert_array_equal(found.indices, np.arange(60)[::-1])


@pytest.mark.parametrize("k", [1, 4])
def test_distances_to_the_kth_other_are_those_of_scikit_learn(k):
    expected = NearestNeighbors(n_neighbors=k + 1).fit(REAL).kneighbors(REAL)[0][:, -1]
    found = jax.jit(functools.partial(neighbor_distances, k=k, block_size=16))(single(REAL))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_duplicates_are_each_others_neighbours():
    points = jnp.array([[1.0, 0.0], [1.0, 0.0], [-2.0, 0.0]])
    np.testing.assert_allclose(neighbor_distances(points, k=1), [0, 0, 3], atol=1e-3)


def test_two_sample_accuracy_is_that_of_a_left_out_classifier():
    real = REAL[:50]
    labels = np.repeat([0, 1], 50)
    features = np.concatenate([real, FAKE])
    predicted = cross_val_predict(KNeighborsClassifier(1), features, labels, cv=LeaveOneOut())
    found = jax.jit(functools.partial(nearest_neighbor_accuracy, block_size=32))(*single(real, FAKE))
    right = predicted == labels
    np.testing.assert_allclose(found, [right.mean(), right[:50].mean(), right[50:].mean()], rtol=1e-6)


def test_copies_fool_and_distant_sets_do_not():
    # Each example's nearest other is its copy in the other set, of which the lower index of equal ones is real.
    points = single(REAL)
    assert nearest_neighbor_accuracy(points, points).accuracy < 0.05
    np.testing.assert_array_equal(nearest_neighbor_accuracy(points, points + 100), (1, 1, 1))


def test_four_devices_find_the_neighbours_of_one():
    mesh = Mesh(np.array(jax.devices()[:4]), ("devices",))
    queries, references = single(FAKE[:48], REAL)
    placed = jax.device_put(queries, NamedSharding(mesh, PartitionSpec("devices")))
    jitted = jax.jit(nearest_neighbors)
    np.testing.assert_array_equal(jitted(placed, references).indices, jitted(queries, references).indices)


def test_squared_distances_are_those_of_scikit_learn_and_never_negative():
    points = single(REAL - 3)
    matrix = np.asarray(jax.vmap(squared_distances, (0, None))(points, points))
    np.testing.assert_allclose(matrix, euclidean_distances(REAL - 3, squared=True), rtol=1e-4, atol=1e-5)
    assert matrix.min() >= 0


def test_sets_that_do_not_fit_are_refused():
    three, two = jnp.zeros((3, 2)), jnp.zeros((2, 2))
    with pytest.raises(ValueError, match="differ in their number of examples, but must be equally many"):
        nearest_neighbor_accuracy(three, two)
    with pytest.raises(ValueError, match="number of examples is 1"):
        nearest_neighbor_accuracy(two[:1], two[:1])
    with pytest.raises(ValueError, match=r"features has shape \(3, 2\), but must hold at least 4"):
        neighbor_distances(three, k=3)
    with pytest.raises(ValueError, match="k is 0"):
        neighbor_distances(three, k=0)
    with pytest.raises(ValueError, match=r"queries has shape \(2, 2, 1\), but must have the axes \(N, d\)"):
        nearest_neighbors(two[..., None], three)
