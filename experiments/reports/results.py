"""The pages of results, one for each family of models, from the records of runs."""

import pathlib
from collections.abc import Sequence
from typing import Any

from experiments.evaluation import baselines, sweeping
from experiments.evaluation.table import AIMS, columns, shown
from experiments.models import samplers
from experiments.reports import learning
from experiments.reports.records import without_sources

Record = dict[str, Any]

WRITTEN = "<!-- Written by `python -m experiments.results` from the files in runs/: change those, not this page. -->"

FAMILIES = {
    "autoencoders": "Autoencoders",
    "gans": "Generative adversarial networks",
    "translation": "Images to images",
    "diffusion": "Diffusion models",
}
"""Titles of the families that have one."""

CURVES = "curves"
"""Folder of the learning curves, within that of the pictures."""

EARLIER = "earlier.md"
"""A page that no command writes, beside the others."""

HEADLINES = ("pixel_accuracy", "psnr_y", "l1", "confidence", "modes", "frechet")
"""Metrics of the overview, where a run has them."""


def pages(records: Sequence[Record], figures: pathlib.Path) -> dict[str, str]:
    """File names to texts: one page for each family, and index.md. Pictures are those of `figures` that are there."""
    families = sorted({_family(one) for one in records})
    of = {family: [one for one in records if _family(one) == family] for family in families}
    found = {f"{family}.md": _page(family, runs, figures) for family, runs in of.items()}
    index = _index(records, families)
    if (figures.parent / "results" / EARLIER).is_file():
        said = "were measured by commands given by hand; these pages take their place, experiment by experiment."
        index += f"\n[Numbers of version 0.1.0]({EARLIER}) {said}\n"
    return found | {"index.md": index}


def with_curves(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Names of pictures of learning curves, and the runs that each shows: those that differ in their seed alone."""
    groups = [(_anchor(runs[0], command), runs) for command, runs in _groups(records)]
    return {f"{name}.png": runs for name, runs in groups if learning.drawable(runs)}


def with_sweeps(records: Sequence[Record]) -> dict[str, Record]:
    """Names of pictures of sweeps, and the record that each shows: the first of its command that has one."""
    groups = [
        (_anchor(runs[0], command), [one for one in runs if "sweep" in one]) for command, runs in _groups(records)
    ]
    return {f"{name}-sweep.png": swept[0] for name, swept in groups if swept}


def links(records: Sequence[Record]) -> dict[str, str]:
    """Where the results of runs stand, `PAGE.md#HEADING`, and the module of the model of each."""
    groups = _groups(records)
    return {f"{_family(runs[0])}.md#{_anchor(runs[0], command)}": runs[0]["model"] for command, runs in groups}


def _family(record: Record) -> str:
    return record["model"].split(".")[1]


def _title(family: str) -> str:
    return FAMILIES.get(family, family.replace("_", " ").capitalize())


def _index(records: Sequence[Record], families: Sequence[str]) -> str:
    lines = [WRITTEN, "", "# Results", ""]
    lines += [
        "What the experiments gave, as they stand in the repository: each number is of the last step of a run that one",
        "command trains, beside the same number of real examples that were held out, with an interval of 95 %. The",
        "files in `runs/` hold all that is known of a run: settings, versions, hardware, commit, evaluation.",
        "`python -m experiments.results --add RUN` adds a run of yours.",
        "",
    ]
    for family in families:
        lines += [f"## [{_title(family)}]({family}.md)", "", *_overview(records, family), ""]
    return "\n".join(lines).rstrip() + "\n"


def _overview(records: Sequence[Record], family: str) -> list[str]:
    body = []
    for command, runs in _groups([one for one in records if _family(one) == family]):
        first = runs[0]
        minutes = " / ".join(f"{one['minutes']:.1f}" for one in runs)
        seeds = ", ".join(str(one["seed"]) for one in runs)
        body.append(
            [_link(family, first, command), first["data"], f"{first['steps']:,}", seeds, minutes, _headline(runs)]
        )
    return _table(["experiment", "data", "updates", "seeds", "minutes", "result"], body)


def _headline(runs: Sequence[Record]) -> str:
    """The first metric of the headlines that the runs have, one value a seed, beside the real one or baselines."""
    rows = {row["metric"]: row for row in _rows(runs[0])}
    for name in HEADLINES:
        if name in rows and rows[name].get("samples", {}).get("value") is not None:
            values = [_value(_row(one, rows[name])["samples"]) for one in runs]
            beside = ({"real": "held out"} | baselines.TITLES).items()
            known = [f"{title} {_value(rows[name][one])}" for one, title in beside if _has(rows[name], one)]
            return f"{rows[name]['name']} {' / '.join(values)}" + (f" ({', '.join(known)})" if known else "")
    if "likelihood" in runs[0]:
        title, name = ("-ELBO", "negative_elbo") if "negative_elbo" in runs[0]["likelihood"] else ("-log p(x)", "nll")
        return f"{title} " + " / ".join(f"{one['likelihood'][name]['mean']:.2f}" for one in runs) + " nats"
    return ""


def _has(row: dict[str, Any], name: str) -> bool:
    return row.get(name, {}).get("value") is not None


def _value(cell: dict[str, Any]) -> str:
    return "-" if cell.get("value") is None else f"{cell['value']:.4g}"


def _link(family: str, record: Record, command: str) -> str:
    return f"[`{record['experiment']}`]({family}.md#{_anchor(record, command)})"


def _anchor(record: Record, command: str) -> str:
    """As GitHub and MkDocs make them of headings."""
    return _heading(record, command).replace("`", "").lower().replace(" ", "-")


def _heading(record: Record, command: str) -> str:
    options = [word for word in without_sources(command).split(" --")[1:] if not word.startswith("seed ")]
    return f"`{record['experiment']}`" + "".join(f" {option.replace('.', '-')}" for option in options)


def _groups(records: Sequence[Record]) -> list[tuple[str, list[Record]]]:
    """Runs that differ in their seed alone, in order of seed, by their command without it."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for one in sorted(records, key=lambda one: one["seed"]):
        command = one["command"].replace(f" --seed {one['seed']}", "")
        groups.setdefault((one["experiment"], command), []).append(one)
    return [(command, groups[name, command]) for name, command in sorted(groups)]


def _page(family: str, records: Sequence[Record], figures: pathlib.Path) -> str:
    lines = [WRITTEN, "", f"# Results: {_title(family)}", ""]
    metrics = "[metrics.md](../metrics.md) says what each metric is"
    lines += [f"The last step of each run, not its best. Intervals of 95 %; {metrics}.", ""]
    for command, runs in _groups(records):
        lines += _section(command, runs, figures)
    return "\n".join(lines).rstrip() + "\n"


def _section(command: str, runs: Sequence[Record], figures: pathlib.Path) -> list[str]:
    first = runs[0]
    name = first["experiment"]
    lines = [f"## {_heading(first, command)}", ""]
    if (figures / f"{name}.png").is_file() and without_sources(command).endswith(name):
        lines += [f"![Samples of {name}](../figures/{name}.png)", ""]
    lines += ["```sh", command, "```", ""]
    lines += [_facts(runs), ""]
    lines += _evaluated(runs)
    lines += _codes(runs)
    lines += _likelihoods(runs)
    lines += _swept(runs, f"../figures/{CURVES}/{_anchor(first, command)}")
    if learning.drawable(runs):
        title = f"Learning curves of {name}"
        lines += [f"![{title}](../figures/{CURVES}/{_anchor(first, command)}.png)", ""]
    return lines


def _facts(runs: Sequence[Record]) -> str:
    first, seeds = runs[0], " and ".join(str(one["seed"]) for one in runs)
    minutes = ", ".join(format(one["minutes"], ".1f") for one in runs)
    machines = "; ".join(dict.fromkeys(_machine(one) for one in runs))
    notes = "".join(dict.fromkeys(f" {one['note']}" for one in runs if "note" in one))
    return (
        f"{first['data']}, {first['steps']:,} updates, batches of {first['batch_size']:,}; seed {seeds}. "
        f"Minutes of updates: {minutes}. {machines}.{notes}"
    )


def _machine(record: Record) -> str:
    session = record["sessions"][-1]
    devices = f"{len(session['devices'])} x {session['devices'][0].partition(':')[0]}"
    where = f"{session.get('processor') or session['platform']}, {session['platform'].rpartition(', ')[2]}, {devices}"
    commit = f", commit {session['commit']}" if session.get("commit") else ""
    return f"{where}, jax {session['versions']['jax']}{commit}"


def _rows(record: Record) -> list[dict[str, Any]]:
    return [row for row in record.get("evaluation", {}).get("rows", ()) if "reason" not in row]


def _row(record: Record, like: dict[str, Any]) -> dict[str, Any]:
    """The row of the same metric and extractor; an empty one where the run has none."""
    for row in _rows(record):
        if (row["metric"], row["extractor"], row["name"]) == (like["metric"], like["extractor"], like["name"]):
            return row
    return {"samples": {}, "real": {}}


def _evaluated(runs: Sequence[Record]) -> list[str]:
    evaluated = [one for one in runs if _rows(one)]
    if not evaluated:
        return []
    beside = columns(evaluated[0]["evaluation"])
    del beside["samples"]
    head = ["metric", "extractor", *(f"samples, seed {one['seed']}" for one in evaluated), *beside.values()]
    body = []
    for row in _rows(evaluated[0]):
        cells = [shown(_row(one, row)["samples"]) for one in evaluated]
        cells += [shown(row.get(name, {})) for name in beside]
        if any(cell != "-" for cell in cells):
            body.append([row["name"] + AIMS[row["better"]], row["extractor"] or "-", *cells])
    first = evaluated[0]["evaluation"]
    accuracy = first.get("classifier_accuracy")
    judge = "" if accuracy is None else f" The classifier is right on {accuracy:.1%} of the held-out examples."
    nums = (
        f"{first['num_samples']:,} samples, {first['num_test']:,} held-out and {first['num_train']:,} training examples"
    )
    return [*_table(head, body), "", f"{nums}.{judge}", ""]


def _codes(runs: Sequence[Record]) -> list[str]:
    """What the first categorical code stands for, of each run that has one."""
    named = [(one, one["evaluation"]["codes"][0]) for one in runs if one.get("evaluation", {}).get("codes")]
    if not named:
        return []
    body = []
    for one, found in named:
        classes = one["evaluation"]["classes"]
        names = ", ".join(classes[best] for best in found["names"].values())
        body.append([str(one["seed"]), f"{found['purity']:.1%}", f"{found['one_to_one']:.1%}", names])
    head = [
        "seed",
        "of the class that is the best for their code",
        "with no class for two codes",
        "best class of each code",
    ]
    note = f"{named[0][1]['num']:,} held-out images, whose code Q names."
    return [*_table(head, body), "", note, ""]


def _likelihoods(runs: Sequence[Record]) -> list[str]:
    measured = [one for one in runs if "likelihood" in one]
    if not measured:
        return []
    first = measured[0]["likelihood"]
    if "num_latents" in first:
        names = {
            "negative_elbo": "negative ELBO",
            "reconstruction": "reconstruction, -E[log p(x\\|z)]",
            "kl": "divergence",
            "nll": f"-log p(x), {first['num_latents']:,} weights",
        }
    else:
        names = {name: row["said"].replace("|", "\\|") for name, row in first.items() if isinstance(row, dict)}
    head = ["nats an image", *(f"seed {one['seed']}" for one in measured)]
    body = []
    for name, title in names.items():
        cells = [one["likelihood"][name] for one in measured]
        body.append([title, *(f"{cell['mean']:.2f} ± {cell['standard_error']:.2f}" for cell in cells)])
    if "active_latents" in first:
        active = (f"{one['likelihood']['active_latents']} of {first['latents']}" for one in measured)
        body.append(["active latents", *active])
    note = f"{first['num_images']:,} held-out images; {first['protocol']}. Standard errors over images."
    return [*_table(head, body), "", note, ""]


def _swept(runs: Sequence[Record], picture: str) -> list[str]:
    """The first seed that was drawn in many ways."""
    swept = [one for one in runs if "sweep" in one]
    if not swept:
        return []
    first = swept[0]["sweep"]
    settings = ", ".join(f"{name} `{first[name]}`" for name in samplers.FIELDS if name in first)
    note = f"Seed {swept[0]['seed']}, {first['num_samples']:,} samples for each line; what is not named is {settings}."
    return [
        note,
        "",
        *_table(*sweeping.table(first)),
        "",
        f"![Metrics of each way of drawing]({picture}-sweep.png)",
        "",
    ]


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body)]
