"""Every public function of losses and metrics with one array spoilt: NaN in, NaN out; for the rest a sentence."""

import functools
import inspect
import itertools
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import losses, metrics
from tests.losses import arguments as of_losses
from tests.metrics import arguments as of_metrics

ROWS = {**of_losses.ROWS, **of_metrics.ROWS}
EACH = [(name, position) for name, row in ROWS.items() for position in range(len(row.shapes))]
WITH_AXES = [(name, position) for name, position in EACH if ROWS[name].shapes[position]]
BATCHED = [name for name, row in ROWS.items() if row.batch]

OF_NO_BATCH = {
    "clip_weights": "weights",
    "completeness": "a row for each code",
    "covariance": "statistics; of fewer than two examples, whose number is traced, NaN",
    "disentanglement": "a row for each code",
    "equivariance": "sums over all pairs",
    "frechet_distance": "statistics",
    "gaussian_frechet_distance": "statistics",
    "historical_averaging": "weights",
    "merge": "statistics, of no features too",
    "modularity": "a row for each code",
    "orthogonal_penalty": "a weight",
    "predictability_gap": "a row for each code",
    "retrieval_accuracy": "a row for each query, of all candidates",
    "orthonormal_penalty": "a weight",
    "pca_extractor": "statistics; the features that it is given are samples",
    "running_mean": "weights",
    "spectral_norm": "a weight",
    "spectral_normalize": "a weight",
}
NO_FLOAT_OUT = {"holding_balls": "counts are integers, and no ball holds a NaN; what is made of the counts is NaN"}
TAKES_INTEGERS = {
    "bootstrap": "the statistic takes what examples are",
    "classification_accuracy_score": "classifiers take pixels",
    "clip_weights": "leaves that are not floating stay as they are",
    "covariance": "statistics are made by moments, which refuses integers",
    "frechet_distance": "the same",
    "merge": "the same",
    "pca_extractor": "the same",
}
TAKES_OTHERS = {
    "bootstrap": "examples may be a tree of arrays",
    "clip_weights": "a tree of weights may hold anything",
    "covariance": "of Moments: a test of its own",
    "frechet_distance": "the same",
    "merge": "the same",
    "pca_extractor": "the same",
}
OR_A_NUMBER = {("gaussian_nll", 1), ("infogan_gaussian", 1), ("infogan_uniform", 1)}  # a fixed variance


def each_function_of(pairs, but_for=()):
    """Parametrizes with a function and the positions of its arrays: one test a function."""
    positions: dict[str, list[int]] = {}
    for name, position in pairs:
        if name not in but_for:
            positions.setdefault(name, []).append(position)
    return pytest.mark.parametrize(("name", "positions"), positions.items(), ids=positions)


def public(package):
    return {name for name in package.__all__ if inspect.isfunction(getattr(package, name))}


def on_device(arrays):
    """NumPy's arrays as JAX's, other things as they are: what is changed in NumPy compiles nothing."""
    return [jnp.asarray(array) if isinstance(array, np.ndarray) else array for array in arrays]


def arrays_of(name):
    return on_device(ROWS[name].arrays())


def spoilt(name, position, change):
    arrays = ROWS[name].arrays()
    arrays[position] = change(arrays[position])
    return on_device(arrays)


@functools.cache
def program(name):
    """The function, compiled to one program in place of one for each operation."""
    return jax.jit(ROWS[name].function)


def floating(values):
    return [leaf for leaf in jax.tree.leaves(jax.device_get(values)) if np.issubdtype(leaf.dtype, np.floating)]


def refused(name, arrays, sentence):
    """The function gives one sentence of its own: not an error of JAX further down, nor of checked annotations."""
    with pytest.raises(ValueError, match=sentence) as refusal:
        ROWS[name].function(*arrays)
    assert "jaxgen" in pathlib.Path(refusal.traceback[-1].path).parts
    assert "\n" not in str(refusal.value)


def test_every_public_function_has_a_row_or_a_reason():
    covered = {name.split()[0] for name in ROWS} | set(of_metrics.WITHOUT_ARRAYS)
    assert covered == public(losses) | public(metrics)
    assert {name.split()[0] for name in set(ROWS) - set(BATCHED)} == set(OF_NO_BATCH)


@pytest.mark.parametrize("name", ROWS)
def test_values_are_finite_while_nothing_is_spoilt(name):
    assert all(np.isfinite(leaf).all() for leaf in floating(program(name)(*arrays_of(name))))


@each_function_of(EACH, but_for=NO_FLOAT_OUT)
def test_nan_in_is_nan_out(name, positions):
    """The first number of an array or the last."""
    for position, place in itertools.product(positions, (0, -1)):
        arrays = ROWS[name].arrays()
        arrays[position].flat[place] = np.nan
        found = floating(program(name)(*on_device(arrays)))
        assert found
        assert not [leaf for leaf in found if not np.isnan(leaf).any()], (position, place)


@pytest.mark.parametrize("name", NO_FLOAT_OUT)
def test_functions_without_nan_give_no_float(name):
    assert not floating(ROWS[name].function(*arrays_of(name)))


@pytest.mark.parametrize("narrow", [jnp.bfloat16, pytest.param(jnp.float32, marks=pytest.mark.exhaustive)])
@each_function_of(EACH)
def test_arrays_of_different_types_are_computed_under_strict_promotion(name, positions, narrow):
    """Types are found while it is traced: nothing has to be compiled."""
    wide = {jnp.bfloat16: jnp.float32, jnp.float32: jnp.float64}[narrow]
    with jax.enable_x64(True):
        for position in positions:
            arrays = [
                jax.ShapeDtypeStruct(array.shape, narrow if place == position else wide)
                for place, array in enumerate(ROWS[name].arrays())
            ]
            jax.eval_shape(ROWS[name].function, *arrays)


@pytest.mark.parametrize("name", BATCHED)
def test_an_empty_batch_is_refused_by_its_shape(name):
    arrays = [array[:0] if array.ndim else array for array in ROWS[name].arrays()]
    refused(name, on_device(arrays), r"[(\[]0\b")


@pytest.mark.usefixtures("unchecked_annotations")
@each_function_of([pair for pair in WITH_AXES if pair[0] in BATCHED])
def test_one_empty_array_is_refused_by_its_shape(name, positions):
    for position in positions:
        refused(name, spoilt(name, position, lambda array: array[:0]), r"[(\[]0\b")


@pytest.mark.usefixtures("unchecked_annotations")
@each_function_of(WITH_AXES, but_for=TAKES_INTEGERS)
def test_integers_which_nobody_has_scaled_are_refused(name, positions):
    for position in positions:
        integers = spoilt(name, position, lambda array: (10 * array).astype(np.int32))
        refused(name, integers, "is int32, but must be floating|are int32, but must be uint8 pixels or floats")


@pytest.mark.usefixtures("unchecked_annotations")
@each_function_of(WITH_AXES, but_for=TAKES_OTHERS)
def test_lists_tuples_numbers_and_trees_are_refused_by_name(name, positions):
    for position in positions:
        numbers = [] if (name, position) in OR_A_NUMBER else [0.5]
        for other in (*numbers, [0.5, 0.5], (0.5, 0.5), {"a": jnp.ones(4)}):
            arrays = spoilt(name, position, lambda _, other=other: other)
            refused(name, arrays, "but must be an array|are different trees, but must be")


@pytest.mark.usefixtures("unchecked_annotations")
@each_function_of([pair for pair in EACH if pair not in WITH_AXES])
def test_one_number_is_refused_where_it_has_axes_or_is_a_list(name, positions):
    for position in positions:
        refused(
            name,
            spoilt(name, position, lambda array: array[None]),
            "has shape .1,., but must be|logvar .1,., targets .4, 3. differ",
        )
        refused(name, spoilt(name, position, lambda _: [0.5]), "is a list, but must be an array")
        ROWS[name].function(*spoilt(name, position, lambda _: 0.5))


@pytest.mark.usefixtures("unchecked_annotations")
def test_features_in_place_of_moments_are_refused():
    features, good = jnp.ones((4, 3)), metrics.moments(jnp.ones((4, 3)))
    for call in (
        lambda: metrics.covariance(features),
        lambda: metrics.frechet_distance(features, good),
        lambda: metrics.frechet_distance(good, features),
        lambda: metrics.merge(good, tuple(good)),
        lambda: metrics.pca_extractor(features, 2),
    ):
        with pytest.raises(ValueError, match=r"but must be Moments: give moments\(features\)"):
            call()


@pytest.mark.usefixtures("unchecked_annotations")
def test_a_pair_in_place_of_labelled_images_is_refused():
    pair = jnp.ones((4, 3)), jnp.zeros(4, int)
    with pytest.raises(ValueError, match=r"samples is a tuple, but must be Labelled\(images, labels\)"):
        metrics.classification_accuracy_score(lambda train: lambda images: images, pair, pair)
