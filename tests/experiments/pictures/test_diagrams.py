import numpy as np
import pytest

from experiments.pictures import diagrams
from experiments.pictures.diagrams import BLACK, BOTTOM, COLOURS, LEFT, RIGHT, SIDE, TOP, Group

CORNERS = np.array([[0.0, 0.0], [1.0, 1.0]])
PLACE = {  # pixels of the corners of the unit square, with the margin of 4 % of the span on each side
    (x, y): (round(LEFT + SIDE * (x + 0.04) / 1.08), round(TOP + SIDE * (1 - (y + 0.04) / 1.08)))
    for x in (0, 1)
    for y in (0, 1)
}


def colour_at(picture, corner):
    x, y = PLACE[corner]
    return picture[y, x].astype(int)


def test_points_stand_where_the_axes_say_second_coordinate_upwards():
    picture = diagrams.scatter([Group("", CORNERS, (200, 0, 0))])
    assert picture.shape == (TOP + SIDE + BOTTOM, LEFT + SIDE + RIGHT, 3) and picture.dtype == np.uint8
    for corner, there in (((0, 0), True), ((1, 1), True), ((0, 1), False), ((1, 0), False)):
        red, green, _ = colour_at(picture, corner)
        assert (red - green > 100) == there


def test_both_axes_have_one_scale():
    """A flat cloud leaves the square empty above and below, and is not blown up."""
    picture = diagrams.scatter([Group("", np.array([[0.0, 0.0], [10.0, 1.0]]), (200, 0, 0))])
    red = (picture[..., 0].astype(int) - picture[..., 1]) > 100
    rows, columns = np.nonzero(red)
    assert np.ptp(columns) / np.ptp(rows) == pytest.approx(10, rel=0.2)


def test_each_class_has_its_colour_and_its_name_in_the_legend():
    points = np.array([[0.0, 0.0], [1.0, 1.0]])
    plain = diagrams.scatter([Group("", points, COLOURS[0])])
    groups = diagrams.by_class(points, np.array([0, 1]), ("cat", "dog"))
    picture = diagrams.scatter(groups)
    assert picture.shape[1] > plain.shape[1]
    legend = picture[:, plain.shape[1] :]
    for index, corner in ((0, (0, 0)), (1, (1, 1))):
        assert np.abs(colour_at(picture, corner) - COLOURS[index]).max() < 90
        assert (np.abs(legend.astype(int) - COLOURS[index]).max(axis=2) < 3).sum() > 50
    assert (legend.max(axis=2) < 100).any()


def test_no_class_hides_another_whatever_its_order():
    points = np.random.default_rng(0).normal(size=(4_000, 2)) * 0.1
    shown = []
    for labels in (np.arange(4_000) % 2, 1 - np.arange(4_000) % 2):
        picture = diagrams.scatter(diagrams.by_class(points, labels, ("a", "b"))).astype(int)
        plane = picture[TOP : TOP + SIDE, LEFT : LEFT + SIDE]
        shown.append([(np.abs(plane - colour).max(axis=2) < 60).sum() for colour in COLOURS[:2]])
    for first, second in shown:
        assert 0.5 < first / second < 2


def test_a_diamond_is_larger_and_named_within_the_picture():
    without = diagrams.scatter([Group("", CORNERS, COLOURS[0])])
    named = diagrams.scatter([Group("", CORNERS, COLOURS[0]), Group("mine", CORNERS[1:], BLACK, "diamond")])
    assert named.shape == without.shape
    dark = (named.max(axis=2) < 80) & (without.max(axis=2) > 120)
    x, y = PLACE[1, 1]
    assert dark[y - 4 : y + 5, x].all()
    assert dark[y - 8 : y + 8, x - 60 : x - 10].any()  # on the left, where there is room


def test_points_that_are_not_finite_are_left_out():
    finite = diagrams.scatter([Group("", CORNERS, COLOURS[0])])
    broken = np.concatenate([CORNERS, [[np.nan, 0.5], [np.inf, 0.0]]])
    np.testing.assert_array_equal(diagrams.scatter([Group("", broken, COLOURS[0])]), finite)
    assert diagrams.scatter([Group("", broken[2:], COLOURS[0])]).shape == finite.shape


def test_many_classes_have_different_colours_and_a_short_legend():
    assert len({diagrams.colour(index, 100) for index in range(100)}) == 100
    classes = tuple(f"class {index}" for index in range(100))
    picture = diagrams.scatter(diagrams.by_class(np.zeros((100, 2)), np.arange(100), classes))
    assert picture.shape[0] == TOP + SIDE + BOTTOM


def test_without_labels_there_is_one_group_and_no_legend():
    (group,) = diagrams.by_class(CORNERS, None, ())
    assert group.name == "" and len(group.points) == 2


@pytest.mark.parametrize(("low", "high"), [(-2.3, 2.4), (0.0, 0.0031), (1e6, 1.2e6), (-17.0, 3.0)])
def test_ticks_are_few_round_numbers_within_the_span(low, high):
    found = diagrams.ticks(low, high)
    assert 4 <= len(found) <= 9
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
    steps = np.diff(found)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    assert float(f"{steps[0]:.0e}") == pytest.approx(steps[0], rel=1e-6)  # one digit


def test_axis_labels_are_written_below_and_at_the_left():
    plain = diagrams.scatter([Group("", CORNERS, COLOURS[0])])
    written = diagrams.scatter([Group("", CORNERS, COLOURS[0])], "across", "upwards")
    changed = np.argwhere((plain != written).any(axis=2))
    below, left = changed[changed[:, 0] > TOP + SIDE], changed[changed[:, 1] < 30]
    assert len(below) > 50 and len(left) > 50 and len(below) + len(left) == len(changed)


def test_level_sets_are_brighter_where_the_field_is_higher_and_lie_behind_the_points():
    """A field that rises to the right: columns of one colour, never darker further on."""
    picture = diagrams.scatter([Group("", CORNERS, (200, 0, 0))], field=lambda points: points[:, 0])
    row = picture[TOP + SIDE // 4, LEFT + 20 : LEFT + SIDE - 20].astype(int).sum(axis=1)
    bands = [value for value in np.unique(row) if (row == value).sum() > 10]
    assert len(bands) >= diagrams.BANDS - 2
    places = [np.flatnonzero(row == value).mean() for value in bands]
    assert places == sorted(places)
    red, green, _ = colour_at(picture, (1, 1))
    assert red - green > 100


def test_a_field_upwards_has_its_highest_values_at_the_top():
    picture = diagrams.scatter([Group("", CORNERS, (200, 0, 0))], field=lambda points: points[:, 1])
    column = picture[TOP + 20 : TOP + SIDE - 20, LEFT + SIDE // 4].astype(int).sum(axis=1)
    assert column[:20].mean() > column[-20:].mean() + 50
