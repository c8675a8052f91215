import subprocess
import sys

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


RED = "#c80000"


def rgb(colour):
    return np.array(list(bytes.fromhex(colour[1:])))


def colour_at(picture, corner):
    x, y = PLACE[corner]
    return picture[y, x].astype(int)


def test_points_stand_where_the_axes_say_second_coordinate_upwards():
    picture = diagrams.scatter([Group("", CORNERS, RED)])
    assert picture.shape == (TOP + SIDE + BOTTOM, LEFT + SIDE + RIGHT, 3) and picture.dtype == np.uint8
    for corner, there in (((0, 0), True), ((1, 1), True), ((0, 1), False), ((1, 0), False)):
        red, green, _ = colour_at(picture, corner)
        assert (red - green > 100) == there


def test_both_axes_have_one_scale():
    """A flat cloud leaves the square empty above and below, and is not blown up."""
    picture = diagrams.scatter([Group("", np.array([[0.0, 0.0], [10.0, 1.0]]), RED)])
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
        assert np.abs(colour_at(picture, corner) - rgb(COLOURS[index])).max() < 90
        assert (np.abs(legend.astype(int) - rgb(COLOURS[index])).max(axis=2) < 3).sum() > 50
    assert (legend.max(axis=2) < 100).any()


def test_no_class_hides_another_whatever_its_order():
    points = np.random.default_rng(0).normal(size=(4_000, 2)) * 0.1
    shown = []
    for labels in (np.arange(4_000) % 2, 1 - np.arange(4_000) % 2):
        picture = diagrams.scatter(diagrams.by_class(points, labels, ("a", "b"))).astype(int)
        plane = picture[TOP : TOP + SIDE, LEFT : LEFT + SIDE]
        shown.append([(np.abs(plane - rgb(colour)).max(axis=2) < 60).sum() for colour in COLOURS[:2]])
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


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_numbers_at_the_axes_leave_room_for_the_names_of_the_axes(scale, offset):
    """Whatever their size: the outermost pixels of the picture are white."""
    points = np.random.default_rng(0).normal(size=(100, 2)) * scale + offset
    groups = diagrams.by_class(points, np.arange(100) % 3, ("a long name of a class", "数", "_c"))
    picture = diagrams.scatter(groups, "first principal component (32.1%)", "second principal component (12.0%)")
    edges = (picture[:2], picture[-2:], picture[:, :2], picture[:, -2:])
    assert all((edge == 255).all() for edge in edges)


@pytest.mark.parametrize("name", ["_hidden", "$x$", "数", "$a_{b", "a name that is far too long for a legend"])
def test_every_class_has_its_place_in_the_legend_whatever_its_name(name):
    picture = diagrams.scatter(diagrams.by_class(CORNERS, np.array([0, 1]), ("cat", name)))
    legend = picture[:, LEFT + SIDE + RIGHT :].astype(int)
    assert (np.abs(legend - rgb(COLOURS[1])).max(axis=2) < 3).sum() > 20


def test_the_same_points_give_the_same_pixels_whatever_the_settings_of_matplotlib():
    import matplotlib

    groups = diagrams.by_class(CORNERS, np.array([0, 1]), ("cat", "dog"))
    first = diagrams.scatter(groups, "x", "y")
    with matplotlib.rc_context({"font.size": 20.0, "axes.facecolor": "black", "font.family": "serif"}):
        np.testing.assert_array_equal(diagrams.scatter(groups, "x", "y"), first)


def test_matplotlib_is_loaded_when_a_diagram_is_drawn_and_not_before():
    program = (
        "import sys\nfrom experiments import evaluate, report, sample, train\nfrom experiments.latents import embed\n"
        "from experiments.pictures import diagrams\nassert 'matplotlib' not in sys.modules\n"
        "import numpy as np\ndiagrams.scatter([diagrams.Group('', np.zeros((1, 2)), 'red')])\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_axis_labels_are_written_below_and_at_the_left():
    plain = diagrams.scatter([Group("", CORNERS, COLOURS[0])])
    written = diagrams.scatter([Group("", CORNERS, COLOURS[0])], "across", "upwards")
    changed = np.argwhere((plain != written).any(axis=2))
    below, left = changed[changed[:, 0] > TOP + SIDE], changed[changed[:, 1] < 45]
    assert len(below) > 50 and len(left) > 50 and len(below) + len(left) == len(changed)


def test_level_sets_are_brighter_where_the_field_is_higher_and_lie_behind_the_points():
    """A field that rises to the right: columns of one colour, never darker further on."""
    picture = diagrams.scatter([Group("", CORNERS, RED)], field=lambda points: points[:, 0])
    row = picture[TOP + SIDE // 4, LEFT + 20 : LEFT + SIDE - 20].astype(int).sum(axis=1)
    bands = [value for value in np.unique(row) if (row == value).sum() > 10]
    assert len(bands) >= diagrams.BANDS - 2
    places = [np.flatnonzero(row == value).mean() for value in bands]
    assert places == sorted(places)
    red, green, _ = colour_at(picture, (1, 1))
    assert red - green > 100


def test_a_field_upwards_has_its_highest_values_at_the_top():
    picture = diagrams.scatter([Group("", CORNERS, RED)], field=lambda points: points[:, 1])
    column = picture[TOP + 20 : TOP + SIDE - 20, LEFT + SIDE // 4].astype(int).sum(axis=1)
    assert column[:20].mean() > column[-20:].mean() + 50


@pytest.mark.parametrize(
    "field",
    [
        lambda points: np.full(len(points), 1e6),
        lambda points: np.full(len(points), np.nan),
        lambda points: np.where(points[:, 0] > 0.5, np.inf, -np.inf),
        lambda points: 1e6 + points[:, 0],
        lambda points: 1e-30 * points[:, 0],
    ],
    ids=["constant", "nan", "infinite", "far up", "tiny"],
)
def test_a_field_of_any_values_is_drawn(field):
    picture = diagrams.scatter([Group("", CORNERS, RED)], field=field)
    plane = picture[TOP + 5 : TOP + SIDE - 5, LEFT + 5 : LEFT + SIDE - 5]
    assert (plane == rgb(diagrams.LOW)).all(axis=2).mean() > 0.04
