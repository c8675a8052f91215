"""Regularisers of scores: closed forms, symmetries, constants that stay constant."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.losses import regularizers

lists = st.lists(st.floats(-10, 10, width=32), min_size=3, max_size=3)


def array(values):
    return jnp.array(values, jnp.float32)


@hypothesis.given(lists)
def test_drift_is_the_squared_score(real):
    np.testing.assert_allclose(regularizers.drift_penalty(array(real)), np.square(real), rtol=1e-5, atol=1e-6)


@hypothesis.given(lists, lists)
def test_consistency_is_the_squared_difference_and_zero_for_equal_scores(real, augmented):
    value = regularizers.consistency_penalty(array(real), array(augmented))
    expected = np.square(np.array(real) - np.array(augmented))
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(regularizers.consistency_penalty(array(real), array(real)), 0.0)


@hypothesis.given(lists, lists, lists, lists, st.floats(0, 20), st.floats(0, 20))
def test_balanced_consistency_weighs_the_two_kinds(real, real_aug, fake, fake_aug, w_r, w_f):
    value = regularizers.balanced_consistency_penalty(
        array(real), array(real_aug), array(fake), array(fake_aug), real_weight=w_r, fake_weight=w_f
    )
    expected = w_r * np.square(np.subtract(real, real_aug))
    expected += w_f * np.square(np.subtract(fake, fake_aug))
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-4)


def test_balanced_consistency_weighs_both_kinds_once_by_default():
    zero = jnp.zeros(1)
    value = regularizers.balanced_consistency_penalty(zero, zero + 2, zero, zero + 3)
    np.testing.assert_allclose(value, [4.0 + 9.0])


@hypothesis.given(lists, lists, st.floats(-3, 3), st.floats(-3, 3))
def test_lecam_anchors_each_kind_to_the_average_of_the_other(real, fake, alpha_r, alpha_f):
    value = regularizers.lecam_penalty(array(real), array(fake), alpha_r, alpha_f)
    expected = (np.array(real) - alpha_f) ** 2 + (np.array(fake) - alpha_r) ** 2
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-4)


def test_lecam_does_not_change_when_real_and_fake_change_places():
    real, fake = jnp.array([2.0, -1.0]), jnp.array([0.5, 3.0])
    exchanged = regularizers.lecam_penalty(fake, real, -0.5, 0.7)
    np.testing.assert_allclose(regularizers.lecam_penalty(real, fake, 0.7, -0.5), exchanged)


def test_lecam_at_its_averages_is_the_squared_gap_and_a_le_cam_distance_of_scores():
    # With every score at its average: 2 (alpha_R - alpha_F)^2.
    value = regularizers.lecam_penalty(jnp.full(3, 0.6), jnp.full(3, -0.4), 0.6, -0.4)
    np.testing.assert_allclose(value, 2.0, rtol=1e-6)


def test_lecam_holds_its_averages_constant():
    def total(scores, averages):
        return regularizers.lecam_penalty(scores[0], scores[1], averages[0], averages[1]).sum()

    scores, averages = (jnp.ones(2), jnp.zeros(2)), (jnp.float32(0.5), jnp.float32(-0.5))
    of_scores, of_averages = jax.grad(total, (0, 1))(scores, averages)
    np.testing.assert_array_equal(of_averages, 0.0)
    np.testing.assert_allclose(of_scores[0], 2 * (1.0 + 0.5))


def test_lecam_of_the_golden_scores_one_sided_and_not():
    """relu(2.1)^2 + relu(-0.9)^2 + relu(0.6)^2 and relu(2)^2 + relu(0.2)^2 + relu(-0.5)^2, over 3."""
    scores = jnp.array([2.0, -1.0, 0.5]), jnp.array([-1.5, 0.3, 1.0])
    one_sided = regularizers.lecam_penalty(*scores, 0.5, -0.1, one_sided=True).mean()
    np.testing.assert_allclose(one_sided, 2.9366666667, rtol=1e-6)
    np.testing.assert_allclose(regularizers.lecam_penalty(*scores, 0.5, -0.1).mean(), 3.29, rtol=1e-6)


@hypothesis.given(lists, lists, st.floats(-3, 3), st.floats(-3, 3))
def test_lecam_of_one_side_is_at_most_that_of_both(real, fake, alpha_r, alpha_f):
    arguments = array(real), array(fake), alpha_r, alpha_f
    assert (regularizers.lecam_penalty(*arguments, one_sided=True) <= regularizers.lecam_penalty(*arguments)).all()


def test_lecam_of_one_side_is_nothing_for_real_examples_below_the_fakes_average_and_fakes_above_the_other():
    value = regularizers.lecam_penalty(jnp.array([-1.0, -0.5]), jnp.array([0.7, 3.0]), 0.7, -0.5, one_sided=True)
    np.testing.assert_array_equal(value, 0.0)
