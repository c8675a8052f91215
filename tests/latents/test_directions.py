import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from jaxgen.latents import directions as eager
from jaxgen.latents.directions import difference_of_means, without
from jaxgen.latents.principal_components import principal_components

logistic_normal = jax.jit(eager.logistic_normal, static_argnames="penalty")
sefa, ganspace = (
    jax.jit(function, static_argnums=number) for function, number in ((eager.sefa, 1), (eager.ganspace, 2))
)


def cloud(seed=0, num=80, size=5):
    return jax.random.normal(jax.random.key(seed), (num, size))


def orthonormal(axes):
    np.testing.assert_allclose(axes @ axes.T, np.eye(len(axes)), atol=1e-5)


def test_the_difference_of_means_is_the_way_from_one_group_to_the_other():
    latents, way = cloud(), jnp.array([1.0, 0.0, -2.0, 0.0, 3.0])
    both = jnp.concatenate([latents, latents + way[None]])
    found = difference_of_means(both, jnp.arange(160) >= 80)
    np.testing.assert_allclose(found, way, atol=1e-5)
    np.testing.assert_allclose(difference_of_means(both, jnp.arange(160) < 80), -way, atol=1e-5)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 10.0])
def test_the_normal_of_logistic_regression_is_scikit_learns(penalty):
    latents = cloud()
    positive = latents @ jnp.array([1.0, -2.0, 0.5, 0.0, 0.0]) + cloud(1)[:, 0] > 0.3
    wanted = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=1000).fit(latents, positive).coef_[0]
    found = logistic_normal(latents, positive, penalty=penalty)
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted), atol=1e-3)


def test_groups_of_one_kind_have_no_normal_and_separable_ones_a_finite_one():
    latents = cloud()
    separable = logistic_normal(latents, latents[:, 2] > 0)
    assert np.isfinite(separable).all() and separable.argmax() == 2
    np.testing.assert_array_equal(logistic_normal(jnp.zeros((4, 2)), jnp.array([True, False, True, False])), 0.0)


def test_a_direction_without_others_is_orthogonal_to_them_and_keeps_its_side():
    direction, others = cloud(2, 1)[0], cloud(3, 2)
    found = without(direction, others)
    np.testing.assert_allclose(others @ found, 0.0, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found), 1.0, rtol=1e-5)
    assert found @ direction > 0
    np.testing.assert_allclose(without(found, others), found, atol=1e-5)


def test_sefa_finds_orthonormal_eigenvectors_whose_strengths_are_the_lengths_of_their_images():
    matrix = cloud(4, 12)
    found = sefa(matrix, 5)
    rows = np.asarray(matrix) / np.linalg.norm(matrix, axis=1, keepdims=True)
    orthonormal(found.axes)
    assert (np.diff(found.strengths) <= 0).all()
    np.testing.assert_allclose(((found.axes @ rows.T) ** 2).sum(axis=1), found.strengths, rtol=1e-4)
    np.testing.assert_allclose(found.strengths.sum(), 12, rtol=1e-5)  # the trace: a row of unit length counts 1
    np.testing.assert_allclose(sefa(matrix * jnp.arange(1.0, 13.0)[:, None], 5).axes, found.axes, atol=1e-4)


def test_sefa_of_rows_of_zeros_leaves_them_out():
    matrix = jnp.concatenate([cloud(4, 12), jnp.zeros((3, 5))])
    np.testing.assert_allclose(sefa(matrix, 2).axes, sefa(matrix[:12], 2).axes, atol=1e-4)


def test_ganspace_of_the_latents_themselves_is_their_principal_components():
    latents = cloud() * jnp.array([5.0, 3.0, 2.0, 1.0, 0.5])[None]
    found, wanted = ganspace(latents, latents, 3), principal_components(latents, 3)
    np.testing.assert_allclose(found.axes, wanted.axes, atol=1e-4)
    np.testing.assert_allclose(found.strengths, wanted.explained, rtol=1e-4)


def test_ganspace_of_a_linear_layer_is_carried_back_exactly():
    """y = B z: where a step along a direction goes in y is the component itself."""
    latents, layer = cloud(), np.random.default_rng(0).normal(size=(5, 5)).astype(np.float32)
    features = latents @ layer
    found, components = ganspace(latents, features, 5), principal_components(features, 5)
    moved = found.axes @ layer
    moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    np.testing.assert_allclose(moved, components.axes, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(found.axes, axis=1), 1.0, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: eager.sefa(jnp.ones((4, 2)), 3), r"num is 3, but must be in \[1, 2\], as the latent has numbers"),
        (lambda: eager.ganspace(jnp.ones((4, 2)), jnp.ones((3, 2)), 1), "number of features is 3, but must be that of"),
        (lambda: eager.ganspace(jnp.ones((4, 2)), jnp.ones((4, 2)), 3), "3 axes cannot be found from points of shape"),
        (lambda: eager.logistic_normal(jnp.ones((2, 2)), jnp.array([True, False]), penalty=0.0), "penalty is 0.0"),
    ],
)
def test_what_cannot_be_found_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()
