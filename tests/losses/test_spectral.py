"""Weights as matrices: the power method and orthogonality."""

import functools

import equinox as eqx
import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.losses import spectral

# The paper's W is (out, in), here it is (in, out): [[3, 0], [4, 5]] transposed. Its singular values
# are sqrt(45) and sqrt(5).
W = jnp.array([[3.0, 4.0], [0.0, 5.0]])


def normal(*shape, seed=0):
    return jnp.array(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def test_power_method_passes_through_its_golden_estimates():
    # By hand from u = (1, 0): v = (1, 0), W v = (3, 4), sigma = 5; the rest in float64 with NumPy.
    golden = [5.0, 6.67174603, 6.70774957, 6.70819832, 6.70820386]
    with jax.enable_x64(True):
        u, matrix = jnp.array([1.0, 0.0]), jnp.array(np.asarray(W, np.float64))
        for step, expected in enumerate(golden):
            sigma, new = spectral.spectral_norm(matrix, u, num_steps=step + 1)
            np.testing.assert_allclose(sigma, expected, atol=1e-8)
            np.testing.assert_allclose(jnp.linalg.norm(new), 1.0, rtol=1e-12)


def test_one_call_with_many_steps_is_many_calls_with_one():
    u = jnp.array([1.0, 0.0])
    at_once = spectral.spectral_norm(W, u, num_steps=3)
    for _ in range(3):
        sigma, u = spectral.spectral_norm(W, u)
    np.testing.assert_allclose(sigma, at_once[0], rtol=1e-6)
    np.testing.assert_allclose(u, at_once[1], rtol=1e-6)


thirty_steps = jax.jit(functools.partial(spectral.spectral_norm, num_steps=30))


@hypothesis.settings(max_examples=10)
@hypothesis.given(st.integers(0, 1000))
def test_spectral_norm_converges_to_the_largest_singular_value(seed):
    kernel = normal(3, 2, 4, 5, seed=seed)
    sigma, _ = thirty_steps(kernel, jnp.ones(5))
    expected = np.linalg.svd(np.asarray(kernel).reshape(24, 5), compute_uv=False)[0]
    np.testing.assert_allclose(sigma, expected, rtol=1e-2)


def test_normalised_weight_has_spectral_norm_one_whatever_its_scale():
    kernel, u = normal(3, 3, 2, 4), jnp.ones(4)
    normalised, new = spectral.spectral_normalize(kernel, u, num_steps=50)
    assert normalised.shape == kernel.shape
    np.testing.assert_allclose(spectral.spectral_norm(normalised, new)[0], 1.0, rtol=1e-4)
    for scale in 3.0, 1e-3:
        scaled, _ = spectral.spectral_normalize(scale * kernel, u, num_steps=50)
        np.testing.assert_allclose(scaled, normalised, rtol=1e-4)


@pytest.mark.parametrize("axis", [0, 1, -2, 3, -1, -4])
def test_outputs_may_lie_along_any_axis(axis):
    kernel, u = normal(3, 2, 4, 5), jnp.ones(5)
    moved = jnp.moveaxis(kernel, -1, axis)
    found, wanted = spectral.spectral_norm(moved, u, axis=axis), spectral.spectral_norm(kernel, u)
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_array_equal(found[1], wanted[1])
    normalised, _ = spectral.spectral_normalize(moved, u, axis=axis)
    np.testing.assert_array_equal(jnp.moveaxis(normalised, axis, -1), spectral.spectral_normalize(kernel, u)[0])
    for penalty in spectral.orthonormal_penalty, spectral.orthogonal_penalty:
        np.testing.assert_array_equal(penalty(moved, axis=axis), penalty(kernel))


@pytest.mark.parametrize("axis", [2, -3])
def test_an_axis_that_a_weight_has_not_is_refused(axis):
    with pytest.raises(ValueError, match=rf"axis is {axis}, but must be one of the 2 of a weight \(2, 2\)"):
        spectral.spectral_norm(W, jnp.ones(2), axis=axis)


def test_sigma_of_a_convolution_of_equinox_is_that_of_its_outputs_along_axis_0():
    kernel = eqx.nn.Conv2d(2, 6, 3, key=jax.random.key(0)).weight  # (out, in, height, width)
    sigma, _ = spectral.spectral_norm(kernel, jnp.ones(6), axis=0, num_steps=200)
    expected = np.linalg.svd(np.asarray(kernel).reshape(6, 18), compute_uv=False)[0]
    np.testing.assert_allclose(sigma, expected, rtol=1e-3)


POWERS = [-30, -25, -21, -19, -10, 0, 10, 18, 19, 25, 30]


@pytest.mark.parametrize("power", POWERS)
def test_spectral_norm_is_that_of_a_weight_of_any_size(power):
    kernel, u = normal(4, 3), jnp.ones(3)
    wanted, wanted_u = spectral.spectral_norm(kernel, u, num_steps=5)
    scaled = 10.0**power * kernel
    sigma, new = spectral.spectral_norm(scaled, u, num_steps=5)
    np.testing.assert_allclose(sigma, 10.0**power * wanted, rtol=1e-5)
    np.testing.assert_allclose(new, wanted_u, rtol=1e-5)
    gradient = jax.grad(lambda w: spectral.spectral_norm(w, u)[0])(scaled)
    np.testing.assert_allclose(jnp.linalg.norm(gradient), 1.0, rtol=1e-5)  # v u^T


@pytest.mark.parametrize("power", POWERS)
def test_normalised_weight_and_its_slope_are_those_of_a_weight_of_any_size(power):
    kernel, u, cotangent = normal(4, 3), jnp.ones(3), normal(4, 3, seed=2)

    def loss(kernel):
        return (cotangent * spectral.spectral_normalize(kernel, u)[0]).sum()

    normalised, _ = spectral.spectral_normalize(10.0**power * kernel, u)
    np.testing.assert_allclose(normalised, spectral.spectral_normalize(kernel, u)[0], rtol=1e-5)
    slope = jax.grad(loss)(10.0**power * kernel)
    np.testing.assert_allclose(slope * 10.0**power, jax.grad(loss)(kernel), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("power", POWERS)
def test_power_method_starts_from_a_vector_of_any_size(power):
    sigma, u = spectral.spectral_norm(W, 10.0**power * jnp.array([1.0, 2.0]))
    wanted = spectral.spectral_norm(W, jnp.array([1.0, 2.0]))
    np.testing.assert_allclose((sigma, *u), (wanted[0], *wanted[1]), rtol=1e-5)


def test_a_weight_is_scaled_by_a_power_of_two_so_that_nothing_is_rounded():
    kernel, u = normal(4, 3), jnp.ones(3)
    for power in -40, 3, 40:
        scaled = spectral.spectral_normalize(kernel * 2.0**power, u)
        np.testing.assert_array_equal(scaled[0], spectral.spectral_normalize(kernel, u)[0])


def test_one_entry_may_be_far_larger_than_the_others_and_of_any_sign():
    """Sizes are taken of the largest absolute value: not of the smallest, and not of the largest value."""
    weight = jnp.array([[-3e30, 0.0], [0.0, 1.0]])
    sigma, _ = spectral.spectral_norm(weight, jnp.ones(2), num_steps=2)
    np.testing.assert_allclose(sigma, 3e30, rtol=1e-6)
    normalised, _ = spectral.spectral_normalize(weight, jnp.ones(2), num_steps=2)
    np.testing.assert_allclose(normalised, [[-1.0, 0.0], [0.0, 1 / 3e30]], rtol=1e-6)


def test_products_have_the_full_precision_of_float32_on_every_device():
    """TPUs and GPUs round the factors of a product unless they are told not to."""
    for function in (lambda weight: spectral.spectral_norm(weight, jnp.ones(2))[0], spectral.orthogonal_penalty):
        program = str(jax.make_jaxpr(function)(W))
        assert program.count("Precision.HIGHEST") == 2 * program.count("dot_general") > 0


def test_penalties_of_a_float32_weight_are_float32_where_float64_is_the_default():
    with jax.enable_x64(True):
        single, double = jnp.asarray(W, jnp.float32), jnp.asarray(W, jnp.float64)
        for penalty in spectral.orthonormal_penalty, spectral.orthogonal_penalty:
            assert penalty(single).dtype == jnp.float32 and penalty(double).dtype == jnp.float64


def test_convolution_with_a_normalised_kernel_is_bounded_by_the_root_of_its_window():
    # A convolution's norm is at most sqrt(height * width) times the matrix norm of its kernel.
    kernel, _ = spectral.spectral_normalize(normal(3, 3, 2, 4), jnp.ones(4), num_steps=50)

    def convolve(image):
        return jax.lax.conv_general_dilated(image, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    matrix = jax.jacobian(lambda x: convolve(x.reshape(1, 5, 5, 2)).ravel())(jnp.zeros(50))
    norm = np.linalg.svd(np.asarray(matrix), compute_uv=False)[0]
    assert 1.0 < norm <= 3.0


def test_gradient_of_the_normalised_weight_is_that_of_the_paper():
    # arXiv 1802.05957, equation 12: (G - <G, W / sigma> v u^T) / sigma for dL/d(W / sigma) = G.
    kernel, u, cotangent = normal(4, 3), normal(3, seed=1), normal(4, 3, seed=2)

    def loss(kernel):
        return (cotangent * spectral.spectral_normalize(kernel, u)[0]).sum()

    sigma, new_u = spectral.spectral_norm(kernel, u)
    v = kernel @ (u / jnp.linalg.norm(u))
    v = v / jnp.linalg.norm(v)
    inner = (cotangent * kernel).sum() / sigma
    expected = (cotangent - inner * v[:, None] * new_u[None]) / sigma
    gradient = jax.grad(loss)(kernel)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose((gradient * kernel).sum(), 0.0, atol=1e-5)


def test_vectors_of_the_power_method_are_held_constant():
    kernel, u = normal(4, 3), jnp.ones(3)
    gradient = jax.grad(lambda kernel: (spectral.spectral_norm(kernel, u)[1] ** 2)[0])(kernel)
    np.testing.assert_array_equal(gradient, 0.0)
    gradient = jax.grad(lambda u: spectral.spectral_norm(kernel, u)[0])(u)
    np.testing.assert_array_equal(gradient, 0.0)


def test_zero_weight_stays_zero_with_finite_gradient_and_keeps_its_u():
    zero, u = jnp.zeros((4, 3)), jnp.array([0.6, 0.8, 0.0])
    normalised, new = spectral.spectral_normalize(zero, u)
    np.testing.assert_array_equal(normalised, 0.0)
    np.testing.assert_array_equal(new, u)
    gradient = jax.grad(lambda w: spectral.spectral_normalize(w, u)[0].sum())(zero)
    np.testing.assert_array_equal(gradient, 1.0)  # as if it were not normalised


@pytest.mark.parametrize("spoilt", [0, 1], ids=["weight", "u"])
def test_nan_in_the_weight_or_in_u_is_nan_in_all_that_the_power_method_gives(spoilt):
    arrays = [W, jnp.ones(2)]
    arrays[spoilt] = arrays[spoilt].at[0].set(jnp.nan)
    sigma, u = spectral.spectral_norm(*arrays)
    normalised, _ = spectral.spectral_normalize(*arrays)
    assert jnp.isnan(sigma) and jnp.isnan(u).all() and jnp.isnan(normalised).all()


def test_normalised_weight_keeps_its_dtype():
    normalised, u = spectral.spectral_normalize(W.astype(jnp.bfloat16), jnp.ones(2, jnp.bfloat16))
    assert normalised.dtype == jnp.bfloat16
    assert u.dtype == jnp.float32


def test_orthogonal_penalties_of_a_small_matrix():
    # W^T W = [[9, 12], [12, 41]]: 12^2 twice off the diagonal, 8^2 + 40^2 on it. W W^T has 20 off
    # the diagonal.
    np.testing.assert_allclose(spectral.orthogonal_penalty(W), 288.0)
    np.testing.assert_allclose(spectral.orthogonal_penalty(W.T), 800.0)
    np.testing.assert_allclose(spectral.orthonormal_penalty(W), 288.0 + 64.0 + 1600.0)


def test_gradient_of_the_orthogonal_penalty_is_four_w_times_the_off_diagonal_gram():
    kernel = normal(6, 4)
    gram = kernel.T @ kernel
    expected = 4 * kernel @ (gram - jnp.diag(jnp.diag(gram)))
    gradient = jax.grad(spectral.orthogonal_penalty)(kernel)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4)


def test_orthogonal_columns_cost_nothing_and_only_the_orthonormal_penalty_sees_their_length():
    basis = jnp.linalg.qr(normal(12, 5))[0].reshape(3, 2, 2, 5)
    np.testing.assert_allclose(spectral.orthonormal_penalty(basis), 0.0, atol=1e-5)
    np.testing.assert_allclose(spectral.orthogonal_penalty(2 * basis), 0.0, atol=1e-5)
    np.testing.assert_allclose(spectral.orthonormal_penalty(2 * basis), 5 * 3.0**2, rtol=1e-4)


@pytest.mark.parametrize("shape", [(0, 2), (2, 0), (2,)])
def test_a_bias_or_an_empty_weight_is_refused(shape):
    with pytest.raises(ValueError, match=r"must be \(..., in, out\): not a bias, not empty"):
        spectral.orthonormal_penalty(jnp.ones(shape))


@pytest.mark.usefixtures("unchecked_annotations")
def test_a_vector_of_integers_is_refused():
    with pytest.raises(ValueError, match="u is int32, but must be floating"):
        spectral.spectral_norm(W, jnp.ones(2, jnp.int32))
