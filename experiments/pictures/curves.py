"""Curves as small PNG files: one line for each run, with axes and a legend."""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.pictures import diagrams

WIDTH, HEIGHT = 690, 390
"""In pixels, half as many again as a page shows: sharp on most screens."""

INKS = 256
"""Colours of a file: half of the bytes, and no difference to be seen."""

COLUMNS, PANEL_HEIGHT = 3, 150
"""Of a sheet of several metrics; its width is that of one."""

SHEET_INKS = 24
"""Colours of a sheet, which pages show small."""

MOST_NAMED = 8
"""Runs up to which a picture names them; more would cover the lines."""


class Curve(NamedTuple):
    """One run's values of a metric."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]  # step and value, finite


def colour(index: int) -> str:
    """Of the run at that place."""
    return diagrams.COLOURS[index % len(diagrams.COLOURS)]


def png(title: str, curves: Sequence[Curve]) -> bytes:
    """All curves in one picture. ValueError where there is no point at all."""
    drawn = [curve for curve in curves if curve.points]
    if not drawn:
        raise ValueError(f"{title} has no point to draw")
    with diagrams.drawing(WIDTH, HEIGHT, {"font.size": 11, "figure.constrained_layout.use": True}) as figure:
        axes = figure.add_subplot()
        _draw(axes, title, drawn)
        if 1 < len(curves) <= MOST_NAMED:
            names = [diagrams.shortened(curve.name) for curve in drawn]
            axes.legend(axes.lines, names, fontsize="small", framealpha=0.6, edgecolor="none")
        return _file(diagrams.pixels(figure), INKS)


def sheet(panels: Mapping[str, Sequence[Curve]], about: Mapping[str, str], marker: str = "") -> bytes:
    """Several metrics in one picture, a panel each with its name above; the first one names the runs.

    Args:
        panels: curves by the name of the metric.
        about: words that stand in the file beside the picture, by keyword.
        marker: matplotlib's, at each point.

    ValueError where there is no point at all.
    """
    drawn = {title: some for title, curves in panels.items() if (some := [curve for curve in curves if curve.points])}
    if not drawn:
        raise ValueError("there is no point to draw")
    rows = math.ceil(len(drawn) / COLUMNS)
    style = {"font.size": 8, "figure.constrained_layout.use": True}
    with diagrams.drawing(WIDTH, rows * PANEL_HEIGHT, style) as figure:
        for place, (title, some) in enumerate(drawn.items()):
            axes = figure.add_subplot(rows, COLUMNS, place + 1)
            _draw(axes, title, some, 1.0, marker)
            if place == 0 and 1 < len(some) <= MOST_NAMED:
                axes.legend(axes.lines, [curve.name for curve in some], fontsize="small", edgecolor="none")
        return _file(diagrams.pixels(figure), SHEET_INKS, about)


class Stop(NamedTuple):
    """One way of drawing from a model, as a point of a picture of fidelity over variety."""

    variety: float
    fidelity: float
    name: str  # stands beside the point


def tradeoff(names: tuple[str, str], lines: Mapping[str, Sequence[Stop]], real: tuple[float, float] | None) -> bytes:
    """Fidelity over variety, or another measure over another: a line through the points of each name, in their order.

    Args:
        names: of the measures of variety and of fidelity, or of those in their places.
        lines: points by the name of the line; an only one has no legend.
        real: variety and fidelity of held-out examples, or None.

    ValueError where there is no point at all.
    """
    if not any(lines.values()):
        raise ValueError("there is no point to draw")
    with diagrams.drawing(HEIGHT, HEIGHT, {"font.size": 11, "figure.constrained_layout.use": True}) as figure:
        axes = figure.add_subplot(xlabel=names[0], ylabel=names[1])
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid()
        for place, (name, stops) in enumerate(lines.items()):
            places = [stop.variety for stop in stops], [stop.fidelity for stop in stops]
            axes.plot(*places, color=colour(place), marker="o", markersize=4, label=diagrams.shortened(name))
            for stop in stops:
                axes.annotate(stop.name, stop[:2], (4, 4), textcoords="offset points", fontsize="small")
        if real is not None:
            axes.plot(*real, color=diagrams.BLACK, marker="D", linestyle="none", label="real, held out")
        if real is not None or len(lines) > 1:
            axes.legend(fontsize="small", framealpha=0.6, edgecolor="none")
        return _file(diagrams.pixels(figure), INKS)


def _draw(axes: Any, title: str, curves: Sequence[Curve], width: float = 1.6, marker: str = "") -> None:
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=6 if width > 1 else 3)
    axes.set_title(title, loc="left", weight="bold", size="medium")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid()
    for curve in curves:
        steps, values = zip(*curve.points, strict=True)
        axes.plot(
            steps,
            values,
            color=curve.colour,
            linewidth=width,
            marker="o" if len(values) == 1 else marker,
            markersize=6 if len(values) == 1 else 3,
        )


def _file(pixels: np.ndarray, inks: int, about: Mapping[str, str] | None = None) -> bytes:
    from PIL import Image, PngImagePlugin

    file, words = io.BytesIO(), PngImagePlugin.PngInfo()
    for keyword, text in (about or {}).items():
        words.add_text(keyword, text)
    method = Image.Quantize.MAXCOVERAGE  # the others blend a colour that few pixels have, as of a run hidden by another
    picture = Image.fromarray(pixels).quantize(inks, method, dither=Image.Dither.NONE)
    picture.save(file, "PNG", optimize=True, pnginfo=words)
    return file.getvalue()
