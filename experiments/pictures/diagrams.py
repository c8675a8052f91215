"""Points in the plane, drawn with Pillow alone: axes with ticks, a legend, smooth edges."""

import colorsys
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from experiments.pictures import text

SIDE = 480
"""Of the square in which points stand, in pixels."""

SMOOTH = 3
"""Everything is drawn this many times larger and averaged."""

TEXT_SIZE = 14
LEFT, TOP, BOTTOM, RIGHT = 66, 18, 52, 18
LEGEND_ROWS = 20
FRAME, LINES = (150, 150, 150), (232, 232, 232)

Colour = tuple[int, int, int]

COLOURS: tuple[Colour, ...] = (
    *((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189)),
    *((140, 86, 75), (227, 119, 194), (110, 110, 110), (188, 189, 34), (23, 190, 207)),
)
"""Of the first ten classes: Tableau's, told apart by most people."""

GREY, BLACK = (190, 190, 190), (20, 20, 20)


Field = Callable[[np.ndarray], np.ndarray]
"""A function of points in the plane, (num, 2) to (num,)."""

LOW, HIGH, EDGE = np.array([176, 196, 222]), np.array([255, 250, 225]), np.array([120, 130, 150])
BANDS, SAMPLED = 14, 120
"""Of a field: bands of equal height, and points on each axis at which it is computed."""


class Group(NamedTuple):
    """Points of one colour, named in the legend; a name of "" is left out of it."""

    name: str
    points: np.ndarray  # (num, 2)
    colour: Colour
    mark: Literal["dot", "diamond"] = "dot"  # a diamond is larger and has its name beside it


def by_class(points: np.ndarray, labels: np.ndarray | None, classes: Sequence[str]) -> list[Group]:
    """One group for each class; one without a name where there are no labels."""
    if labels is None:
        return [Group("", points, COLOURS[0])]
    return [Group(name, points[labels == index], colour(index, len(classes))) for index, name in enumerate(classes)]


def colour(index: int, num: int) -> Colour:
    """The colour of class `index` of `num`: of the ten, or as far round the circle of hues."""
    if num <= len(COLOURS):
        return COLOURS[index]
    red, green, blue = colorsys.hsv_to_rgb(index / num, 0.85, (0.85, 0.6)[index % 2])
    return round(255 * red), round(255 * green), round(255 * blue)


def scatter(groups: Sequence[Group], x_label: str = "", y_label: str = "", *, field: Field | None = None) -> np.ndarray:
    """All groups in one square with equal scales on both axes, (height, width, 3) uint8.

    Points of different groups are drawn in a mixed order, so that none hides another; those that are not finite are
    left out. The legend stands on the right, if any group has a name. Behind the points lie the level sets of `field`,
    if there is one, brighter where it is higher.
    """
    from PIL import Image, ImageDraw

    low, high = _window(groups)
    named = [group for group in groups if group.name and group.mark == "dot"]
    legend = _legend_width(named)
    size = (LEFT + SIDE + RIGHT + legend, TOP + SIDE + BOTTOM)
    picture = Image.new("RGB", (size[0] * SMOOTH, size[1] * SMOOTH), "white")
    pen = ImageDraw.Draw(picture, "RGBA")
    _axes(pen, low, high)
    if field is not None:
        picture.paste(Image.fromarray(_level_sets(field, low, high)), (SMOOTH * LEFT, SMOOTH * TOP))
    _points(pen, groups, low, high)
    _legend(pen, named)
    _text(pen, (LEFT + SIDE / 2, TOP + SIDE + 38), x_label, "mm")
    picture = picture.reduce(SMOOTH)
    if y_label:
        label = text.upright(y_label, TEXT_SIZE)
        picture.paste(Image.fromarray(label), (4, TOP + (SIDE - label.shape[0]) // 2))
    return np.asarray(picture)


def ticks(low: float, high: float, num: int = 6) -> list[float]:
    """About `num` round numbers from `low` to `high`: multiples of 1, 2 or 5 times a power of ten.

    >>> ticks(-2.3, 2.4)
    [-2.0, -1.0, 0.0, 1.0, 2.0]
    >>> ticks(0.0, 0.31)
    [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]
    """
    rough = (high - low) / num
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((power * factor for factor in (1, 2, 5, 10)), key=lambda step: abs(math.log(step / rough)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _window(groups: Sequence[Group]) -> tuple[np.ndarray, np.ndarray]:
    """Lower left and upper right of a square that holds all points, with a margin."""
    points = np.concatenate([np.asarray(group.points, np.float64).reshape(-1, 2) for group in groups])
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return np.array([-1.0, -1.0]), np.array([1.0, 1.0])
    low, high = points.min(axis=0), points.max(axis=0)
    half = 0.54 * max((high - low).max(), 1e-6)
    middle = (low + high) / 2
    return middle - half, middle + half


def _place(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Pixels (x, y) of points, before smoothing."""
    unit = (np.asarray(points, np.float64) - low) / (high - low)
    return np.stack([LEFT + SIDE * unit[:, 0], TOP + SIDE * (1 - unit[:, 1])], axis=1)


def _axes(pen: Any, low: np.ndarray, high: np.ndarray) -> None:
    right, bottom = LEFT + SIDE, TOP + SIDE
    for tick in ticks(low[0], high[0]):
        x = _place(np.array([[tick, low[1]]]), low, high)[0, 0]
        _line(pen, (x, TOP), (x, bottom), LINES)
        _text(pen, (x, bottom + 14), f"{tick:g}", "mm")
    for tick in ticks(low[1], high[1]):
        y = _place(np.array([[low[0], tick]]), low, high)[0, 1]
        _line(pen, (LEFT, y), (right, y), LINES)
        _text(pen, (LEFT - 8, y), f"{tick:g}", "rm")
    for start, end in (((LEFT, bottom), (right, bottom)), ((LEFT, TOP), (LEFT, bottom))):
        _line(pen, start, end, FRAME)


def _level_sets(field: Field, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The square of the points, before smoothing: bands of equal height between the lowest and the highest value."""
    from PIL import Image

    across, upwards = (np.linspace(low[axis], high[axis], SAMPLED, dtype=np.float32) for axis in (0, 1))
    plane = np.stack(np.meshgrid(across, upwards[::-1]), axis=-1).reshape(-1, 2)
    values = np.nan_to_num(np.asarray(field(plane), np.float32)).reshape(SAMPLED, SAMPLED)
    side = SIDE * SMOOTH
    values = np.asarray(Image.fromarray(values).resize((side, side), Image.Resampling.BILINEAR))
    span = max(float(np.ptp(values)), 1e-12)
    band = np.minimum((values - values.min()) / span * BANDS, BANDS - 1).astype(np.int64)
    pixels = LOW + (HIGH - LOW) * (band / (BANDS - 1))[..., None]
    edge = np.zeros(band.shape, bool)
    edge[1:] |= band[1:] != band[:-1]
    edge[:, 1:] |= band[:, 1:] != band[:, :-1]
    pixels[edge] = EDGE
    return pixels.astype(np.uint8)


def _points(pen: Any, groups: Sequence[Group], low: np.ndarray, high: np.ndarray) -> None:
    dots = [
        (x, y, group.colour)
        for group in groups
        if group.mark == "dot"
        for x, y in _place(group.points, low, high)
        if math.isfinite(x) and math.isfinite(y)
    ]
    radius = 3.6 if len(dots) <= 500 else 2.8 if len(dots) <= 3_000 else 2.0
    for index in np.random.default_rng(0).permutation(len(dots)):
        x, y, ink = dots[index]
        _disc(pen, x, y, radius, (*ink, 175))
    for group in groups:
        if group.mark == "diamond":
            for x, y in _place(group.points, low, high):
                _diamond(pen, x, y, group)


def _disc(pen: Any, x: float, y: float, radius: float, ink: tuple[int, ...]) -> None:
    pen.ellipse([SMOOTH * (x - radius), SMOOTH * (y - radius), SMOOTH * (x + radius), SMOOTH * (y + radius)], fill=ink)


def _diamond(pen: Any, x: float, y: float, group: Group) -> None:
    for radius, ink in ((9.0, (255, 255, 255)), (7.0, group.colour)):
        corners = [(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)]
        pen.polygon([(SMOOTH * across, SMOOTH * down) for across, down in corners], fill=ink)
    on_the_left = x > LEFT + 0.8 * SIDE
    at, anchor = ((x - 12, y), "rm") if on_the_left else ((x + 12, y), "lm")
    label = text.fitted(group.name, TEXT_SIZE, SIDE // 3)
    edge = {"stroke_width": 3 * SMOOTH, "stroke_fill": (255, 255, 255)}
    pen.text(
        (SMOOTH * at[0], SMOOTH * at[1]), label, fill=BLACK, font=text.font(SMOOTH * TEXT_SIZE), anchor=anchor, **edge
    )


def _legend_width(named: Sequence[Group]) -> int:
    if not named:
        return 0
    return 34 + min(max(text.width(group.name, TEXT_SIZE) for group in named), 140)


def _legend(pen: Any, named: Sequence[Group]) -> None:
    shown = named if len(named) <= LEGEND_ROWS else named[: LEGEND_ROWS - 1]
    left = LEFT + SIDE + RIGHT
    for index, group in enumerate(shown):
        y = TOP + 12 + 23 * index
        _disc(pen, left + 6, y, 5.5, group.colour)
        _text(pen, (left + 18, y), text.fitted(group.name, TEXT_SIZE, 140), "lm")
    if len(shown) < len(named):
        _text(pen, (left + 18, TOP + 12 + 23 * len(shown)), f"{len(named) - len(shown)} more", "lm")


def _line(pen: Any, start: tuple[float, float], end: tuple[float, float], ink: Colour) -> None:
    pen.line([tuple(SMOOTH * value for value in point) for point in (start, end)], fill=ink, width=SMOOTH)


def _text(pen: Any, at: tuple[float, float], words: str, anchor: str) -> None:
    text.draw(pen, (SMOOTH * at[0], SMOOTH * at[1]), words, SMOOTH * TEXT_SIZE, anchor)
