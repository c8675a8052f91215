"""Precision, recall, density, coverage: agreement with torch-fidelity and prdc, identical and distant sets."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxgen.metrics import density_coverage, holding_balls, precision_recall
from tests.metrics import inputs
from tests.metrics.golden import stored
from tests.metrics.numbers import in_float64, single

REAL, FAKE = inputs.pairs()
jitted = {f: jax.jit(f, static_argnames=("k", "block_size")) for f in (precision_recall, density_coverage)}


def test_values_agree_with_torch_fidelity_and_prdc():
    golden = stored("statistics")
    found = jitted[precision_recall](*single(REAL, FAKE), block_size=20)
    np.testing.assert_allclose(found, golden["precision_recall"], rtol=1e-6)
    # prdc's balls do not hold their border, on which no example of continuous features lies.
    found = jitted[precision_recall](*single(REAL, FAKE), k=5, block_size=20)
    np.testing.assert_allclose(found, [golden["prdc"]["precision"], golden["prdc"]["recall"]], rtol=1e-6)
    found = jitted[density_coverage](*single(REAL, FAKE), block_size=20)
    np.testing.assert_allclose(found, [golden["prdc"]["density"], golden["prdc"]["coverage"]], rtol=1e-6)


def test_double_precision_has_the_same_counts():
    for function, pair in jitted.items():
        np.testing.assert_allclose(
            in_float64(inspect.unwrap(function), REAL, FAKE), pair(*single(REAL, FAKE)), rtol=1e-6
        )


def test_identical_sets_have_ones_alone():
    points = single(REAL)
    for value in (*jitted[precision_recall](points, points), *jitted[density_coverage](points, points)):
        np.testing.assert_allclose(value, 1.0, rtol=1e-6)


def test_distant_sets_have_zeros_alone():
    points = single(REAL)
    for function in jitted.values():
        np.testing.assert_array_equal(function(points, points + 100), (0, 0))


def test_one_mode_of_two_is_precise_but_recalls_half():
    modes = single(np.concatenate([REAL, REAL + 50]))
    precision, recall = jitted[precision_recall](modes, single(REAL))
    coverage = jitted[density_coverage](modes, single(REAL)).coverage
    assert (precision, recall, coverage) == (1.0, 0.5, 0.5)


def test_larger_balls_hold_more():
    found = [jitted[precision_recall](*single(REAL, FAKE), k=k) for k in (1, 3, 5)]
    assert (np.diff(np.asarray(found), axis=0) >= 0).all()


def test_border_is_held_or_not():
    points, centers, radii = jnp.array([[3.0, 0.0]]), jnp.array([[0.0, 0.0], [6.0, 0.0]]), jnp.array([3.0, 3.0])
    assert holding_balls(points, centers, radii) == 2
    assert holding_balls(points, centers, radii, border=False) == 0


def test_a_fake_on_the_border_of_a_real_ball_covers_nothing():
    real, fake = jnp.array([[-3.0], [0.0], [3.0]]), jnp.array([[6.0], [60.0]])  # radii of 3
    assert jitted[density_coverage](real, fake, k=1).coverage == 0
    assert jitted[density_coverage](real, fake - 0.5, k=1).coverage == jnp.float32(1 / 3)


def test_four_devices_count_as_one():
    mesh = Mesh(np.array(jax.devices()[:4]), ("devices",))
    real, fake = single(REAL, FAKE[:48])
    placed = [jax.device_put(x, NamedSharding(mesh, PartitionSpec("devices"))) for x in (real, fake)]
    for function in jitted.values():
        np.testing.assert_allclose(function(*placed), function(real, fake), rtol=1e-6)


def test_sets_without_enough_neighbours_are_refused():
    three, nine = jnp.zeros((3, 2)), jnp.zeros((9, 2))
    for pair in ((three, nine), (nine, three)):
        with pytest.raises(ValueError, match=r"_features has shape \(3, 2\), but must hold at least 4"):
            precision_recall(*pair)
    with pytest.raises(ValueError, match=r"real_features has shape \(3, 2\), but must hold at least 6"):
        density_coverage(three, nine)
    with pytest.raises(ValueError, match=r"radii have shape \(3,\), but must be \(9,\)"):
        holding_balls(three, nine, jnp.zeros(3))
