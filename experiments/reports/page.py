"""The report as one HTML page: no network and no script, pictures and curves are in it."""

import base64
import html
import json
import math
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.pictures import captioned, curves
from experiments.pictures.curves import Curve
from experiments.reports.reading import Run


def page(found: Sequence[Run], num_pictures: int) -> str:
    """The whole page."""
    sections = [
        ("Runs", _runs(found)),
        ("Curves", _curves(found)),
        ("Samples", "".join(_samples(run, num_pictures) for run in found)),
        ("Evaluation", _evaluations(found)),
        ("Settings", _settings(found)),
        *([("History", _history(found))] if any(run.history for run in found) else []),
    ]
    body = "".join(f'<section id="{title.lower()}"><h2>{title}</h2>{inner}</section>' for title, inner in sections)
    title = _text(", ".join(run.label for run in found))
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    )


EMPTY = "(no caption)"
"""In the place of an empty one."""

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#222;max-width:1180px;margin:24px auto;padding:0 16px}
h1{font-size:22px}h2{font-size:18px;border-bottom:1px solid #ddd;padding-bottom:4px;margin-top:32px}h3{font-size:15px}
table{border-collapse:collapse;font-size:13px}th,td{border-bottom:1px solid #e4e4e4;padding:4px 10px;text-align:left}
.scroll{overflow-x:auto}.key{display:inline-block;width:12px;height:12px;margin-right:6px}
.curves{display:grid;grid-template-columns:repeat(auto-fill,minmax(340px,1fr));gap:12px}
.pictures{display:flex;flex-wrap:wrap;gap:12px}figure{margin:0}figcaption{font-size:12px;color:#555}
figure img{max-width:340px;image-rendering:pixelated;border:1px solid #eee}
.curves img{width:100%;border:1px solid #eee}.note{color:#666;font-size:13px}
"""


def _text(value: Any) -> str:
    return html.escape(str(value))


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Cells are HTML already."""
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in body)
    heads = "".join(f"<th>{cell}</th>" for cell in head)
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _key(run: Run) -> str:
    return f'<span class="key" style="background:{run.colour}"></span>{_text(run.label)}'


def _runs(found: Sequence[Run]) -> str:
    body = [[_key(run), _text(run.name), f"{run.step:,}", _text(run.settings["data"])] for run in found]
    return _table(["run", "experiment", "last step logged", "data"], body)


def _curves(found: Sequence[Run]) -> str:
    """A picture for each metric that any run has."""
    names = dict.fromkeys(name for run in found for line in run.metrics for name in line if name != "step")
    drawn = []
    for name in names:
        lines = [Curve(run.label, run.colour, _points(run.metrics, name)) for run in found]
        if any(line.points for line in lines):
            drawn.append(_image(curves.png(name, lines), name))
    if not drawn:
        return '<p class="note">No run has logged a metric yet.</p>'
    return f'<div class="curves">{"".join(drawn)}</div>'


def _points(lines: Sequence[dict[str, Any]], name: str) -> list[tuple[float, float]]:
    """Step and value of each line that has a finite one."""
    values = ((line["step"], line.get(name)) for line in lines)
    return [
        (float(step), float(value))
        for step, value in values
        if isinstance(value, int | float) and math.isfinite(value) and math.isfinite(step)
    ]


def _samples(run: Run, num: int) -> str:
    """The run's pictures of each kind: of samples several, from the first step on, of the others the newest."""
    figures, texts = [], []
    for kind in ("samples", "reconstructions", "codes", "code_grid", "retrievals", "styles"):
        paths = sorted((run.folder / kind).glob("step_*.png"))
        count = min(len(paths), num if kind == "samples" else 1)
        first = 0 if count > 1 else len(paths) - 1
        places = np.unique(np.linspace(first, len(paths) - 1, count).astype(int)) if paths else []
        figures += [_figure(paths[place], kind) for place in places]
        texts += [_captions(run.folder / kind)] if paths else []
    shown = "".join(figures) or '<p class="note">This run has drawn no picture yet.</p>'
    return f'<h3>{_key(run)}</h3><div class="pictures">{shown}</div>{"".join(texts)}'


def _captions(folder: pathlib.Path) -> str:
    """What the rows of the pictures in a folder are of, where the run keeps it."""
    lines = "".join(f"<li>{_text(caption or EMPTY)}</li>" for caption in captioned.read(folder))
    return f'<p class="note">captions of the rows of {folder.name}, from the top</p><ol>{lines}</ol>' if lines else ""


def _figure(path: pathlib.Path, kind: str) -> str:
    said = f"{kind}, step {int(path.stem.removeprefix('step_')):,}"
    return f"<figure>{_image(path.read_bytes(), said)}<figcaption>{said}</figcaption></figure>"


def _image(png: bytes, said: str) -> str:
    return f'<img alt="{_text(said)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _evaluations(found: Sequence[Run]) -> str:
    """Every metric of every run in one table, each beside its own held-out value."""
    from experiments.evaluation import table

    notes = [
        f'<p class="note">{_text(run.label)} has not been evaluated: '
        f"<code>python -m experiments.evaluate {_text(run.folder)}</code></p>"
        for run in found
        if run.evaluation is None
    ]
    judged = [run for run in found if run.evaluation is not None]
    notes += [_about(run) for run in judged]
    keys = dict.fromkeys(table.place(row) for run in judged for row in _rows(run))
    if not keys:
        return "".join(notes)
    head = ["metric", "extractor", *(part for run in judged for part in (_key(run), "real, held out", "number"))]
    body = []
    for key in keys:
        cells: list[str] = []
        for run in judged:
            row = next((row for row in _rows(run) if table.place(row) == key), None)
            cells += _cells(row)
        body.append([_text(key[0]), _text(key[1]), *cells])
    note = f'<p class="note">{_text(table.EXPLAINED)}</p>'
    return "".join([_table(head, body), note, *notes, *map(_over_seeds, _alike(judged))])


def _alike(found: Sequence[Run]) -> list[list[Run]]:
    """Runs that differ in their seed and their folder alone, two or more together."""
    groups: dict[str, list[Run]] = {}
    for run in found:
        same = {name: value for name, value in run.settings.items() if name not in ("seed", "out")}
        groups.setdefault(json.dumps([run.name, same], sort_keys=True), []).append(run)
    return [group for group in groups.values() if len(group) > 1]


def _over_seeds(group: Sequence[Run]) -> str:
    """What the runs of one experiment have in common, and how far they are apart."""
    from experiments.evaluation import spread

    seeds = ", ".join(str(run.settings["seed"]) for run in group)
    found = spread.of([run.evaluation for run in group if run.evaluation])
    body = [[*map(_text, (one.metric, one.extractor, one))] for one in found]
    title = _text(f"{group[0].name} over the seeds {seeds}")
    return f"<h3>{title}</h3>{_table(['metric', 'extractor', 'mean [lowest, highest]'], body)}"


def _rows(run: Run) -> list[dict[str, Any]]:
    return run.evaluation["rows"] if run.evaluation else []


def _cells(row: dict[str, Any] | None) -> list[str]:
    """Samples, held-out ones and their number."""
    from experiments.evaluation import table

    if row is None:
        return ["not asked for", "", ""]
    if "reason" in row:
        return [_text(row["reason"]), "", ""]
    values = [row.get(name, {}) for name in ("samples", "real")]
    cells = [_text(cell.get("reason") or table.shown(cell)) for cell in values]
    if (accuracy := row.get("classifier_accuracy")) is not None:
        cells[0] += f" <span class='note'>(classifier {accuracy:.1%} right)</span>"
    return [*cells, _text(table.numbers(row))]


def _about(run: Run) -> str:
    one: Any = run.evaluation
    facts = [
        f"step {one['step']:,}, seed {one['seed']}, {one['num_samples']:,} samples, data {one['data']}",
        *one["extractors"],
    ]
    return f'<p class="note">{_text(run.label)}: {_text("; ".join(facts))}</p>'


def _history(found: Sequence[Run]) -> str:
    """From which step on which settings were others; the table of settings has the latest."""
    body = [
        [_key(run), f"from step {step:,} on", "<br>".join(map(_text, changes))]
        for run in found
        for step, changes in run.history
    ]
    return _table(["run", "updates", "settings that changed"], body)


def _settings(found: Sequence[Run]) -> str:
    """What differs between the runs, and all settings of each, folded up."""
    names = dict.fromkeys(name for run in found for name in run.settings)
    differing = [name for name in names if len({json.dumps(run.settings.get(name)) for run in found}) > 1]
    parts = []
    if differing:
        body = [[_text(name), *(_text(run.settings.get(name, "-")) for run in found)] for name in differing]
        parts.append(_table(["setting that differs", *map(_key, found)], body))
    elif len(found) > 1:
        parts.append('<p class="note">All settings are the same.</p>')
    for run in found:
        body = [[_text(name), _text(value)] for name, value in run.settings.items()]
        inner = _table(["setting", "value"], body)
        parts.append(f"<details><summary>All settings of {_key(run)}</summary>{inner}</details>")
    return "".join(parts)
