"""What is kept of a run for the pages of results: one small JSON file, without anything of the machine's folders."""

import json
import pathlib
import re
from typing import Any

from experiments.command_line.errors import UserError
from experiments.data.request import public_name
from experiments.evaluation import baselines
from experiments.models import samplers
from experiments.reports import learning, reading
from experiments.runs import files, run_folder, settings
from experiments.runs.experiment import load

FORMAT = 1

PLACES = {"data_dir", "out", "init_from", "compilation_cache", "coordinator", "wandb"}
"""Settings that name places of one machine."""

KEPT = (
    *("metric", "name", "extractor", "resize", "better", "interval", "num_reference", "samples", "real", "reason"),
    *baselines.TITLES,
)
"""Of a row of an evaluation."""

SWEPT = ("num_samples", "seed", *samplers.FIELDS, "metrics", "points", "real")
"""Of a sweep."""


def record(folder: pathlib.Path) -> dict[str, Any]:
    """What the run in a folder was, how long it took and how good its samples are.

    UserError for a run that has not reached its last step, or whose evaluation is of another step.
    """
    (run,) = reading.read([folder])
    config = run_folder.read_config(folder)
    wanted = run.settings["steps"]
    if run.step < wanted:
        raise UserError(f"{folder} is at step {run.step:,} of {wanted:,}; train it to its end first")
    found = {
        "format": FORMAT,
        "experiment": run.name,
        "model": run.settings["model.type"].partition(":")[0],
        "seed": run.settings["seed"],
        "data": public_name(run.settings["data"]),
        "steps": run.step,
        "batch_size": run.settings["batch_size"],
        "minutes": round(_seconds(run.metrics) / 60, 2),
        "command": command(run.name, folder),
        "sessions": [_session(one) for one in config["sessions"]],
        "metrics": {name: value for name, value in run.metrics[-1].items() if name != "step"},
        "settings": {name: _public(name, value) for name, value in config["settings"].items() if name not in PLACES},
        "curves": learning.kept(run.metrics),
    }
    evaluation, likelihood, sweep = run.evaluation, _json(folder / "likelihood.json"), _json(folder / "sweep.json")
    for name, one in (("evaluation", evaluation), ("likelihood", likelihood), ("sweep", sweep)):
        if one is not None and one["step"] != run.step:
            raise UserError(
                f"{folder / name}.json is of step {one['step']:,}, not of the last, {run.step:,}; make it anew"
            )
    if evaluation is not None:
        found["evaluation"] = _evaluation(evaluation)
    if likelihood is not None:
        found["likelihood"] = likelihood
    if sweep is not None:
        found["sweep"] = {name: sweep[name] for name in SWEPT if name in sweep}
    return found


def command(name: str, folder: pathlib.Path) -> str:
    """The command that gives a run's settings, but for places and for how often it shows itself."""
    _, experiment = run_folder.read(folder)
    before, now = (reading.flat(settings.to_json(one)) for one in (load(name), experiment))
    named = {path: value for path, value in now.items() if before.get(path) != value}
    free = PLACES | set(run_folder.FREE) - {"steps"}
    options = []
    for path, value in sorted(named.items()):
        head = path.partition(".")[0]
        if head in free or (head == "model" and path.endswith(("image_shape", "type"))):
            continue
        options.append(f"--{path.replace('_', '-')} {_shown(_public(path, value))}")
    return " ".join(["python -m experiments.train", name, *options])


def _public(path: str, value: Any) -> Any:
    """A setting without the folders of one machine."""
    match path:
        case "data":
            return public_name(value)
        case "pretrained":
            return [f"{one.partition('=')[0]}=SOURCE" for one in value]
    return value


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _seconds(metrics: list[dict[str, Any]]) -> float:
    """Of the updates, as the lines of the log say."""
    steps = [0, *(line["step"] for line in metrics)]
    return sum((line["step"] - before) / line["steps_per_s"] for line, before in zip(metrics, steps, strict=False))


def _session(session: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "from_step",
        "changed",
        "time",
        "commit",
        "python",
        "versions",
        "devices",
        "processes",
        "platform",
        "processor",
    )
    return {name: session[name] for name in kept if name in session}


def _evaluation(found: dict[str, Any]) -> dict[str, Any]:
    kept = ("num_samples", "num_train", "num_test", "kind", "seed", "sample_classes", "classifier_accuracy", "level")
    kept += samplers.FIELDS  # where the model has settings of these names
    kept += ("classes", "codes") if found.get("codes") else ()
    rows = [{name: row[name] for name in KEPT if name in row} for row in found["rows"]]
    return {name: found[name] for name in kept if name in found} | {"rows": rows}


def _json(path: pathlib.Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def write(found: dict[str, Any], records: pathlib.Path) -> pathlib.Path:
    """Write `records/EXPERIMENT_sSEED.json`, in place of an earlier record of the same command.

    Other settings than the experiment's have a number behind the seed.
    """
    stem = f"{found['experiment']}_s{found['seed']}"
    taken = {path.name: one["command"] for path, one in read(records)}
    names = [f"{stem}.json", *(f"{stem}_{number}.json" for number in range(1, len(taken) + 2))]
    free = names if is_published(found) else names[1:]
    name = next(name for name in free if taken.get(name, found["command"]) == found["command"])
    records.mkdir(parents=True, exist_ok=True)
    files.write(records / name, _text(found))
    return records / name


def _text(found: dict[str, Any]) -> str:
    """JSON with a line for each value, but one for a list of numbers."""
    text = json.dumps(found, indent=1, ensure_ascii=False)
    numbers = r"\[\n\s*(?:(?:null|[-+.\deE]+),?\n\s*)+\]"
    return (
        re.sub(numbers, lambda lines: re.sub(r"\s+", " ", lines[0]).replace("[ ", "[").replace(" ]", "]"), text) + "\n"
    )


def is_published(found: dict[str, Any]) -> bool:
    """Whether a record is of an experiment as it stands: with no other settings than the seed and frozen parts."""
    return without_sources(found["command"]) == _as_published(found)


def without_sources(command: str) -> str:
    """A command but for where its frozen parts are from: an experiment that has any is meant to be given them."""
    return re.sub(r" --pretrained(?: \S+=SOURCE)+", "", command)


def _as_published(found: dict[str, Any]) -> str:
    seed = f" --seed {found['seed']}" if f" --seed {found['seed']}" in found["command"] else ""
    return f"python -m experiments.train {found['experiment']}{seed}"


def picture(folder: pathlib.Path) -> pathlib.Path | None:
    """The newest picture of a run's samples, None where there is none."""
    return max((folder / "samples").glob("step_*.png"), default=None)


def read(records: pathlib.Path) -> list[tuple[pathlib.Path, dict[str, Any]]]:
    """All records of a folder with their files, in order of their names. UserError for a file that is none."""
    found = []
    for path in sorted(records.glob("*.json")):
        try:
            one = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{path} is not JSON ({error}); write it anew with --add RUN") from error
        if not isinstance(one, dict) or one.get("format") != FORMAT:
            raise UserError(f"{path} is no record of a run of this version; write it anew with --add RUN")
        found.append((path, one))
    return found
