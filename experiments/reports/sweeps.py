"""How a sweep stands on a page: a table, and a picture that says of which numbers it is."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from experiments.evaluation import sweeping
from experiments.evaluation.table import AIMS, shown
from experiments.reports import learning


def table(sweep: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Head and body: a line for each way, after that of the held-out examples."""
    metrics, points = sweep["metrics"], sweep["points"]
    names = list(points[0]["settings"])
    head = [*(f"`{name}`" for name in names), "evaluations", *(one["name"] + AIMS[one["better"]] for one in metrics)]
    body = [["real, held out", *[""] * len(names), *(shown(sweep["real"].get(one["name"], {})) for one in metrics)]]
    for point in points:
        cells = [shown(point["values"].get(one["name"], {})) for one in metrics]
        body.append([*point["settings"].values(), str(point["evaluations"] or ""), *cells])
    return head, body


def picture(record: Mapping[str, Any]) -> bytes:
    """A PNG with a panel for each metric."""
    return sweeping.picture(record["sweep"], {learning.DATA: checksum(record)})


def checksum(record: Mapping[str, Any]) -> str:
    """Of the numbers of the sweep."""
    return hashlib.sha256(json.dumps(record["sweep"], sort_keys=True).encode()).hexdigest()
