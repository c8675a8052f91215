"""The two collapses of a model that is told classes: it ignores the class, or all but the class."""

from collections.abc import Sequence
from typing import Any

ALIKE = 0.25
"""Variety within classes, as a share of that of real examples, below which samples of a class count as alike."""


def warnings(rows: Sequence[dict[str, Any]], num_classes: int) -> list[str]:
    """A sentence for each collapse that the rows of an evaluation show."""
    found = []
    for row in rows:
        asked, real = (row.get(name, {}).get("value") for name in ("samples", "real"))
        if asked is None:
            continue
        if row["metric"] == "as_asked" and real is not None and asked < (real + 1 / num_classes) / 2:
            found.append(
                f"warning: the class that was asked for is found in {asked:.1%} of the samples "
                f"({real:.1%} of real ones, {1 / num_classes:.1%} by chance): "
                "the model ignores its condition, or nearly"
            )
        if row["metric"] == "class_variety" and asked < ALIKE * (1.0 if real is None else real):
            found.append(
                f"warning: samples of a class differ {asked:.2f} times as much as real ones of a class: "
                "the model ignores its latents, or nearly"
            )
    return found
