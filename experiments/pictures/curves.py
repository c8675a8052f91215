"""Curves as small PNG files: one line for each run, with axes and a legend."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.pictures import diagrams

WIDTH, HEIGHT = 690, 390
"""In pixels, half as many again as a page shows: sharp on most screens."""

INKS = 256
"""Colours of a file: half of the bytes, and no difference to be seen."""

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
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.xaxis.get_major_locator().set_params(integer=True, nbins=6)
        axes.set_title(title, loc="left", weight="bold", size="medium")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid()
        for curve in drawn:
            steps, values = zip(*curve.points, strict=True)
            axes.plot(steps, values, color=curve.colour, linewidth=1.6, marker="o" if len(values) == 1 else "")
        if 1 < len(curves) <= MOST_NAMED:
            names = [diagrams.shortened(curve.name) for curve in drawn]
            axes.legend(axes.lines, names, fontsize="small", framealpha=0.6, edgecolor="none")
        return _file(diagrams.pixels(figure))


def _file(pixels: np.ndarray) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    method = Image.Quantize.MAXCOVERAGE  # the others blend a colour that few pixels have, as of a run hidden by another
    Image.fromarray(pixels).quantize(INKS, method, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()
