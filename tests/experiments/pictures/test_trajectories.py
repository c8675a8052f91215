"""States between noise and samples, as curves, rows and frames."""

import numpy as np
import pytest

from experiments.pictures import diagrams, figures, trajectories


def test_states_spread_at_most_as_far_as_the_samples_and_keep_their_form():
    generator = np.random.default_rng(0)
    states = generator.normal(size=(3, 500, 2)) * np.array([80.0, 3.0, 1.5])[:, None, None]
    found = trajectories.scaled(states, None)
    deviations = np.sqrt((found**2).mean(axis=(1, 2)))
    np.testing.assert_allclose(deviations, deviations[-1], rtol=1e-6)
    np.testing.assert_array_equal(found[-1], states[-1])
    np.testing.assert_allclose(found[0] / states[0], (found[0] / states[0]).mean(), rtol=1e-6)


def test_states_within_the_range_are_left_as_they_are():
    states = np.random.default_rng(0).uniform(size=(4, 6, 3, 3, 1)) * [[[[[1.0]]]]]
    np.testing.assert_allclose(trajectories.scaled(states, (0.0, 1.0)), states, rtol=1e-12)
    wide = trajectories.scaled(np.stack([5.0 + 9.0 * states[0], states[1]]), (0.0, 1.0))
    np.testing.assert_allclose(np.sqrt(((wide[0] - 0.5) ** 2).mean()), 0.5, rtol=1e-6)


@pytest.mark.parametrize("most", [2, 4, 9, 20])
def test_the_first_and_the_last_state_are_always_shown(most):
    found = trajectories.spread(np.arange(10), most)
    assert len(found) == min(10, most) and (found[0], found[-1]) == (0, 9) and (np.diff(found) > 0).all()


def test_a_curve_runs_from_the_noise_to_the_sample():
    """Two points on a line upwards through a third: in the middle of the picture there is ink, beside it none."""
    states = np.array([[[0.0, -1.0]], [[0.0, 0.0]], [[0.0, 1.0]]])
    real = np.array([[-1.0, 0.0], [1.0, 0.0]])
    picture = trajectories.curves(states, real)
    plain = diagrams.scatter([diagrams.Group("real", real, "red"), diagrams.Group("noise", states[0], "red")])
    assert picture.shape == plain.shape
    row = picture[diagrams.TOP + diagrams.SIDE * 3 // 8, diagrams.LEFT : diagrams.LEFT + diagrams.SIDE]
    ink = np.flatnonzero((row < 230).any(axis=1) & (np.ptp(row.astype(int), axis=1) > 5))
    assert len(ink) and np.abs(ink - diagrams.SIDE / 2).max() < 3


def test_images_have_a_row_each_from_noise_to_image():
    pixels = np.arange(11 * 2, dtype=np.uint8).reshape(11, 2, 1, 1, 1) * np.ones((1, 1, 8, 8, 1), np.uint8)
    found = trajectories.rows(pixels)
    shown = trajectories.spread(pixels, trajectories.STATES)
    wanted = figures.grid(np.concatenate([shown[:, 0], shown[:, 1]]), trajectories.STATES)
    np.testing.assert_array_equal(found, wanted)


def test_an_animation_stays_at_its_end_and_its_window_does_not_move():
    generator = np.random.default_rng(0)
    frames = trajectories.moving_points(generator.normal(size=(3, 20, 2)), generator.normal(size=(30, 2)))
    assert len(frames) == 3 + trajectories.HOLD
    assert all((frame == frames[-1]).all() for frame in frames[-trajectories.HOLD :])
    assert len({frame.shape for frame in frames}) == 1
    left = [frame[:, : diagrams.LEFT] for frame in frames]
    assert all((one == left[0]).all() for one in left)
    images = trajectories.moving_images(np.zeros((100, 4, 8, 8, 1), np.uint8))
    assert len(images) == trajectories.FRAMES + trajectories.HOLD
