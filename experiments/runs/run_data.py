"""The data of a run: what they were when it began, and where they lie now.

config.json keeps a fingerprint of them. Whoever goes on with the run, or reads its data, compares them: the place of
the data may change, the data may not.
"""

import dataclasses
import json
import pathlib
from dataclasses import dataclass
from typing import Any

from experiments import data, processes
from experiments.command_line import terminal
from experiments.command_line.errors import UserError
from experiments.data import fingerprints
from experiments.data.request import OWN
from experiments.runs import run_folder
from experiments.runs.experiment import Experiment


@dataclass(frozen=True)
class Place:
    """Where the data of a finished run lie now, if elsewhere than in the training."""

    data: str | None = None
    data_dir: pathlib.Path | None = None


HERE = Place()
"""Where they were."""


def placed(experiment: Experiment, place: Place) -> Experiment:
    """The experiment with its data in their new place. UserError for a name of other data."""
    name = place.data or experiment.data
    if name != experiment.data and not run_folder.moved(experiment.data, name):
        scheme = experiment.data.partition(":")[0]
        cure = f"give --data {scheme}:NEW/PLACE" if scheme in OWN else "give --data-dir if they have moved"
        raise UserError(f"--data {name} names other data than the run's, {experiment.data}; {cure}")
    return dataclasses.replace(experiment, data=name, data_dir=place.data_dir or experiment.data_dir)


def require_same(folder: pathlib.Path, experiment: Experiment) -> dict[str, Any]:
    """The fingerprint of the data with which the run in `folder` begins or goes on.

    UserError if they are not those that it began with, or not the same in every process.
    """
    now = data.fingerprint_for(experiment)
    for number, other in enumerate(map(json.loads, processes.gather(json.dumps(now)))):
        if changed := fingerprints.differences(now, other):
            raise UserError(f"the data in process {number} are not those of another one: {'; '.join(changed)}")
    record = run_folder.read_config(folder) if (folder / "config.json").exists() else {}
    before = record.get("data") if record.get("has_checkpoint") else None
    changed = fingerprints.differences(before, now) if before else []
    if changed:
        raise UserError(
            f"{experiment.data} is not what the run in {folder} began with ({'; '.join(changed)}); put the data back, "
            "or choose another --out, or --no-resume to move the run aside and begin anew"
        )
    return now


def check(folder: pathlib.Path, experiment: Experiment) -> None:
    """Compare the data with those that the run in `folder` has trained on.

    A sentence for a person where they have changed. UserError where labels mean other classes, or the data are gone.
    """
    try:
        now = data.fingerprint_for(experiment)
    except UserError as error:
        scheme = experiment.data.partition(":")[0]
        if scheme not in OWN or "--data" in str(error):
            raise
        raise UserError(f"{error}; if the data have moved, give --data {scheme}:NEW/PLACE") from error
    before = run_folder.read_config(folder).get("data")
    changed = fingerprints.differences(before, now) if before else []
    if not changed:
        return
    told = f"{experiment.data} is not what the run in {folder} has trained on ({'; '.join(changed)})"
    if before and fingerprints.other_classes(before, now):
        raise UserError(f"{told}; name the data of the run with --data")
    terminal.show(f"warning: {told}")
