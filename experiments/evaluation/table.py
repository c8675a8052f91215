"""An evaluation as a person reads it: a table, and what is not in it with the reasons."""

from collections.abc import Sequence
from typing import Any

from experiments.evaluation import baselines, codes
from experiments.models import samplers

AIMS = {"lower": " (low)", "higher": " (high)", "half": " (1/2)", "real": " (as real)"}
"""What a metric should be."""

EXPLAINED = (
    "In brackets: what is best (low, high, 1/2, or the value of real examples), and intervals of 95 %. "
    "Number: samples / held-out examples : training examples that they are compared with."
)
"""What a reader of the table needs."""

SHARES = {"turn": "in turn, each as often as the others", "data": "as often as the training data have them"}
"""How often samples are of each class."""

NO_DIFFERENCE = "no difference shown"
"""Of two runs whose intervals are not apart."""

MOST_CLASSES = 20
"""Whose shares are printed."""


def place(row: dict[str, Any]) -> tuple[str, str]:
    """Metric, with what is best, and extractor: what rows of several runs are matched by."""
    return row["name"] + AIMS.get(row.get("better", ""), ""), str(row.get("extractor") or "-")


def aligned(body: Sequence[Sequence[str]]) -> list[str]:
    """Lines of words, those of a column under each other."""
    widths = [max(map(len, column)) for column in zip(*body, strict=True)]
    return ["  ".join(f"{word:<{width}}" for word, width in zip(line, widths, strict=True)).rstrip() for line in body]


def lines(found: dict[str, Any]) -> list[str]:
    """What a person reads of an evaluation."""
    kind = found["kind"]
    judged = found.get("judged", "samples")
    text = [
        f"{found['experiment']} at step {found['step']:,}, seed {found['seed']}: {found['num_samples']:,} {judged}",
        f"reference: {found['num_train']:,} training {kind} of {found['data']}; "
        f"beside them {found['num_test']:,} held-out {kind}",
    ]
    if "against" in found:
        other = found["against"]
        text.append(f"against {other['experiment']} in {other['folder']} at step {other['step']:,}")
    text += found["extractors"]
    if found.get("sample_classes"):
        text.append(f"classes of the samples: {SHARES[found['sample_classes']]} (--classes)")
    text += [f"{name}: {found[name]}" for name in samplers.FIELDS if name in found]
    text += ["", *_table(found), "", EXPLAINED]
    text += [f"not computed: {row['name']}: {row['reason']}" for row in found["rows"] if "reason" in row]
    text += _reasons(found)
    text += found.get("warnings", [])
    if found["class_shares"]:
        text += _shares(found)
    if found["codes"]:
        text += ["", *codes.lines(found["codes"], tuple(found["classes"]))]
    return text


def columns(found: dict[str, Any]) -> dict[str, str]:
    """The sets of an evaluation, and what a person calls them."""
    beside = {name: title for name, title in baselines.TITLES.items() if any(name in row for row in found["rows"])}
    if "judged" not in found:
        beside["real"] = "real, held out"
    if "against" not in found:
        return {"samples": "the run" if "judged" in found else "samples"} | beside
    names = found["experiment"], found["against"]["experiment"]
    one, other = names if len(set(names)) > 1 else ("samples", "against")
    return {"samples": one, "against": other} | beside


def _table(found: dict[str, Any]) -> list[str]:
    named = columns(found)
    head = ["metric", "extractor", "resize", "number", *(f"{title} [95 %]" for title in named.values())]
    body = []
    for row in found["rows"]:
        if "reason" not in row:
            cells = [shown(row.get(name, {})) for name in named]
            body.append([row["name"] + AIMS[row["better"]], extracted(row), row["resize"] or "", numbers(row), *cells])
    if "against" in found:
        head.append("better")
        preferred = [named.get(row["preferred"], NO_DIFFERENCE) for row in found["rows"] if "reason" not in row]
        body = [[*line, word] for line, word in zip(body, preferred, strict=True)]
    return aligned([head, *body])


def extracted(row: dict[str, Any]) -> str:
    """The extractor, with the classifier's accuracy."""
    accuracy = row.get("classifier_accuracy")
    name = row["extractor"] or "-"
    return name if accuracy is None else f"{name} ({accuracy:.1%} right)"


def numbers(row: dict[str, Any]) -> str:
    """How many examples each set had, and the reference."""
    nums = [f"{row[name]['num']:,}" for name in ("samples", "real") if row.get(name, {}).get("num")]
    return " / ".join(nums) + (f" : {row['num_reference']:,}" if row["num_reference"] else "")


def shown(cell: dict[str, Any]) -> str:
    """A value and its interval."""
    if cell.get("value") is None:
        return "-"
    if cell.get("low") is None:
        return f"{cell['value']:.4g}"
    return f"{cell['value']:.4g} [{cell['low']:.4g}, {cell['high']:.4g}]"


def _reasons(found: dict[str, Any]) -> list[str]:
    """Why single values are missing."""
    titles = columns(found)
    return [
        f"not computed: {row['name']} of {titles[name]}: {row[name]['reason']}"
        for row in found["rows"]
        if "reason" not in row
        for name in titles
        if "reason" in row.get(name, {})
    ]


def _shares(found: dict[str, Any]) -> list[str]:
    """Classes as the classifier sees them, the first of them."""
    classes = found["classes"][:MOST_CLASSES]
    width = max(5, *(len(name) for name in classes))
    text = [f"{'share of each class':<20} " + " ".join(f"{name:>{width}}" for name in classes)]
    for name, shares in found["class_shares"].items():
        text.append(f"{name:<20} " + " ".join(f"{share:>{width}.3f}" for share in shares[:MOST_CLASSES]))
    if len(found["classes"]) > MOST_CLASSES:
        text.append(f"and {len(found['classes']) - MOST_CLASSES} more classes in evaluation.json")
    return text
