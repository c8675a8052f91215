"""Diagrams by matplotlib: points in the plane with a legend and the level sets of a function behind them.

No global state: figures are objects, and neither pyplot, a window nor a person's own matplotlibrc has a part in them,
so that the same numbers give the same pixels.
"""

import colorsys
import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

SIDE = 470
"""Of the square in which points stand, in pixels."""

LEFT, RIGHT, TOP, BOTTOM, LEGEND_WIDTH = 80, 14, 24, 56, 180
"""Around the square; fixed, so that the pictures of one run are of one size."""

DPI = 100
LEGEND_ROWS, LONGEST_NAME = 20, 18

COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
"""Of the first ten classes or runs: Tableau's, told apart by most people."""

GREY, BLACK = "#a0a0a0", "#141414"
RULE, FRAME = "#e8e8e8", "#969696"

Field = Callable[[np.ndarray], np.ndarray]
"""A function of points in the plane, (num, 2) to (num,)."""

Window = tuple[np.ndarray, np.ndarray]
"""Lower left and upper right of what a diagram shows, (2,) each."""

LOW, HIGH, EDGE = "#b0c4de", "#fffae1", "#788296"
BANDS, SAMPLED = 14, 120
"""Of a field: bands of equal height, and points on each axis at which it is computed."""


class Group(NamedTuple):
    """Points of one colour, named in the legend; a name of "" is left out of it."""

    name: str
    points: np.ndarray  # (num, 2)
    colour: str  # as in HTML
    mark: Literal["dot", "diamond"] = "dot"  # a diamond is larger and has its name beside it


def by_class(points: np.ndarray, labels: np.ndarray | None, classes: Sequence[str]) -> list[Group]:
    """One group for each class; one without a name where there are no labels."""
    if labels is None:
        return [Group("", points, COLOURS[0])]
    return [Group(name, points[labels == index], colour(index, len(classes))) for index, name in enumerate(classes)]


def colour(index: int, num: int) -> str:
    """The colour of class `index` of `num`: of the ten, or as far round the circle of hues."""
    if num <= len(COLOURS):
        return COLOURS[index]
    channels = colorsys.hsv_to_rgb(index / num, 0.85, (0.85, 0.6)[index % 2])
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)


@contextlib.contextmanager
def drawing(width: int, height: int, style: Mapping[str, Any]) -> Iterator[Any]:
    """A figure of that many pixels to draw in; `style` changes matplotlib's defaults."""
    from matplotlib import style as styles
    from matplotlib.figure import Figure

    plain = {"text.parse_math": False, "axes.edgecolor": FRAME, "grid.color": RULE, "axes.axisbelow": True}
    with styles.context(["default", {**plain, **style}]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # a box is drawn in its place
        yield Figure(figsize=(width / DPI, height / DPI), dpi=DPI)


def pixels(figure: Any) -> np.ndarray:
    """(height, width, 3) uint8 of a figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def scatter(
    groups: Sequence[Group],
    x_label: str = "",
    y_label: str = "",
    *,
    field: Field | None = None,
    curves: np.ndarray | None = None,
    window: Window | None = None,
) -> np.ndarray:
    """All groups in one square with equal scales on both axes, (height, width, 3) uint8.

    Points of different groups are drawn in a mixed order, so that none hides another; those that are not finite are
    left out. The legend stands on the right, if any group has a name. Behind the points lie the level sets of `field`,
    if there is one, brighter where it is higher, and `curves` (num, points, 2). `window` is what is shown, if others
    than all points of the groups.
    """
    named = [group for group in groups if group.name and group.mark == "dot"]
    low, high = window or window_of([group.points for group in groups])
    width, height = LEFT + SIDE + RIGHT + (LEGEND_WIDTH if named else 0), TOP + SIDE + BOTTOM
    with drawing(width, height, {"axes.formatter.limits": (-3, 4)}) as figure:
        place = (LEFT / width, BOTTOM / height, SIDE / width, SIDE / height)
        axes = figure.add_axes(place, xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(field is None)
        if field is not None:
            _level_sets(axes, field, low, high)
        if curves is not None:
            _curves(axes, curves)
        _dots(axes, [group for group in groups if group.mark == "dot"])
        for group in groups:
            if group.mark == "diamond":
                _diamonds(axes, group, (low[0] + 4 * high[0]) / 5)
        if named:
            _legend(axes, named)
        return pixels(figure)


def window_of(groups: Sequence[np.ndarray]) -> Window:
    """Lower left and upper right of a square that holds all points, (num, 2) each, with a margin."""
    points = _finite(np.concatenate(groups))
    if not len(points):
        return np.array([-1.0, -1.0]), np.array([1.0, 1.0])
    low, high = points.min(axis=0), points.max(axis=0)
    half = 0.54 * max((high - low).max(), 1e-6)
    middle = (low + high) / 2
    return middle - half, middle + half


def _finite(points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, np.float64).reshape(-1, 2)
    return points[np.isfinite(points).all(axis=1)]


def _level_sets(axes: Any, field: Field, low: np.ndarray, high: np.ndarray) -> None:
    """Bands of equal height between the lowest and the highest value."""
    from matplotlib.colors import LinearSegmentedColormap

    across, upwards = (np.linspace(low[axis], high[axis], SAMPLED, dtype=np.float32) for axis in (0, 1))
    plane = np.stack(np.meshgrid(across, upwards), axis=-1).reshape(-1, 2)
    values = np.nan_to_num(np.asarray(field(plane), np.float32)).astype(np.float64).reshape(SAMPLED, SAMPLED)
    if np.ptp(values) == 0:
        axes.set_facecolor(LOW)
        return
    heights = (values - values.min()) / np.ptp(values)  # matplotlib widens the lowest band by 1, lost in large numbers
    levels = np.linspace(0, 1, BANDS + 1)
    colours = LinearSegmentedColormap.from_list("height", [LOW, HIGH])(np.linspace(0, 1, BANDS))
    axes.contourf(across, upwards, heights, levels, colors=colours, antialiased=False)
    axes.contour(across, upwards, heights, levels[1:-1], colors=EDGE, linewidths=0.5, linestyles="solid")


def _curves(axes: Any, curves: np.ndarray) -> None:
    from matplotlib.collections import LineCollection

    axes.add_collection(
        LineCollection(list(np.asarray(curves, np.float64)), colors=EDGE, linewidths=0.5, alpha=0.4, zorder=0.9)
    )


def _dots(axes: Any, groups: Sequence[Group]) -> None:
    points = [_finite(group.points) for group in groups]
    colours = np.repeat([group.colour for group in groups], [len(some) for some in points])
    order = np.random.default_rng(0).permutation(len(colours))
    radius = 2.6 if len(colours) <= 500 else 2.0 if len(colours) <= 3_000 else 1.4
    if len(order):
        x, y = np.concatenate(points)[order].T
        axes.scatter(x, y, c=colours[order], s=(2 * radius) ** 2, alpha=0.7, linewidths=0)


def _diamonds(axes: Any, group: Group, right: float) -> None:
    """Each with its name on a white edge, on the left of those that lie further right than `right`."""
    from matplotlib.patheffects import withStroke

    for x, y in _finite(group.points):
        axes.scatter(x, y, c=group.colour, s=90, marker="D", edgecolors="white", linewidths=1.5, zorder=3)
        offset, side = ((-10, 0), "right") if x > right else ((10, 0), "left")
        edge = [withStroke(linewidth=3, foreground="white")]
        words = {"xytext": offset, "textcoords": "offset points", "ha": side, "va": "center", "path_effects": edge}
        axes.annotate(shortened(group.name, 2 * LONGEST_NAME), (x, y), zorder=4, **words)


def _legend(axes: Any, named: Sequence[Group]) -> None:
    from matplotlib.lines import Line2D

    shown = named if len(named) <= LEGEND_ROWS else named[: LEGEND_ROWS - 1]
    rows = [(shortened(group.name), group.colour) for group in shown]
    if len(shown) < len(named):
        rows.append((f"{len(named) - len(shown)} more", "none"))
    marks = [Line2D([], [], color=colour, marker="o", linestyle="none", markersize=7) for _, colour in rows]
    place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.02), "frameon": False, "handletextpad": 0.2}
    axes.legend(marks, [name for name, _ in rows], **place)


def shortened(name: str, most: int = LONGEST_NAME) -> str:
    """The name, cut with an ellipsis where it has more than `most` letters."""
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"
