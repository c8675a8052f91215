"""FGSM and PGD: exact optima for linear models, what stays in the ball, limits, an independent library."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.attacks import Attack, fgsm, pgd, project
from jaxgen.losses import cross_entropy

NUM, SIZE = 16, 5
KEYS = jax.random.split(jax.random.key(0), 4)
IMAGES = jax.random.uniform(KEYS[0], (NUM, SIZE))
WEIGHTS = jax.random.normal(KEYS[1], (SIZE,))
LABELS = jnp.where(jnp.arange(NUM) % 2 == 0, 1.0, -1.0)
NOISE = jax.random.uniform(KEYS[2], (NUM, SIZE), minval=-0.3, maxval=0.3)
LAYERS = jax.random.normal(KEYS[3], (SIZE, 8)), jax.random.normal(KEYS[3], (8, 3))
FREE = Attack(value_range=None)
DUAL = {"linf": 1, "l2": 2}
both_norms = pytest.mark.parametrize("norm", ["linf", "l2"])


def margins(points):
    return LABELS * (points @ WEIGHTS + 0.1)


def logistic(points):
    """The loss of a linear model, sp(-margin)."""
    return jax.nn.softplus(-margins(points))


def logits(points):
    return jnp.tanh(points @ LAYERS[0]) @ LAYERS[1]


def curved(points):
    """The loss of a small network, labels in turn."""
    return cross_entropy(logits(points), jnp.arange(len(points)) % 3)


def length(difference, norm):
    return np.linalg.norm(np.asarray(difference), np.inf if norm == "linf" else 2, axis=1)


@both_norms
def test_one_step_lowers_the_margin_of_a_linear_model_by_epsilon_times_the_dual_norm(norm):
    """The exact worst case: epsilon |w|_1 in the L-infinity ball, epsilon |w|_2 in the L2 ball; PGD finds no worse."""
    attack = dataclasses.replace(FREE, epsilon=0.2, norm=norm)
    dual = 0.2 * np.linalg.norm(np.asarray(WEIGHTS), DUAL[norm])
    np.testing.assert_allclose(margins(IMAGES) - margins(fgsm(attack, logistic, IMAGES)), dual, rtol=1e-4)
    noise = NOISE if norm == "linf" else jnp.zeros_like(IMAGES)  # from noise the farthest point is a limit in L2
    np.testing.assert_allclose(margins(IMAGES) - margins(pgd(attack, logistic, IMAGES, noise)), dual, rtol=1e-3)


def test_pgd_begins_at_the_noise_that_is_added():
    attack = dataclasses.replace(FREE, epsilon=1.0, steps=1, step_size=1e-6)
    np.testing.assert_allclose(pgd(attack, curved, IMAGES, NOISE), IMAGES + NOISE, atol=1e-5)


@both_norms
def test_one_step_of_pgd_as_long_as_the_radius_without_noise_is_fgsm(norm):
    attack = Attack(0.1, norm, steps=1, step_size=0.1)
    found = pgd(attack, curved, IMAGES, jnp.zeros_like(IMAGES))
    np.testing.assert_allclose(found, fgsm(attack, curved, IMAGES), atol=1e-6)


@both_norms
@pytest.mark.parametrize("noise", [NOISE, 100 * NOISE], ids=["inside", "outside"])
def test_examples_stay_in_the_ball_and_in_range(norm, noise):
    attack = Attack(0.15, norm, steps=7, step_size=0.09)
    for found in (fgsm(attack, curved, IMAGES), pgd(attack, curved, IMAGES, noise)):
        assert length(found - IMAGES, norm).max() <= 0.15 + 1e-6
        assert found.min() >= 0.0 and found.max() <= 1.0


@both_norms
def test_the_loss_rises_and_that_of_a_target_falls(norm):
    attack = Attack(0.02, norm, steps=10, step_size=0.005, value_range=None)  # so small that the loss is nearly linear
    before = curved(IMAGES)
    for found in (fgsm(attack, curved, IMAGES), pgd(attack, curved, IMAGES, jnp.zeros_like(IMAGES))):
        assert (curved(found) > before).all()
    aimed = dataclasses.replace(attack, targeted=True)
    for found in (fgsm(aimed, curved, IMAGES), pgd(aimed, curved, IMAGES, jnp.zeros_like(IMAGES))):
        assert (curved(found) < before).all()


def test_images_without_a_slope_stay_and_an_epsilon_of_zero_moves_nothing():
    for norm in ("linf", "l2"):
        flat = Attack(0.3, norm, steps=3)
        found = fgsm(flat, lambda points: 0.0 * points.sum(axis=1), IMAGES)
        np.testing.assert_array_equal(found, IMAGES)
        np.testing.assert_allclose(pgd(Attack(0.0, norm), curved, IMAGES, NOISE), IMAGES, atol=1e-7)


def test_projection_keeps_what_is_inside_and_takes_the_rest_to_the_border():
    centre, points = jnp.full((3, 2), 0.5), jnp.array([[0.5, 0.6], [3.5, 4.5], [0.5, -3.5]])
    np.testing.assert_allclose(
        project(Attack(1.0, "l2"), centre, points), [[0.5, 0.6], [1.1, 1.3], [0.5, -0.5]], rtol=1e-5
    )
    np.testing.assert_allclose(project(Attack(1.0), centre, points), [[0.5, 0.6], [1.5, 1.5], [0.5, -0.5]])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": -0.1}, "epsilon is -0.1, but must be at least 0"),
        ({"steps": 0}, "steps is 0, but must be at least 1"),
        ({"step_size": 0.0}, "step_size is 0.0, but must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Attack(**settings)


def test_noise_of_another_shape_and_losses_of_the_whole_batch_are_refused():
    with pytest.raises(ValueError, match=r"noise has shape \(1, 5\), but must have that of the images, \(16, 5\)"):
        pgd(Attack(), curved, IMAGES, NOISE[:1])
    with pytest.raises(ValueError, match="without a mean over the batch"):
        fgsm(Attack(), lambda points: curved(points).mean(), IMAGES)


def test_the_defaults_are_madrys_for_mnist():
    assert Attack() == Attack(0.3, "linf", 40, 0.01, targeted=False, value_range=(0.0, 1.0))


@pytest.mark.filterwarnings("ignore")
@both_norms
def test_examples_are_those_of_foolbox(norm):
    """Its attacks on the same network, from the images themselves, in [0, 1]."""
    foolbox = pytest.importorskip("foolbox", reason="foolbox is not installed")
    name = {"linf": "Linf", "l2": "L2"}[norm]
    model, labels = foolbox.JAXModel(logits, bounds=(0, 1)), jnp.arange(NUM) % 3
    one = getattr(foolbox.attacks, f"{name}FastGradientAttack")(random_start=False)
    many = getattr(foolbox.attacks, f"{name}PGD")(abs_stepsize=0.05, steps=9, random_start=False)
    attack = Attack(0.2, norm, steps=9, step_size=0.05)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        wanted = [np.asarray(each(model, IMAGES, labels, epsilons=0.2)[1]) for each in (one, many)]
    np.testing.assert_allclose(fgsm(attack, curved, IMAGES), wanted[0], atol=1e-5)
    np.testing.assert_allclose(pgd(attack, curved, IMAGES, jnp.zeros_like(IMAGES)), wanted[1], atol=1e-5)
