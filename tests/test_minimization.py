import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from jaxgen.minimization import LBFGS, Descent, Minimum, identity, minimize, minimize_from
from jaxgen.optimizers import SGD, Adam, Cosine, Optimizer

ADAM = Descent(Optimizer(0.1, Adam(), schedule=Cosine(400)), steps=400)
KINDS = pytest.mark.parametrize("minimizer", [LBFGS(), ADAM], ids=["lbfgs", "adam"])
MATRIX = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)


def squares(points, targets):
    return ((points @ MATRIX.T - targets) ** 2).sum(axis=1)


def targets(num=4):
    return jax.random.normal(jax.random.key(1), (num, 12))


def clipped(points):
    return points.clip(-0.2, 0.2)


@functools.cache
def run(minimizer, objective, support=identity):
    return jax.jit(lambda start, *inputs: minimize(minimizer, objective, start, inputs, support))


@KINDS
def test_least_squares_are_numpys(minimizer):
    found = run(minimizer, squares)(jnp.zeros((4, 4)), targets())
    wanted, residuals, *_ = np.linalg.lstsq(MATRIX, np.asarray(targets()).T)
    np.testing.assert_allclose(found.points, wanted.T, atol=2e-4)
    np.testing.assert_allclose(found.values, residuals, rtol=1e-5)


@KINDS
def test_bound_least_squares_are_scipys(minimizer):
    """The support clips the numbers that the unbound minimum has outside of it."""
    found = run(minimizer, squares, clipped)(jnp.zeros((4, 4)), targets())
    for point, value, target in zip(found.points, found.values, targets(), strict=True):
        wanted = scipy.optimize.lsq_linear(*(np.asarray(part, np.float64) for part in (MATRIX, target)), (-0.2, 0.2))
        if isinstance(minimizer, Descent):  # a number that L-BFGS has clipped has no slope and stays
            np.testing.assert_allclose(point, wanted.x, atol=2e-3)
        assert 2 * wanted.cost <= value * (1 + 1e-4) and np.abs(point).max() <= 0.2


def test_lbfgs_finds_the_valley_of_rosenbrock_where_scipy_does():
    def rosenbrock(points):
        x, y = points[:, 0], points[:, 1]
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    start = jnp.array([[-1.2, 1.0], [2.0, -3.0]])
    found = run(LBFGS(steps=200), rosenbrock)(start)
    wanted = [
        scipy.optimize.minimize(scipy.optimize.rosen, one, method="L-BFGS-B").x for one in np.asarray(start, np.float64)
    ]
    np.testing.assert_allclose(found.points, wanted, atol=2e-3)


@KINDS
def test_more_steps_are_never_worse_and_none_is_worse_than_the_start(minimizer):
    def waves(points):
        return jnp.cos(3 * points).sum(axis=1) + 0.1 * (points**2).sum(axis=1)

    start = 3 * jax.random.normal(jax.random.key(2), (4, 3))
    values = [waves(start)]
    for steps in (1, 4, 16):
        few = LBFGS(steps) if isinstance(minimizer, LBFGS) else Descent(Optimizer(0.5, SGD(0.5)), steps)
        found = run(few, waves)(start)
        np.testing.assert_allclose(found.values, waves(found.points), rtol=1e-5, atol=1e-6)
        values.append(found.values)
    assert (np.diff(np.stack(values), axis=0) <= 1e-6).all()


@KINDS
def test_an_example_does_not_know_of_the_others_nor_of_nan_among_them(minimizer):
    whole = run(minimizer, squares)(jnp.zeros((4, 4)), targets())
    broken = run(minimizer, squares)(jnp.zeros((4, 4)), targets().at[1].set(jnp.nan))
    assert np.isnan(broken.values[1]) and np.isfinite(np.delete(broken.values, 1)).all()
    for place in (0, 2, 3):
        np.testing.assert_allclose(broken.points[place], whole.points[place], atol=1e-5)


@KINDS
def test_a_batch_over_devices_has_the_points_of_the_whole_batch(minimizer):
    start, inputs = jnp.zeros((4, 4)), targets()
    wanted = run(minimizer, squares)(start, inputs)
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("i",))
    spec = jax.sharding.PartitionSpec("i")
    cut = jax.device_put((start, inputs), jax.sharding.NamedSharding(mesh, spec))
    mapped = jax.shard_map(run(minimizer, squares), mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)
    for found in (run(minimizer, squares)(*cut), mapped(start, inputs)):
        np.testing.assert_allclose(found.values, wanted.values, rtol=1e-5)
        np.testing.assert_allclose(found.points, wanted.points, atol=1e-3)


def test_of_several_starts_each_example_has_its_best_and_a_lost_start_is_left():
    def wells(points, depth):
        far = jnp.where(jnp.isnan(points), jnp.nan, 0.0)
        return ((points**2 - 1) ** 2 + depth[:, None] * points + far).sum(axis=1)

    starts = jnp.array([[[1.0], [1.0]], [[-1.0], [-1.0]], [[jnp.nan], [jnp.nan]]])
    depth = jnp.array([0.3, -0.3])
    found = jax.jit(lambda starts: minimize_from(LBFGS(), wells, starts, (depth,)))(starts)
    singles = [run(LBFGS(), wells)(start, depth) for start in starts[:2]]
    assert isinstance(found, Minimum)
    assert (np.sign(found.points[:, 0]) == [-1, 1]).all()
    np.testing.assert_allclose(found.values, np.minimum(*(single.values for single in singles)), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: minimize(LBFGS(), lambda x: x, jnp.zeros((2, 3))), r"shape of the objective is \(2, 3\), but must be"),
        (lambda: minimize(ADAM, lambda x: x.sum(), jnp.zeros((2, 3))), r"shape of the objective is \(\), but must be"),
        (lambda: minimize_from(ADAM, squares, jnp.zeros((0, 2, 4))), "number of starts is 0, but must be at least 1"),
        (lambda: LBFGS(steps=0), "steps is 0, but must be at least 1"),
        (lambda: LBFGS(tolerance=-1.0), "tolerance is -1.0, but must be at least 0"),
        (lambda: Descent(Optimizer(0.1, Adam(), clip_norm=1.0)), "without clip_norm, orthogonality"),
    ],
)
def test_what_cannot_be_minimized_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()
