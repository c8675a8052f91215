"""Gradient penalties: closed forms, zero and extreme slopes, second order, critics of four libraries."""

import chex
import equinox as eqx
import flax.linen as nn
import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.test_util import check_grads

from jaxgen.losses import penalties
from jaxgen.losses.adversarial import minimax_discriminator, non_saturating_generator

WEIGHTS = jnp.array([0.6, -2.4, 1.2])


def linear(points):
    return points @ WEIGHTS + 0.7


def constant(points):
    return 0 * points.sum(axis=1) + 3.0


def half_square(points):
    return (points**2).sum(axis=1) / 2


def test_penalty_of_a_linear_critic_is_a_function_of_its_norm():
    points, norm = jnp.ones((5, 3)), np.sqrt(0.36 + 5.76 + 1.44)
    np.testing.assert_allclose(penalties.gradient_penalty(linear, points), (norm - 1) ** 2, rtol=1e-6)
    np.testing.assert_allclose(penalties.gradient_penalty(linear, points, 0.4), (norm - 0.4) ** 2, rtol=1e-6)
    np.testing.assert_allclose(penalties.r1_penalty(linear, points), norm**2 / 2, rtol=1e-6)
    np.testing.assert_allclose(penalties.r2_penalty(linear, points), norm**2 / 2, rtol=1e-6)
    np.testing.assert_allclose(penalties.zero_centered_penalty(linear, points), norm**2, rtol=1e-6)


@pytest.mark.parametrize("power", [2.0, 6.0])
def test_divergence_of_a_linear_critic_is_a_power_of_its_norm(power):
    norm = np.sqrt(0.36 + 5.76 + 1.44)
    found = penalties.divergence_penalty(linear, jnp.ones((5, 3)), power=power)
    np.testing.assert_allclose(found, norm**power, rtol=1e-5)


@pytest.mark.parametrize(("gap", "slope", "value"), [(1.0, 0.6083643419, -0.5069702849), (12.0, 1.0, -10.0)])
def test_wgan_div_of_linear_critics_has_its_closed_form(gap, slope, value):
    """min over s of -d s + 2 s^6, at s = (d / 12)^(1 / 5)."""

    def loss(s):
        penalty = penalties.divergence_penalty(lambda x: s * x[:, 0], jnp.zeros((1, 1)))[0]
        return -gap * s + 2 * penalty

    found, derivative = jax.value_and_grad(loss)(jnp.float32(slope))
    assert found == pytest.approx(value, rel=1e-5) and derivative == pytest.approx(0.0, abs=1e-4)


def test_penalty_is_zero_for_unit_slope_critics():
    unit = WEIGHTS / jnp.linalg.norm(WEIGHTS)
    value = penalties.gradient_penalty(lambda x: x @ unit, jnp.ones((2, 3)))
    np.testing.assert_allclose(value, 0.0, atol=1e-12)


def test_gradient_of_the_penalty_of_a_linear_critic():
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|.
    def penalty(weights):
        return penalties.gradient_penalty(lambda x: x @ weights, jnp.ones((1, 3)))[0]

    norm = jnp.linalg.norm(WEIGHTS)
    expected = 2 * (norm - 1) * WEIGHTS / norm
    np.testing.assert_allclose(jax.grad(penalty)(WEIGHTS), expected, rtol=1e-6)


@pytest.mark.parametrize(("mix", "two", "one"), [(0.5, 2.25, 2.25), (0.1, 0.25, 0.0)])
def test_penalties_of_a_half_square_between_three_four_and_zero(mix, two, one):
    # Slopes of |x|^2 / 2 are x: of length 2.5 half way to (3, 4), of 0.5 at a tenth.
    points = penalties.interpolate(jnp.array([[3.0, 4.0]]), jnp.zeros((1, 2)), jnp.array([mix]))
    np.testing.assert_allclose(penalties.gradient_penalty(half_square, points), two, rtol=1e-6)
    one_sided = penalties.gradient_penalty(half_square, points, one_sided=True)
    np.testing.assert_allclose(one_sided, one, rtol=1e-6)


def test_r1_at_three_four_with_the_papers_weight():
    value = 10 * penalties.r1_penalty(half_square, jnp.array([[3.0, 4.0]]))
    np.testing.assert_allclose(value, 125.0)  # 10 / 2 * 25


def test_slope_of_a_polynomial_in_one_dimension():
    slope = penalties.slopes(lambda x: (x**2 + 4 * x - 5)[:, 0], jnp.array([[3.0]]))
    np.testing.assert_allclose(slope, [[10.0]])  # 2 x + 4


def test_constant_critic_is_penalised_from_below_but_not_one_sided():
    points = jnp.ones((2, 3))
    np.testing.assert_array_equal(penalties.gradient_penalty(constant, points), 1.0)
    one_sided = penalties.gradient_penalty(constant, points, one_sided=True)
    np.testing.assert_array_equal(one_sided, 0.0)
    np.testing.assert_array_equal(penalties.gradient_penalty(constant, points, 2.0), 4.0)


@pytest.mark.parametrize("one_sided", [False, True])
def test_derivatives_are_finite_at_zero_slope_to_second_order(one_sided):
    def penalty(scale):
        def critic(points):
            return scale * points.sum(axis=1)

        return penalties.gradient_penalty(critic, jnp.ones((1, 3)), one_sided=one_sided)[0]

    first = jax.grad(penalty)
    chex.assert_tree_all_finite((penalty(0.0), first(0.0), jax.grad(first)(0.0)))


@pytest.mark.parametrize("size", [1e-30, 1e-22, 1e18, 1e30])
def test_norm_and_its_derivatives_neither_overflow_nor_vanish(size):
    vector = size * jnp.array([[3.0, 4.0]])
    np.testing.assert_allclose(penalties.safe_norm(vector), 5 * size, rtol=1e-6)
    gradient = jax.grad(lambda v: penalties.safe_norm(v)[0])(vector)
    np.testing.assert_allclose(gradient, [[0.6, 0.8]], rtol=1e-6)

    def along(t):  # the norm is linear along a ray: its second derivative vanishes
        return penalties.safe_norm(vector * t)[0]

    assert abs(jax.grad(jax.grad(along))(1.0)) <= 1e-5 * size


@hypothesis.given(st.integers(0, 1000))
def test_norm_is_taken_over_all_axes_but_the_first(seed):
    vectors = np.random.default_rng(seed).normal(size=(3, 2, 4, 2))
    expected = np.linalg.norm(vectors.reshape(3, -1), axis=1)
    np.testing.assert_allclose(penalties.safe_norm(jnp.array(vectors, jnp.float32)), expected, rtol=1e-5)


def test_norm_does_not_depend_on_signs():
    np.testing.assert_allclose(penalties.safe_norm(jnp.array([[-3.0, -4.0], [3.0, -4.0]])), 5.0)


def test_norm_and_gradient_of_a_vector_with_nan_are_nan_and_its_neighbours_are_not():
    vectors = jnp.array([[3.0, 4.0], [jnp.nan, 4.0], [0.0, 0.0]])
    np.testing.assert_array_equal(penalties.safe_norm(vectors), [5.0, jnp.nan, 0.0])
    gradient = jax.grad(lambda v: penalties.safe_norm(v).sum())(vectors)
    np.testing.assert_array_equal(jnp.isnan(gradient).any(axis=1), [False, True, False])


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_a_row_of_any_length_is_scaled_to_one_and_zeros_stay_zeros(size):
    vectors = jnp.array([[3.0, -4.0], [0.0, 0.0]]) * size
    np.testing.assert_allclose(penalties.unit_length(vectors), [[0.6, -0.8], [0.0, 0.0]], rtol=1e-6)


def test_gradient_of_a_scaled_row_stands_at_right_angles_to_it_and_is_finite_at_zeros():
    vectors = jnp.array([[3.0, -4.0], [0.0, 0.0]])
    gradient = jax.grad(lambda v: penalties.unit_length(v)[:, 0].sum())(vectors)
    np.testing.assert_allclose(gradient[0], [0.128, 0.096], rtol=1e-5)  # (1 - .6^2) / 5, .6 * .8 / 5
    assert jnp.isfinite(gradient).all()


@pytest.mark.parametrize("one_sided", [False, True])
def test_penalty_of_nan_weights_is_nan(one_sided):
    value = penalties.gradient_penalty(lambda x: x @ (jnp.nan * WEIGHTS), jnp.ones((2, 3)), one_sided=one_sided)
    assert jnp.isnan(value).all()


def test_norm_of_an_empty_vector_is_zero():
    np.testing.assert_array_equal(penalties.safe_norm(jnp.zeros((3, 0))), np.zeros(3))


def test_scaling_the_critic_scales_r1_by_the_square_and_a_bias_changes_nothing():
    points = jnp.array(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)

    def critic(x):
        return jnp.tanh(linear(x))

    value = penalties.r1_penalty(critic, points)
    scaled = penalties.r1_penalty(lambda x: 3 * critic(x), points)
    np.testing.assert_allclose(scaled, 9 * value, rtol=1e-5)
    for penalty in penalties.gradient_penalty, penalties.r1_penalty, penalties.r2_penalty:
        biased = penalty(lambda x: critic(x) + 5, points)
        np.testing.assert_allclose(biased, penalty(critic, points), rtol=1e-5)


def test_slopes_are_those_of_each_example_on_its_own():
    points = jnp.array(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)

    def single(x):
        return jnp.tanh(x @ WEIGHTS) + x[0] * x[1]

    expected = jax.vmap(jax.grad(single))(points)
    np.testing.assert_allclose(penalties.slopes(jax.vmap(single), points), expected, rtol=1e-5)


def test_second_derivatives_in_the_parameters_agree_with_finite_differences():
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        params = {"w": jnp.array(rng.normal(size=(3, 4))), "v": jnp.array(rng.normal(size=4))}
        points = jnp.array(rng.normal(size=(2, 3)))

        @jax.jit
        def penalty(params):
            def critic(x):
                return jnp.tanh(x @ params["w"]) @ params["v"]

            return penalties.gradient_penalty(critic, points).sum() + penalties.r1_penalty(critic, points).sum()

        check_grads(penalty, (params,), order=2, modes=["rev"])


def test_r2_holds_the_fakes_constant():
    gradient = jax.grad(lambda x: penalties.r2_penalty(half_square, x).sum())(jnp.ones((1, 2)))
    np.testing.assert_array_equal(gradient, 0.0)
    gradient = jax.grad(lambda x: penalties.r1_penalty(half_square, x).sum())(jnp.ones((1, 2)))
    np.testing.assert_array_equal(gradient, 1.0)


mixes = st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3)


@hypothesis.given(mixes, st.integers(0, 1000))
def test_interpolation_takes_one_mix_for_each_example(mix, seed):
    real, fake = np.random.default_rng(seed).normal(size=(2, 3, 2, 2, 1))
    points = penalties.interpolate(
        jnp.array(real, jnp.float32), jnp.array(fake, jnp.float32), jnp.array(mix, jnp.float32)
    )
    for i, eps in enumerate(mix):
        np.testing.assert_allclose(points[i], eps * real[i] + (1 - eps) * fake[i], atol=1e-5)


def test_interpolation_ends_at_real_and_fake():
    real, fake = jnp.ones((2, 3)), -jnp.ones((2, 3))
    np.testing.assert_array_equal(penalties.interpolate(real, fake, jnp.ones(2)), real)
    np.testing.assert_array_equal(penalties.interpolate(real, fake, jnp.zeros(2)), fake)


@hypothesis.given(mixes, st.integers(0, 1000), st.floats(0, 2))
def test_perturbed_data_are_moved_by_shares_of_the_deviation_of_the_batch(mix, seed, scale):
    rng = np.random.default_rng(seed)
    real, noise = rng.normal(2.0, 3.0, size=(3, 2, 2)), rng.uniform(size=(3, 2, 2))
    points = penalties.perturb(
        jnp.array(real, jnp.float32),
        jnp.array(noise, jnp.float32),
        jnp.array(mix, jnp.float32),
        scale=scale,
    )
    expected = real + np.array(mix)[:, None, None] * scale * real.std() * noise
    np.testing.assert_allclose(points, expected, atol=1e-4)


def test_perturbation_is_half_a_deviation_by_default():
    real = jnp.array([[1.0], [3.0]])  # deviation 1
    points = penalties.perturb(real, jnp.ones((2, 1)), jnp.ones(2))
    np.testing.assert_allclose(points, [[1.5], [3.5]])


def test_perturbation_of_constant_data_has_a_finite_gradient():
    def total(real):
        return penalties.perturb(real, jnp.ones((2, 1)), jnp.ones(2)).sum()

    np.testing.assert_array_equal(jax.grad(total)(jnp.ones((2, 1))), 1.0)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float32])
def test_points_keep_the_dtype_of_the_data(dtype):
    data, mix = jnp.ones((2, 3), dtype), jnp.ones(2)
    assert penalties.interpolate(data, data, mix).dtype == dtype
    assert penalties.perturb(data, data, mix).dtype == dtype


def test_penalty_of_a_critic_in_half_precision_is_accumulated_in_float32():
    # 4096 slopes of 1/64 in bfloat16: summed in bfloat16 their squares would stop at 256 / 4096.
    critic_points = jnp.ones((1, 4096), jnp.bfloat16)

    def critic(points):
        return (points * jnp.bfloat16(1 / 64)).sum(axis=1)

    value = penalties.zero_centered_penalty(critic, critic_points)
    assert value.dtype == jnp.float32
    np.testing.assert_allclose(value, 1.0, rtol=1e-6)
    np.testing.assert_allclose(penalties.gradient_penalty(critic, critic_points, 0.0), 1.0)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 3.0])
def test_r1_gives_the_dirac_gan_its_published_eigenvalues(gamma):
    # arXiv 1801.04406, section 4: data at 0, generator at theta, D(x) = psi x, logistic losses; the
    # gradient field at the equilibrium has eigenvalues -gamma/2 +- sqrt(gamma^2/4 - 1/4).
    def field(state):
        def discriminator_loss(psi, theta):
            def critic(x):
                return psi * x[:, 0]

            real, fake = jnp.zeros((1, 1)), theta * jnp.ones((1, 1))
            adversarial = minimax_discriminator(critic(real), critic(fake))[0]
            return adversarial + gamma * penalties.r1_penalty(critic, real)[0]

        def generator_loss(theta, psi):
            return non_saturating_generator((psi * theta)[None])[0]

        theta, psi = state
        descent = jax.grad(generator_loss)(theta, psi), jax.grad(discriminator_loss)(psi, theta)
        return -jnp.stack(descent)

    found = np.linalg.eigvals(np.asarray(jax.jacfwd(field)(jnp.zeros(2))))
    root = np.sqrt(complex(gamma**2 / 4 - 1 / 4))
    expected = np.array([-gamma / 2 - root, -gamma / 2 + root])
    np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(expected), atol=1e-3)


KERNELS = [np.random.default_rng(0).normal(size=size) for size in ((3, 8), (8, 1))]


class LinenCritic(nn.Module):
    @nn.compact
    def __call__(self, points):
        hidden = nn.tanh(nn.Dense(8, name="hidden")(points))
        return nn.Dense(1, name="out")(hidden).squeeze(-1)


class NnxCritic(nnx.Module):
    def __init__(self, rngs):
        self.hidden, self.out = nnx.Linear(3, 8, rngs=rngs), nnx.Linear(8, 1, rngs=rngs)

    def __call__(self, points):
        return self.out(nnx.tanh(self.hidden(points))).squeeze(-1)


class EquinoxCritic(eqx.Module):
    hidden: eqx.nn.Linear
    out: eqx.nn.Linear

    def __call__(self, point):
        return self.out(jnp.tanh(self.hidden(point)))[0]


def critics():
    """One multilayer perceptron, as functions of its two kernels, in four libraries."""

    def linen(hidden, out):
        layers = {"hidden": hidden, "out": out}
        params = {n: {"kernel": k, "bias": jnp.zeros(k.shape[1])} for n, k in layers.items()}
        return lambda x: LinenCritic().apply({"params": params}, x)

    def flax_nnx(hidden, out):
        def apply(x):
            model = NnxCritic(nnx.Rngs(0))
            model.hidden.kernel[...], model.out.kernel[...] = hidden, out
            return model(x)

        return apply

    def equinox(hidden, out):
        layers = eqx.nn.Linear(3, 8, key=jax.random.key(0)), eqx.nn.Linear(8, 1, key=jax.random.key(0))
        parts = [
            eqx.tree_at(lambda m: (m.weight, m.bias), layer, (k.T, jnp.zeros(k.shape[1])))
            for layer, k in zip(layers, (hidden, out), strict=True)
        ]
        return jax.vmap(EquinoxCritic(*parts))

    def plain(hidden, out):
        return lambda x: (jnp.tanh(x @ hidden) @ out)[:, 0]

    return {"linen": linen, "nnx": flax_nnx, "equinox": equinox, "plain": plain}


@pytest.mark.parametrize("penalty", ["gradient_penalty", "r1_penalty", "zero_centered_penalty"])
def test_critics_of_four_libraries_have_one_penalty_and_one_gradient(penalty):
    points = jnp.array(np.random.default_rng(1).normal(size=(5, 3)), jnp.float32)
    kernels = [jnp.array(kernel, jnp.float32) for kernel in KERNELS]

    def value(kernels, library):
        return getattr(penalties, penalty)(critics()[library](*kernels), points)

    results = {
        library: (
            value(kernels, library),
            jax.grad(lambda k, library=library: value(k, library).mean())(kernels),
        )
        for library in critics()
    }
    for library in results:
        chex.assert_trees_all_close(results[library], results["plain"], rtol=1e-4, atol=1e-5)
    assert (results["plain"][0] > 1e-3).all()


@pytest.mark.parametrize(
    ("shape", "advice"),
    [
        ((2, 1), r"squeeze\(-1\)"),
        ((2, 3), r"scores.mean\(axis=\(1,\)\)"),
        ((2, 3, 1), r"scores.mean\(axis=\(1, 2\)\)"),
        ((), r"jax.vmap\(critic\)"),
        ((3,), r"jax.vmap\(critic\)"),
        ((1, 1), r"jax.vmap\(critic\)"),
    ],
)
def test_scores_of_each_other_shape_get_their_own_advice(shape, advice):
    with pytest.raises(ValueError, match=advice):
        penalties.slopes(lambda x: x.sum() * jnp.ones(shape), jnp.ones((2, 3)))


@pytest.mark.usefixtures("unchecked_annotations")
def test_slopes_at_no_point_at_integers_or_of_a_tuple_are_refused():
    with pytest.raises(ValueError, match=r"points has shape \(0, 3\), but must hold an example"):
        penalties.slopes(half_square, jnp.ones((0, 3)))
    with pytest.raises(ValueError, match="points is int32, but must be floating"):
        penalties.slopes(half_square, jnp.ones((2, 3), jnp.int32))
    with pytest.raises(ValueError, match="scores is a tuple, but must be an array"):
        penalties.slopes(lambda x: (half_square(x), {}), jnp.ones((2, 3)))
