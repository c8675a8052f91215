"""How the runs of the pages of results learnt: what a record keeps of the metrics, and the curves drawn from it."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

from experiments.pictures import curves
from experiments.pictures.curves import Curve

POINTS = 60
"""Of a curve that a record keeps, at most: each is the mean of as many lines of the log."""

DIGITS = 4
"""That count, of a value."""

LEFT_OUT = ("step", "steps_per_s", "images_per_s")
"""Of a line of the log."""

OF_PLAYERS = "gradient_norm/"
"""Begins the names of what is left out, too: gradient norms of single players."""

DATA = "curves"
"""Keyword of the checksum in a picture, which tells of which curves it is."""


def kept(metrics: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The curves of a run: `steps`, and each metric's values at those, null where one is not finite."""
    num = math.ceil(len(metrics) / POINTS)
    parts = [metrics[start : start + num] for start in range(0, len(metrics), num)] if metrics else []
    logged = dict.fromkeys(name for line in metrics for name in line)
    names = [name for name in logged if name not in LEFT_OUT and not name.startswith(OF_PLAYERS)]
    values = {name: [_mean([line.get(name) for line in part]) for part in parts] for name in names}
    return {"steps": [int(part[-1]["step"]) for part in parts], "metrics": values}


def _mean(values: Sequence[Any]) -> float | None:
    finite = [value for value in values if isinstance(value, int | float) and math.isfinite(value)]
    return float(f"{sum(finite) / len(finite):.{DIGITS}g}") if finite else None


def drawable(runs: Sequence[dict[str, Any]]) -> bool:
    """Whether any of the records has curves; those of older versions have none."""
    return any("curves" in one for one in runs)


def picture(runs: Sequence[dict[str, Any]]) -> bytes:
    """A PNG of every metric, a line for each of the records that has curves, and for each part of a metric.

    A part stands behind a slash in the name, such as a level's losses.
    """
    found = [one for one in runs if "curves" in one]
    names = {name for one in found for name in one["curves"]["metrics"]}
    panels: dict[str, list[Curve]] = {}
    for name in sorted(names, key=lambda name: (name.partition("/")[0], len(name), name)):
        metric, _, part = name.partition("/")
        lines = panels.setdefault(metric, [])
        for one in found:
            words = [part] * bool(part) + [f"seed {one['seed']}"] * (len(found) > 1 or not part)
            lines.append(Curve(", ".join(words), curves.colour(len(lines)), _points(one, name)))
    return curves.sheet(panels, {DATA: checksum(runs)})


def _points(record: dict[str, Any], name: str) -> list[tuple[float, float]]:
    values = zip(record["curves"]["steps"], record["curves"]["metrics"].get(name, ()), strict=False)
    return [(step, value) for step, value in values if value is not None]


def checksum(runs: Sequence[dict[str, Any]]) -> str:
    """Of the curves of the records and their seeds."""
    found = [[one["seed"], one["curves"]] for one in runs if "curves" in one]
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
