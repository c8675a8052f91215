import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import geometric_slerp

from jaxgen.latents import interpolation as eager
from jaxgen.latents.interpolation import path

linear, spherical = jax.jit(eager.linear), jax.jit(eager.spherical)  # one program for each shape
KINDS = pytest.mark.parametrize("interpolation", [linear, spherical])
seeds = st.integers(0, 2**31 - 1)


def pair(seed, num=5, size=7):
    return jax.random.normal(jax.random.key(seed), (2, num, size))


slopes = jax.jit(jax.grad(lambda start, end, t: eager.spherical(start, end, t).sum(), (0, 1)))


def lengths(vectors):
    return np.linalg.norm(vectors, axis=1)


@KINDS
@given(seed=seeds)
def test_both_ends_are_met(interpolation, seed):
    start, end = pair(seed)
    np.testing.assert_allclose(interpolation(start, end, jnp.zeros(5)), start, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(interpolation(start, end, jnp.ones(5)), end, rtol=1e-5, atol=1e-6)


@KINDS
@given(seed=seeds)
def test_the_path_back_is_the_same_path(interpolation, seed):
    start, end = pair(seed)
    t = jax.random.uniform(jax.random.key(seed), (5,))
    there, back = interpolation(start, end, t), interpolation(end, start, 1.0 - t)
    np.testing.assert_allclose(there, back, rtol=1e-4, atol=1e-5)


@KINDS
def test_a_vector_to_itself_stays_where_it_is(interpolation):
    start, _ = pair(0)
    np.testing.assert_allclose(interpolation(start, start, jnp.linspace(0, 1, 5)), start, rtol=1e-5, atol=1e-6)


def test_linear_commutes_with_every_affine_map():
    start, end = pair(1)
    matrix, offset = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32), jnp.arange(3.0)

    def affine(latents):
        return latents @ matrix + offset[None]

    t = jnp.linspace(0, 1, 5)
    np.testing.assert_allclose(affine(linear(start, end, t)), linear(affine(start), affine(end), t), atol=1e-5)


@given(seed=seeds)
def test_spherical_of_unit_vectors_is_scipys_geometric_slerp(seed):
    start, end = np.asarray(pair(seed), np.float64)
    start, end = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (start, end))
    t = np.linspace(0, 1, 5)
    wanted = [geometric_slerp(*ends, place) for *ends, place in zip(start, end, t, strict=True)]
    found = spherical(*(jnp.asarray(array, jnp.float32) for array in (start, end, t)))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_the_length_goes_linearly_and_the_angle_evenly():
    start, end = jnp.tile(jnp.array([[3.0, 0.0, 0.0]]), (5, 1)), jnp.tile(jnp.array([[0.0, 1.0, 1.0]]), (5, 1))
    t = jnp.linspace(0, 1, 5)
    found = spherical(start, end, t)
    np.testing.assert_allclose(lengths(found), 3 + t * (np.sqrt(2) - 3), rtol=1e-6)
    angles = np.arccos(np.clip(found[:, 0] / lengths(found), -1, 1))
    np.testing.assert_allclose(angles, t * np.pi / 2, atol=1e-3)


def test_spherical_turns_with_every_rotation():
    start, end = pair(2)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(7, 7)))[0].astype(np.float32)
    t = jnp.linspace(0, 1, 5)
    np.testing.assert_allclose(
        spherical(start @ rotation, end @ rotation, t), spherical(start, end, t) @ rotation, atol=1e-5
    )


def test_draws_of_the_prior_keep_their_length_on_great_circles_and_lose_it_on_lines():
    """Half way between independent draws in d dimensions a line has length sqrt(d / 2)."""
    start, end = pair(3, num=200, size=400)
    half = jnp.full(200, 0.5)
    np.testing.assert_allclose(lengths(spherical(start, end, half)).mean(), 20.0, rtol=0.02)
    np.testing.assert_allclose(lengths(linear(start, end, half)).mean(), np.sqrt(200), rtol=0.02)


@pytest.mark.parametrize("nudge", [0.0, 1e-8, 1e-6, 1e-4])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_parallel_and_opposite_vectors_have_a_path_of_their_length_and_finite_gradients(sign, nudge):
    start = jnp.tile(jnp.array([[0.6, 0.8, 0.0]]), (9, 1))
    end = sign * start + nudge * jnp.array([[0.8, -0.6, 0.0]])
    t = jnp.linspace(0, 1, 9)
    found = spherical(start, end, t)
    np.testing.assert_allclose(lengths(found), 1.0, atol=1e-5)
    np.testing.assert_allclose(found[0], start[0], atol=1e-5)
    np.testing.assert_allclose(found[-1], end[-1], atol=2e-5)
    steps = lengths(np.diff(found, axis=0))
    np.testing.assert_allclose(steps, steps[0], atol=1e-4)
    gradients = slopes(start, end, t)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_zeros_take_the_direction_of_the_other_end():
    zeros, ones = jnp.zeros((3, 2)), jnp.array([[3.0, 4.0]] * 3)
    t = jnp.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(spherical(zeros, ones, t), t[:, None] * ones, atol=1e-6)
    np.testing.assert_allclose(spherical(ones, zeros, t), (1 - t)[:, None] * ones, atol=1e-6)
    np.testing.assert_array_equal(spherical(zeros, zeros, t), zeros)
    assert all(np.isfinite(gradient).all() for gradient in slopes(zeros, zeros, t))


def test_one_dimension_has_no_circle_and_goes_through_zero():
    start, t = jnp.ones((3, 1)), jnp.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(spherical(start, -start, t).ravel(), [1.0, 0.0, -1.0], atol=1e-6)


@KINDS
@pytest.mark.parametrize("closed", [False, True])
def test_a_path_meets_every_point_and_runs_evenly_between(interpolation, closed):
    points = jax.random.normal(jax.random.key(4), (4, 6))
    found = jax.jit(functools.partial(path, steps=10, interpolation=interpolation, closed=closed))(points)
    assert found.shape == ((40 if closed else 31), 6)
    assert closed or path(points, 10).shape == (31, 6)
    np.testing.assert_allclose(found[::10], points, atol=1e-6)
    for index in range(4 if closed else 3):
        start, end = (np.tile(points[place % 4], (10, 1)) for place in (index, index + 1))
        wanted = interpolation(start, end, np.arange(10, dtype=np.float32) / 10)
        np.testing.assert_allclose(found[index * 10 : index * 10 + 10], wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("num", "steps", "message"),
    [(1, 5, "number of points is 1, but must be at least 2"), (2, 0, "steps is 0, but must be at least 1")],
)
def test_a_path_of_too_few_points_or_steps_is_refused(num, steps, message):
    with pytest.raises(ValueError, match=message):
        path(jnp.zeros((num, 3)), steps)
