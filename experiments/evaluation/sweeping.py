"""A run drawn in many ways, each judged: every combination of the values that its settings are given."""

import dataclasses
import itertools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.command_line.errors import UserError
from experiments.evaluation import judging
from experiments.evaluation.options import Options
from experiments.evaluation.table import AIMS, EXPLAINED, shown
from experiments.models import abilities, samplers
from experiments.models.samplers import Changes
from experiments.pictures import curves
from experiments.pictures.curves import Curve, Stop
from experiments.runs import files

FORMAT = 1
"""Of sweep.json."""

TRADEOFF = ("recall", "precision")
"""What stands for variety and for fidelity."""

METRICS = ("frechet", "precision_recall", "as_asked")
"""Of a sweep for which none are named."""


@dataclasses.dataclass(frozen=True)
class Way:
    """How a run is drawn once."""

    settings: Mapping[str, str]  # as given, by the name of the option
    changes: Changes


def parse(folder: pathlib.Path, argv: Sequence[str], prog: str, description: str) -> tuple[Options, list[Way]]:
    """What is measured, and every way in which the run is drawn.

    UserError for one in which it cannot be drawn, and where there is nothing to compare.
    """
    if (config := samplers.run_config(folder)) is not None:
        abilities.require_images(config)
    varied, rest = _varied(argv)
    if "-h" in rest or "--help" in rest:
        samplers.parse(Options(), folder, rest, prog, description)
    ways, options = [], Options()
    for values in itertools.product(*varied.values()):
        given = dict(zip(varied, values, strict=True))
        words = [word for name, value in given.items() for word in (f"--{name}", value)]
        options, changes = samplers.parse(Options(), folder, [*words, *rest], prog, description)
        ways.append(Way(given, changes))
    if len(ways) < 2:
        fields = " or ".join(f"--{name}" for name in samplers.FIELDS)
        raise UserError(f"a sweep needs two values or more of a setting of {fields}, such as --sampler.steps 5 10 20")
    return dataclasses.replace(options, metrics=options.metrics or METRICS), ways


def _varied(argv: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The values of each setting of a sampler, and the other words."""
    varied: dict[str, list[str]] = {}
    rest: list[str] = []
    words = rest
    for word in argv:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--"):
            words.append(word)
        elif name.partition(".")[0] in samplers.FIELDS:
            words = varied.setdefault(name, [])
            words.extend([value] if equals else [])
        else:
            words = rest
            rest.append(word)
    for name, values in varied.items():
        if not values:
            raise UserError(f"--{name} has no value; give one or more")
    return varied, rest


def sweep(folder: pathlib.Path, options: Options, ways: Sequence[Way]) -> dict[str, Any]:
    """Judge every way; what sweep.json then holds."""
    named = {_name(way): way.changes for way in ways}
    config = samplers.run_config(folder)
    found: dict[str, Any] = judging.compare(folder, options, named) | {"format": FORMAT}
    found["points"] = [_point(config, way, found["rows"]) for way in ways]
    found["real"] = {row["name"]: row["real"] for row in found["rows"] if "real" in row}
    found["metrics"] = [
        {key: row.get(key) for key in ("metric", "name", "extractor", "better", "interval")}
        for row in found.pop("rows")
        if "reason" not in row
    ]
    judging.write(folder / "sweep.json", found)
    with files.replacing(folder / "sweep.png") as path:
        path.write_bytes(picture(found))
    if both := tradeoff(found):
        with files.replacing(folder / "tradeoff.png") as path:
            path.write_bytes(both)
    return found


def _name(way: Way) -> str:
    return " ".join(f"{name} {value}" for name, value in way.settings.items())


def _point(config: Any, way: Way, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The settings, the evaluations of the denoiser for one sample, and each metric."""
    values = {row["name"]: row[_name(way)] for row in rows if _name(way) in row}
    drawn = dataclasses.replace(config, **way.changes)
    evaluations = getattr(getattr(drawn, "sampler", None), "evaluations", None)
    return {"settings": dict(way.settings), "evaluations": evaluations, "values": values}


def lines(found: Mapping[str, Any]) -> list[str]:
    """What a person reads of a sweep."""
    text = [
        f"{found['experiment']} at step {found['step']:,}, seed {found['seed']}: {found['num_samples']:,} samples",
        *found["extractors"],
        "",
    ]
    head, body = table(found)
    widths = [max(len(line[place]) for line in (head, *body)) for place in range(len(head))]
    text += ["  ".join(f"{word:<{width}}" for word, width in zip(line, widths, strict=True)) for line in (head, *body)]
    return [line.rstrip() for line in [*text, "", EXPLAINED]]


def table(found: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Head and body: a line for the held-out examples, then one for each way."""
    metrics, points = found["metrics"], found["points"]
    counted = points[0]["evaluations"] is not None
    own = [*points[0]["settings"], *(["evaluations"] if counted else [])]
    body = [["real, held out", *[""] * (len(own) - 1), *_cells(metrics, found["real"])]]
    for point in points:
        counts = [str(point["evaluations"])] if counted else []
        body.append([*point["settings"].values(), *counts, *_cells(metrics, point["values"])])
    return [*own, *(one["name"] + AIMS[one["better"]] for one in metrics)], body


def _cells(metrics: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> list[str]:
    return [shown(values.get(one["name"], {})) for one in metrics]


def picture(found: Mapping[str, Any], about: Mapping[str, str] | None = None) -> bytes:
    """A PNG with a panel for each metric: a line for each combination of settings that are no numbers.

    Its places are the evaluations of the denoiser, or the values of the first setting that is a number.
    """
    panels: dict[str, list[Curve]] = {}
    for one in found["metrics"]:
        by_name: dict[str, list[tuple[float, float]]] = {}
        for place, point in enumerate(found["points"]):
            value = point["values"].get(one["name"], {}).get("value")
            if value is not None:
                by_name.setdefault(_line(point), []).append((_place(point, place), value))
        panels[one["name"]] = [
            Curve(name, curves.colour(number), sorted(points)) for number, (name, points) in enumerate(by_name.items())
        ]
    return curves.sheet(panels, about or {}, marker="o")


def tradeoff(found: Mapping[str, Any]) -> bytes | None:
    """A PNG of precision over recall, with a point for each way; None unless both were measured."""
    lines: dict[str, list[Stop]] = {}
    for point in found["points"]:
        variety, fidelity = (point["values"].get(name, {}).get("value") for name in TRADEOFF)
        if variety is not None and fidelity is not None:
            note = next((value for name, value in point["settings"].items() if name in _numbers(point)), "")
            lines.setdefault(_line(point), []).append(Stop(variety, fidelity, note))
    if not lines:
        return None
    real = [found["real"].get(name, {}).get("value") for name in TRADEOFF]
    return curves.tradeoff(TRADEOFF, lines, None if None in real else (real[0], real[1]))


def _line(point: Mapping[str, Any]) -> str:
    """What stands for a line in the legend."""
    numbers = _numbers(point)
    words = {name: value for name, value in point["settings"].items() if name not in numbers}
    if point["evaluations"] is None or not any(name.endswith("steps") for name in numbers):
        rest = list(numbers)[1:]
    else:
        rest = [name for name in numbers if not name.endswith("steps")]
    return " ".join([*words.values(), *(f"{name.rpartition('.')[2]} {point['settings'][name]}" for name in rest)])


def _place(point: Mapping[str, Any], place: int) -> float:
    numbers = _numbers(point)
    if point["evaluations"] is not None and any(name.endswith("steps") for name in numbers):
        return float(point["evaluations"])
    return next(iter(numbers.values()), float(place))


def _numbers(point: Mapping[str, Any]) -> dict[str, float]:
    found = {}
    for name, value in point["settings"].items():
        try:
            found[name] = float(value)
        except ValueError:
            continue
    return found
