"""What the folders of several runs say: settings, metrics, evaluation."""

import json
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.command_line.errors import UserError
from experiments.pictures import curves
from experiments.runs import history, run_folder, settings


@dataclass(frozen=True)
class Run:
    """What the folder of a run says."""

    folder: pathlib.Path
    label: str  # the folder's name, or all of it where two have the same
    colour: str
    name: str
    settings: dict[str, Any]  # path to value
    metrics: list[dict[str, Any]]  # lines of metrics.jsonl
    evaluation: dict[str, Any] | None
    history: list[tuple[int, list[str]]]  # steps from which settings were others, and which: `path: old -> new`

    @property
    def step(self) -> int:
        """The last that was logged."""
        return int(self.metrics[-1]["step"]) if self.metrics else 0


def read(folders: Sequence[pathlib.Path]) -> list[Run]:
    """What is known of the runs. UserError for a folder that is none, or a file that is damaged."""
    labels = [folder.resolve().name for folder in folders]
    labels = [label if labels.count(label) == 1 else str(folder) for label, folder in zip(labels, folders, strict=True)]
    found = []
    for place, (folder, label) in enumerate(zip(folders, labels, strict=True)):
        name, experiment = run_folder.read(folder)
        values = flat(settings.to_json(experiment))
        evaluation = _evaluation(folder / "evaluation.json")
        changes = history.changes(run_folder.read_config(folder))
        found.append(Run(folder, label, curves.colour(place), name, values, _metrics(folder), evaluation, changes))
    return found


def _metrics(folder: pathlib.Path) -> list[dict[str, Any]]:
    """Lines that are whole; a run in progress may be writing the last one."""
    path = folder / "metrics.jsonl"
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if isinstance(one, dict) and isinstance(one.get("step"), int | float):
            found.append(one)
    return found


def _evaluation(path: pathlib.Path) -> dict[str, Any] | None:
    """None where there is none. UserError for one that this version did not write."""
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found["rows"], list) and found["kind"]:
            return found
    except (ValueError, KeyError, TypeError):
        pass
    raise UserError(f"{path} was not written by this version; run python -m experiments.evaluate {path.parent} again")


def flat(tree: Any, path: str = "") -> dict[str, Any]:
    """Dotted paths to values."""
    if not isinstance(tree, dict):
        return {path: tree}
    found = {}
    for name, value in tree.items():
        found |= flat(value, f"{path}.{name}".lstrip("."))
    return found
