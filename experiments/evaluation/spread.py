"""Several runs together: the mean, the lowest and the highest value of each metric."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from experiments.evaluation import table


class Spread(NamedTuple):
    """Of one metric over runs."""

    metric: str  # with what is best
    extractor: str
    values: tuple[float, ...]  # of the runs that have it

    def __str__(self) -> str:
        mean = sum(self.values) / len(self.values)
        return f"{mean:.4g} [{min(self.values):.4g}, {max(self.values):.4g}]"


def of(evaluations: Sequence[dict[str, Any]]) -> list[Spread]:
    """Of each metric that two runs or more have, in the order of the first.

    Args:
        evaluations: what evaluation.json holds of each.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for evaluation in evaluations:
        for row in evaluation["rows"]:
            value = row.get("samples", {}).get("value")
            if value is not None:
                found.setdefault(table.place(row), []).append(value)
    return [Spread(*place, tuple(values)) for place, values in found.items() if len(values) > 1]


def lines(evaluations: Sequence[dict[str, Any]]) -> list[str]:
    """What a person reads."""
    body = [
        ("metric", "extractor", "runs", "mean [lowest, highest]"),
        *((one.metric, one.extractor, str(len(one.values)), str(one)) for one in of(evaluations)),
    ]
    return [f"over {len(evaluations)} runs:", *table.aligned(body)]
