"""Curves as SVG text: one line for each run, axes with ticks, a legend; nothing is loaded from elsewhere."""

import html
import math
from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 460, 260
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 30, 34

MOST_POINTS = 400
"""Of a line; of more, some at even distances are drawn."""

COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")


class Curve(NamedTuple):
    """One run's values of a metric."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]  # step and value, finite


def colour(index: int) -> str:
    """Of the run at that place."""
    return COLOURS[index % len(COLOURS)]


def svg(title: str, curves: Sequence[Curve]) -> str:
    """All curves in one picture. ValueError where there is no point at all."""
    points = [point for curve in curves for point in curve.points]
    if not points:
        raise ValueError(f"{title} has no point to draw")
    across, up = (_padded([point[axis] for point in points]) for axis in (0, 1))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{html.escape(title)}">',
        f'<text x="{LEFT}" y="18" class="title">{html.escape(title)}</text>',
    ]
    for tick in ticks(*up):
        y = _y(tick, up)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="rule"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" class="tick" text-anchor="end">{tick:,.6g}</text>')
    for tick in ticks(*across):
        x = _x(tick, across)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 14}" class="tick" text-anchor="middle">{tick:,.9g}</text>')
    parts += [_line(curve, across, up) for curve in curves if curve.points]
    return "".join([*parts, "</svg>"])


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from low to high, at most so many: multiples of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    raw = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _line(curve: Curve, across: tuple[float, float], up: tuple[float, float]) -> str:
    num = len(curve.points)
    places = sorted({round(place * (num - 1) / (MOST_POINTS - 1)) for place in range(MOST_POINTS)})
    shown = [curve.points[place] for place in (places if num > MOST_POINTS else range(num))]
    joined = " ".join(f"{_x(x, across):.1f},{_y(y, up):.1f}" for x, y in shown)
    name = f"<title>{html.escape(curve.name)}</title>"
    if num == 1:
        x, y = joined.split(",")
        return f'<circle cx="{x}" cy="{y}" r="3" fill="{curve.colour}">{name}</circle>'
    return f'<polyline points="{joined}" fill="none" stroke="{curve.colour}" stroke-width="1.6">{name}</polyline>'


def _x(value: float, span: tuple[float, float]) -> float:
    return LEFT + (value - span[0]) / (span[1] - span[0]) * (WIDTH - LEFT - RIGHT)


def _y(value: float, span: tuple[float, float]) -> float:
    return HEIGHT - BOTTOM - (value - span[0]) / (span[1] - span[0]) * (HEIGHT - TOP - BOTTOM)


def _padded(values: Sequence[float]) -> tuple[float, float]:
    """Least and largest; apart where they are one."""
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - max(abs(low), 1.0) / 2, high + max(abs(high), 1.0) / 2)
