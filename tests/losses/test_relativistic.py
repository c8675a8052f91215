"""Relativistic losses: golden values, symmetries, gradients through the means."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.losses import relativistic

REAL_SCORES, FAKE_SCORES = [2.0, -1.0, 0.5], [-1.5, 0.3, 1.0]
KINDS = [
    "relativistic",
    "relativistic_least_squares",
    "relativistic_hinge",
    "relativistic_average",
    "relativistic_average_least_squares",
    "relativistic_average_hinge",
]
# Means in float64 of the formulas on the scores above. With d = l_r - l_f = (3.5, -1.3, -0.5) the
# paired rows are means of (d - 1)^2, (d + 1)^2, max(0, 1 - d) and max(0, 1 + d).
GOLDEN = {
    "relativistic_discriminator": 0.8482786188,
    "relativistic_generator": 1.4149452854,
    "relativistic_least_squares_discriminator": (6.25 + 5.29 + 2.25) / 3,
    "relativistic_least_squares_generator": (20.25 + 0.09 + 0.25) / 3,
    "relativistic_hinge_discriminator": (0 + 2.3 + 1.5) / 3,
    "relativistic_hinge_generator": (4.5 + 0 + 0.5) / 3,
    "relativistic_average_discriminator": 1.1775823846,
    "relativistic_average_generator": 2.3109157179,
    "relativistic_average_least_squares_discriminator": 2.9844444444,
    "relativistic_average_least_squares_generator": 7.5177777778,
    "relativistic_average_hinge_discriminator": 1.5555555556,
    "relativistic_average_hinge_generator": 3.1333333333,
}
players = pytest.mark.parametrize("kind", KINDS)


def both(kind):
    return getattr(relativistic, f"{kind}_discriminator"), getattr(relativistic, f"{kind}_generator")


@pytest.mark.parametrize("name", GOLDEN)
def test_mean_over_the_golden_scores(name):
    with jax.enable_x64(True):
        value = getattr(relativistic, name)(jnp.array(REAL_SCORES), jnp.array(FAKE_SCORES)).mean()
    np.testing.assert_allclose(value, GOLDEN[name], atol=1e-10)


scores = st.lists(st.floats(-20, 20, width=32), min_size=3, max_size=3)


@players
@hypothesis.settings(max_examples=10)
@hypothesis.given(scores, scores)
def test_generator_is_the_discriminator_with_real_and_fake_exchanged(kind, real, fake):
    real, fake = jnp.array(real, jnp.float32), jnp.array(fake, jnp.float32)
    discriminator, generator = both(kind)
    np.testing.assert_allclose(generator(real, fake), discriminator(fake, real), rtol=1e-6)


@players
@hypothesis.settings(max_examples=10)
@hypothesis.given(scores, scores, st.floats(-5, 5))
def test_a_constant_added_to_all_scores_changes_nothing(kind, real, fake, shift):
    real, fake = jnp.array(real, jnp.float32), jnp.array(fake, jnp.float32)
    for loss in both(kind):
        shifted = loss(real + shift, fake + shift)
        np.testing.assert_allclose(shifted, loss(real, fake), rtol=1e-3, atol=1e-3)


@players
def test_gradients_flow_through_every_score_and_cancel(kind):
    # Since a common constant changes nothing, the gradients add up to zero, if and only if they
    # flow through the means too.
    real, fake = jnp.array(REAL_SCORES), jnp.array(FAKE_SCORES)
    for loss in both(kind):
        of_real, of_fake = jax.grad(lambda r, f, loss=loss: loss(r, f).mean(), (0, 1))(real, fake)
        np.testing.assert_allclose(of_real.sum() + of_fake.sum(), 0.0, atol=1e-6)
        assert (jnp.abs(of_fake) > 0).any()


def test_values_at_equal_scores():
    equal = jnp.full(3, 1.7)
    expected = [np.log(2), 1.0, 1.0, 2 * np.log(2), 2.0, 2.0]
    for kind, value in zip(KINDS, expected, strict=True):
        for loss in both(kind):
            np.testing.assert_allclose(loss(equal, equal), value, rtol=1e-6)


def test_average_losses_compare_each_score_with_the_other_mean():
    real, fake = jnp.array([4.0, 2.0]), jnp.array([1.0, -1.0])  # means 3 and 0
    value = relativistic.relativistic_average_least_squares_discriminator(real, fake)
    np.testing.assert_allclose(value, [(4 - 1) ** 2 + (-2 + 1) ** 2, (2 - 1) ** 2 + (-4 + 1) ** 2])
