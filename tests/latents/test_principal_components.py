import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from jaxgen.latents import principal_components as eager

principal_components = jax.jit(eager.principal_components, static_argnums=1)
project, unproject = jax.jit(eager.project), jax.jit(eager.unproject)


def cloud(seed=0, num=60, size=6):
    """Points whose axes have clearly different variances."""
    deviations = jnp.array([5.0, 3.0, 2.0, 1.0, 0.5, 0.2])[:size]
    mixing = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0].astype(np.float32)
    return (jax.random.normal(jax.random.key(seed), (num, size)) * deviations[None]) @ mixing + 3.0


@given(seed=st.integers(0, 1000))
def test_axes_variances_and_coordinates_are_scikit_learns_up_to_sign(seed):
    points = cloud(seed)
    found = principal_components(points, 3)
    wanted = PCA(3).fit(np.asarray(points, np.float64))
    np.testing.assert_allclose(np.abs((found.axes * wanted.components_).sum(1)), 1.0, atol=1e-4)
    np.testing.assert_allclose(found.explained, wanted.explained_variance_ratio_, rtol=1e-3)
    np.testing.assert_allclose(found.mean, wanted.mean_, atol=1e-4)
    np.testing.assert_allclose(
        np.abs(project(found, points)), np.abs(wanted.transform(np.asarray(points, np.float64))), atol=5e-3
    )


def test_the_largest_entry_of_every_axis_is_positive_whatever_the_order_or_sign_of_the_points():
    points = cloud()
    found = principal_components(points, 4)
    assert (np.take_along_axis(np.asarray(found.axes), np.abs(found.axes).argmax(1)[:, None], 1) > 0).all()
    mirrored = principal_components(2 * found.mean[None] - points, 4)
    np.testing.assert_allclose(mirrored.axes, found.axes, atol=1e-4)
    shuffled = principal_components(points[jax.random.permutation(jax.random.key(1), 60)], 4)
    np.testing.assert_allclose(shuffled.axes, found.axes, atol=1e-4)


def test_axes_are_orthonormal_and_coordinates_uncorrelated():
    points = cloud()
    found = principal_components(points, 6)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(6), atol=1e-5)
    covariance = np.cov(project(found, points).T)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-3)
    np.testing.assert_allclose(found.explained.sum(), 1.0, rtol=1e-5)
    assert (np.diff(found.explained) <= 0).all()


def test_all_axes_lose_nothing_and_few_give_the_nearest_plane():
    points = cloud()
    full, plane = principal_components(points, 6), principal_components(points, 2)
    np.testing.assert_allclose(unproject(full, project(full, points)), points, atol=1e-4)
    lost = ((unproject(plane, project(plane, points)) - points) ** 2).sum()
    variance = ((points - full.mean[None]) ** 2).sum()
    np.testing.assert_allclose(lost / variance, 1 - plane.explained.sum(), rtol=1e-3)


def test_points_without_variance_have_finite_axes_that_explain_nothing():
    found = principal_components(jnp.ones((5, 3)), 2)
    assert all(np.isfinite(part).all() for part in found)
    np.testing.assert_array_equal(found.explained, 0.0)


@pytest.mark.parametrize(("shape", "num"), [((5, 3), 4), ((1, 3), 2), ((5, 3), 0), ((5, 3, 1), 1)])
def test_more_axes_than_there_can_be_are_refused(shape, num):
    with pytest.raises(ValueError, match=f"{num} axes cannot be found from points of shape"):
        eager.principal_components(jnp.zeros(shape), num)
