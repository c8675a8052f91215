"""Adversarial losses: golden values, optimal discriminators, divergences, dynamics."""

import functools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.optimize
import scipy.special
import scipy.stats

from jaxgen.losses import adversarial as adv
from jaxgen.losses.weights import clip_weights
from tests.losses.finite import FAKE, REAL, P, Q, jsd, kl, p, q

REAL_SCORES, FAKE_SCORES = [2.0, -1.0, 0.5], [-1.5, 0.3, 1.0]
codes = functools.partial(adv.least_squares_discriminator, real_code=1.0, fake_code=-1.0)

# Means in float64 of the textbook formulas on the scores above; the least squares rows are exact:
# ((1 + 4 + 0.25) + (2.25 + 0.09 + 1)) / 6 and so on.
GOLDEN_PAIRS = [
    (adv.minimax_discriminator, 1.4277656309),
    (functools.partial(adv.minimax_discriminator, real_label=0.9), 1.4777656309),
    (adv.least_squares_discriminator, 1.4316666667),
    (codes, 1.8650000000),
    (adv.wasserstein_critic, -0.5666666667),
    (adv.hinge_discriminator, 1.9333333333),
]
GOLDEN_FAKES = [
    (adv.minimax_generator, -0.7896767367),
    (adv.non_saturating_generator, 0.8563434033),
    (adv.least_squares_generator, 1.1233333333),
    (functools.partial(adv.least_squares_generator, code=0.0), 0.5566666667),
    (adv.wasserstein_generator, 0.0666666667),
    (adv.hinge_generator, 0.0666666667),
]


@pytest.mark.parametrize(("loss", "expected"), GOLDEN_PAIRS)
def test_mean_over_the_golden_scores_of_the_discriminator(loss, expected):
    with jax.enable_x64(True):
        value = loss(jnp.array(REAL_SCORES), jnp.array(FAKE_SCORES)).mean()
    np.testing.assert_allclose(value, expected, atol=1e-10)


@pytest.mark.parametrize(("loss", "expected"), GOLDEN_FAKES)
def test_mean_over_the_golden_scores_of_the_generator(loss, expected):
    with jax.enable_x64(True):
        value = loss(jnp.array(FAKE_SCORES)).mean()
    np.testing.assert_allclose(value, expected, atol=1e-10)


def test_energy_losses_on_golden_energies():
    real, fake = jnp.array([1.0, 2.0, 3.0]), jnp.array([4.0, 12.0, 8.0])
    # (1 + 6, 2 + 0, 3 + 2) with margin 10.
    np.testing.assert_allclose(adv.energy_discriminator(real, fake, margin=10.0), [7.0, 2.0, 5.0])
    np.testing.assert_allclose(adv.energy_generator(fake), fake)


scores = st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=2)


@hypothesis.given(scores, scores, st.floats(0, 1), st.floats(0, 1))
def test_minimax_discriminator_is_the_cross_entropy_of_soft_labels(real, fake, alpha, beta):
    real, fake = jnp.array(real, jnp.float32), jnp.array(fake, jnp.float32)
    value = adv.minimax_discriminator(real, fake, real_label=alpha, fake_label=beta)
    labels = jnp.full(2, alpha, jnp.float32), jnp.full(2, beta, jnp.float32)
    expected = optax.sigmoid_binary_cross_entropy(real, labels[0])
    expected += optax.sigmoid_binary_cross_entropy(fake, labels[1])
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-5)


@hypothesis.given(scores)
def test_the_two_generators_of_the_minimax_game_add_up_to_the_hinge_generator(fake):
    fake = jnp.array(fake, jnp.float32)  # sp(-l) - sp(l) = -l
    total = adv.non_saturating_generator(fake) + adv.minimax_generator(fake)
    np.testing.assert_allclose(total, adv.hinge_generator(fake), atol=1e-5)


@hypothesis.given(scores, scores)
def test_wasserstein_critic_changes_sign_when_real_and_fake_change_places(real, fake):
    real, fake = jnp.array(real, jnp.float32), jnp.array(fake, jnp.float32)
    exchanged = adv.wasserstein_critic(fake, real)
    np.testing.assert_array_equal(adv.wasserstein_critic(real, fake), -exchanged)


@hypothesis.given(scores, scores)
def test_label_symmetric_discriminators_do_not_change_when_signs_and_players_change(real, fake):
    real, fake = jnp.array(real, jnp.float32), jnp.array(fake, jnp.float32)
    for loss in adv.minimax_discriminator, adv.hinge_discriminator, codes:
        np.testing.assert_allclose(loss(real, fake), loss(-fake, -real), rtol=1e-5)


@hypothesis.given(scores, scores, st.floats(-3, 3))
def test_least_squares_depends_on_the_distances_of_scores_and_codes(real, fake, shift):
    real, fake = jnp.array(real, jnp.float32), jnp.array(fake, jnp.float32)
    shifted = adv.least_squares_discriminator(real + shift, fake + shift, real_code=1.0 + shift, fake_code=0.5 + shift)
    value = adv.least_squares_discriminator(real, fake, real_code=1.0, fake_code=0.5)
    np.testing.assert_allclose(shifted, value, rtol=1e-3, atol=1e-3)
    generator = adv.least_squares_generator(fake + shift, code=0.7 + shift)
    expected = adv.least_squares_generator(fake, code=0.7)
    np.testing.assert_allclose(generator, expected, rtol=1e-3, atol=1e-3)


def test_hinge_is_zero_outside_the_margins_only():
    real, fake = jnp.array([1.0, 3.0, 0.0]), jnp.array([-1.0, -7.0, -1.0])
    np.testing.assert_array_equal(adv.hinge_discriminator(real, fake), [0.0, 0.0, 1.0])


def test_undecided_logits_cost_two_log_two():
    value = adv.minimax_discriminator(jnp.zeros(1), jnp.zeros(1))
    np.testing.assert_allclose(value, 2 * np.log(2), rtol=1e-6)


@pytest.mark.parametrize("score", [30.0, 80.0])
def test_confident_logits_keep_the_relative_precision_of_value_and_gradient(score):
    # sp(-l) = e^-l and its slope is -e^-l up to e^-2l: sp(l) - l would round both to zero.
    def real_term(score):
        return adv.minimax_discriminator(score[None], jnp.array([-100.0]))[0]

    def generator(score):
        return adv.non_saturating_generator(score[None])[0]

    for function in real_term, generator:
        value, slope = jax.value_and_grad(function)(jnp.float32(score))
        np.testing.assert_allclose([value, slope], [np.exp(-score), -np.exp(-score)], rtol=1e-4)


def test_linear_critic_in_one_dimension_gives_the_difference_of_the_means():
    w, b, real, fake = 0.7, 0.3, np.array([1.0, 4.0]), np.array([-2.0, 3.0])
    critic = jnp.array(w * real + b), jnp.array(w * fake + b)
    value = adv.wasserstein_critic(*critic).mean()
    np.testing.assert_allclose(value, w * (fake.mean() - real.mean()), rtol=1e-6)
    generator = adv.wasserstein_generator(critic[1]).mean()
    np.testing.assert_allclose(generator, -(w * fake.mean() + b), rtol=1e-6)


def optimum(loss):
    """The table of four scores that minimises a discriminator's mean loss, and the minimum."""

    @jax.jit
    @jax.value_and_grad
    def objective(table):
        return loss(table[REAL], table[FAKE]).mean()

    with jax.enable_x64(True):
        start = np.array([0.3, -0.2, 0.1, 0.5])
        found = scipy.optimize.minimize(
            lambda table: tuple(np.asarray(part) for part in objective(table)),
            start,
            jac=True,
            method="BFGS",
            options={"gtol": 1e-10},
        )
    return found.x, found.fun


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (0.9, 0.0), (0.9, 0.2)])
def test_optimal_minimax_discriminator_is_the_smoothed_share_of_real_data(alpha, beta):
    # Proposition 1 of arXiv 1406.2661: D* = p / (p + q); smoothed (alpha p + beta q) / (p + q).
    loss = functools.partial(adv.minimax_discriminator, real_label=alpha, fake_label=beta)
    table, _ = optimum(loss)
    np.testing.assert_allclose(scipy.special.expit(table), (alpha * p + beta * q) / (p + q), atol=1e-6)


def test_value_at_the_optimal_discriminator_is_the_jensen_shannon_divergence():
    # Theorem 1 of arXiv 1406.2661: V = 2 JSD - log 4, and the loss is -V.
    _, minimum = optimum(adv.minimax_discriminator)
    np.testing.assert_allclose(minimum, np.log(4) - 2 * jsd(p, q), atol=1e-9)


@pytest.mark.parametrize(("a", "b", "c"), [(0.0, 1.0, 1.0), (-1.0, 1.0, 0.0), (0.3, 2.0, -0.5)])
def test_optimal_least_squares_discriminator_is_the_mean_code(a, b, c):
    loss = functools.partial(adv.least_squares_discriminator, real_code=b, fake_code=a)
    table, minimum = optimum(loss)
    np.testing.assert_allclose(table, (b * p + a * q) / (p + q), atol=1e-6)
    # The variance of a code that is b with probability p / (p + q), else a.
    np.testing.assert_allclose(minimum, (b - a) ** 2 / 2 * (p * q / (p + q)).sum(), atol=1e-9)
    on_data = adv.least_squares_generator(jnp.array(table[REAL], jnp.float32), code=c).mean()
    on_fakes = adv.least_squares_generator(jnp.array(table[FAKE], jnp.float32), code=c).mean()
    expected = (((b - c) * p + (a - c) * q) ** 2 / (p + q)).sum() / 2
    np.testing.assert_allclose(on_data + on_fakes, expected, rtol=1e-5)
    if b - c == 1 and b - a == 2:  # then it is half the Pearson divergence of p + q against 2 q
        np.testing.assert_allclose(expected, ((p - q) ** 2 / (p + q)).sum() / 2, rtol=1e-12)


def test_optimal_hinge_discriminator_is_the_sign_and_its_loss_the_total_variation():
    def loss_of_symbol(score, real_mass, fake_mass):
        score = jnp.array([score], jnp.float32)
        far = jnp.array([50.0])  # beyond the margin: the other term vanishes
        real_term = adv.hinge_discriminator(score, -far)[0]
        return float(real_mass * real_term + fake_mass * adv.hinge_discriminator(far, score)[0])

    masses = [(3, 1), (1, 4), (4, 3)]  # P and Q of the symbols where they differ
    found = [
        scipy.optimize.minimize_scalar(
            loss_of_symbol, bounds=(-3, 3), args=pair, method="bounded", options={"xatol": 1e-3}
        )
        for pair in masses
    ]
    np.testing.assert_allclose([f.x for f in found], [1.0, -1.0, 1.0], atol=5e-3)
    best = jnp.sign(jnp.array(P - Q, jnp.float32))
    total_variation = np.abs(p - q).sum() / 2
    minimum = adv.hinge_discriminator(best[REAL], best[FAKE]).mean()
    np.testing.assert_allclose(minimum, 2 * (1 - total_variation), rtol=1e-6)


def test_minimum_of_the_wasserstein_critic_under_a_slope_of_one_is_minus_the_distance():
    # The loss is linear in the table of scores: its gradient is the objective of a linear program
    # with |f(i + 1) - f(i)| <= 1.
    objective = jax.grad(lambda table: adv.wasserstein_critic(table[REAL], table[FAKE]).mean())
    difference = np.diff(np.eye(4), axis=0)
    program = scipy.optimize.linprog(
        np.asarray(objective(jnp.zeros(4))),
        A_ub=np.vstack([difference, -difference]),
        b_ub=np.ones(6),
        bounds=[(0, 0), (None, None), (None, None), (None, None)],
    )
    distance = scipy.stats.wasserstein_distance(range(4), range(4), p, q)
    np.testing.assert_allclose(program.fun, -distance, atol=1e-6)


@pytest.mark.parametrize("norm", ["largest", "euclidean"])
def test_best_linear_critic_measures_the_distance_of_the_means(norm):
    rng = np.random.default_rng(0)
    real, fake = jnp.array(rng.normal(size=(2, 50, 3)), jnp.float32)
    gap = np.asarray(real.mean(0) - fake.mean(0))
    limit = 0.1

    @jax.jit
    def step(w, _):
        w = w - jax.grad(lambda w: adv.wasserstein_critic(real @ w, fake @ w).mean())(w)
        if norm == "largest":
            return clip_weights(w, limit), None
        return w / jnp.maximum(jnp.linalg.norm(w) / limit, 1.0), None

    w, _ = jax.lax.scan(step, jnp.zeros(3), None, length=200)
    expected = limit * (np.abs(gap).sum() if norm == "largest" else np.linalg.norm(gap))
    value = -adv.wasserstein_critic(real @ w, fake @ w).mean()
    np.testing.assert_allclose(value, expected, rtol=1e-3)


def test_clipped_linear_critic_sees_a_shift_by_two_as_two_limits():
    rng = np.random.default_rng(0)
    real = jnp.array(rng.normal(size=1000), jnp.float32)
    values = [-adv.wasserstein_critic(w * real, w * (real + 2)).mean() for w in (-0.01, 0.0, 0.01)]
    np.testing.assert_allclose(max(values), 2 * 0.01, rtol=1e-5)


def test_energy_at_equilibrium_is_the_margin():
    # Theorem 1 of arXiv 1609.03126: with p_G = p any constant energy in [0, m] costs m, no less.
    margin = 3.0
    for energy in 0.0, 1.3, margin:
        energies = jnp.full(5, energy)
        np.testing.assert_allclose(adv.energy_discriminator(energies, energies, margin=margin), 3.0)
    for energy in -0.5, 3.5:
        energies = jnp.full(5, energy)
        beyond = adv.energy_discriminator(energies, energies, margin=margin)
        assert (beyond >= 3.0).all()


@pytest.mark.parametrize("loss", [adv.minimax_generator, adv.non_saturating_generator])
def test_generator_gradient_at_the_optimal_discriminator_is_that_of_a_divergence(loss):
    # The minimax generator follows 2 JSD(p, q) (arXiv 1406.2661), the non-saturating one
    # KL(q || p) - 2 JSD(p, q) (arXiv 1701.04862, theorem 2.5), with D* held at its optimum.
    with jax.enable_x64(True):
        theta = jnp.log(jnp.array(q))
        best = jnp.log(jnp.array(p / q))  # the logits of p / (p + q)

        def cost(theta):
            return (jax.nn.softmax(theta) * loss(best)).sum()

        def divergence(theta):
            model, data = jax.nn.softmax(theta), jnp.array(p)
            middle = (model + data) / 2
            twice_jsd = (data * jnp.log(data / middle) + model * jnp.log(model / middle)).sum()
            if loss is adv.minimax_generator:
                return twice_jsd
            return (model * jnp.log(model / data)).sum() - twice_jsd

        np.testing.assert_allclose(jax.grad(cost)(theta), jax.grad(divergence)(theta), atol=1e-12)
    assert kl(q, p) > 0  # the gradients are not those of two equal distributions


def test_bilinear_wasserstein_game_spirals_outwards():
    # Data at 0, generator at theta, D(x) = psi x: simultaneous steps of size h multiply
    # theta^2 + psi^2 by 1 + h^2.
    step = 0.1

    def gradients(theta, psi):
        def critic_loss(psi):
            return adv.wasserstein_critic(jnp.zeros(1) * psi, (psi * theta)[None])[0]

        def generator_loss(theta):
            return adv.wasserstein_generator((psi * theta)[None])[0]

        return jax.grad(generator_loss)(theta), jax.grad(critic_loss)(psi)

    theta, psi = jnp.float32(0.6), jnp.float32(0.8)
    for _ in range(3):
        of_theta, of_psi = gradients(theta, psi)
        theta, psi = theta - step * of_theta, psi - step * of_psi
    np.testing.assert_allclose(theta**2 + psi**2, (1 + step**2) ** 3, rtol=1e-5)
