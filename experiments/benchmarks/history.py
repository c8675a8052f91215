"""The history of benchmarks: one JSON line for each case that was measured, and on which machine."""

import datetime
import json
import pathlib
from typing import Any


def last(path: pathlib.Path, case: str, machine: dict[str, str], what: str) -> dict[str, Any]:
    """`what` of the newest line of this case on this machine; empty if there is none."""
    if not path.is_file():
        return {}
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    same = [entry for entry in entries if entry["case"] == case and entry["machine"] == machine]
    return same[-1][what] if same else {}


def add(path: pathlib.Path, entry: dict[str, Any]) -> None:
    """Append an entry with the time; makes the folder if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"time": now, **entry}) + "\n")
