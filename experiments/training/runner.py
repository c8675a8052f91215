"""A run from the checks before it to its exit code, and going on where it stopped.

What happens at a step depends on the seed, the settings and the step alone: the key of a step is folded from the run's
key, and its batch is a pure function of (seed, step). So a run that stopped and goes on is the same run.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

from experiments import data, processes
from experiments.command_line import terminal
from experiments.command_line.errors import FolderError, UserError
from experiments.data.images import ImageSet
from experiments.data.tokens import FILE, BytePairs
from experiments.pictures import kinds
from experiments.processes import joining
from experiments.runs import files, restore, run_data, run_folder, tokenizer
from experiments.runs.experiment import Experiment
from experiments.runs.initial import Initial
from experiments.training import checks, compilation, side_by_side
from experiments.training.driving import Driving
from experiments.training.loop import Loop


def train(name: str, experiment: Experiment, folder: pathlib.Path) -> int:
    """Run the experiment in `folder` to its last step, from its newest checkpoint if there is one.

    Returns:
        0 at the end; 128 + signal number after SIGINT, SIGTERM or SIGHUP, everything saved; 1 if a metric was not
        finite.

    Raises:
        UserError: for settings, data or a folder that do not fit, before anything is compiled.
        FolderError: if the folder cannot be written to any more, the last good checkpoint kept.
    """
    checks.check_numbers(experiment)
    compilation.keep(experiment.compilation_cache)
    with joining.joined(experiment):
        return _train(name, experiment, folder)


def train_seeds(name: str, experiment: Experiment, folder: pathlib.Path, seeds: Sequence[int]) -> int:
    """Run the experiment with each of the seeds, side by side, in `folder` with `_sSEED` at its end.

    Each is the run that `train` makes of its seed. Returns and raises as `train`: the first code that is not 0.
    """
    checks.check_seeds(experiment, seeds)
    checks.check_numbers(experiment)
    compilation.keep(experiment.compilation_cache)
    folders = {seed: folder_of(folder, seed) for seed in seeds}
    own = {seed: dataclasses.replace(experiment, seed=seed, out=folders[seed]) for seed in seeds}
    image_set = data.load_for(_with_own_vocabulary(own[seeds[0]], folders[seeds[0]]))
    ready = {seed: _prepared(name, own[seed], folders[seed], image_set) for seed in seeds}
    return side_by_side.together(
        [(f"seed {seed}", functools.partial(_run, name, ready[seed], folders[seed])) for seed in seeds]
    )


def folder_of(folder: pathlib.Path, seed: int) -> pathlib.Path:
    """The folder of one of the runs of `train_seeds`."""
    return folder.with_name(f"{folder.name}_s{seed}")


class _Ready(NamedTuple):
    """A run whose settings, data and folder fit."""

    experiment: Experiment
    image_set: ImageSet
    given: Initial | None  # weights that it begins with


def _train(name: str, experiment: Experiment, folder: pathlib.Path) -> int:
    checks.check_alike(experiment)
    return _run(name, _prepared(name, experiment, folder), folder)


def _prepared(name: str, experiment: Experiment, folder: pathlib.Path, image_set: ImageSet | None = None) -> _Ready:
    """On its data, if they are not given already."""
    experiment = _with_own_vocabulary(experiment, folder)
    image_set = image_set or data.load_for(experiment)
    experiment = checks.fit_to_data(experiment, image_set, name)
    checks.check_batch(experiment)
    checks.check_model(experiment, image_set)
    checks.check_pretrained(experiment, folder)
    checks.check_change(experiment, folder)
    given = checks.initial_of(experiment, folder)
    checks.check_log(experiment)
    kinds.check(experiment)
    return _Ready(experiment, image_set, given)


def _run(name: str, ready: _Ready, folder: pathlib.Path, driving: Driving | None = None) -> int:
    experiment, image_set, given = ready
    aside = None if experiment.resume or not processes.first() else run_folder.move_aside(folder)
    if aside:
        terminal.show(f"moved the earlier run to {aside}")
    with run_folder.locked(folder) if processes.first() else nullcontext() as hold, _named(folder):
        if hold is not None and hold.unlocked:
            terminal.show(
                f"{folder} cannot be locked ({hold.unlocked}), so nothing keeps a second process out: start none in it"
            )
        resumed = _begin(folder, name, experiment)
        if image_set.reader is not None:
            experiment = _keep_vocabulary(experiment, folder, image_set.reader)
        with restore.checkpointer(folder, experiment) as checkpointer:
            return Loop(name, experiment, folder, image_set, checkpointer, hold, driving).run(resumed, given)


def _begin(folder: pathlib.Path, name: str, experiment: Experiment) -> bool:
    """`run_folder.begin` in the first process; the others see that they have come to the same folder."""
    fingerprint = run_data.require_same(folder, experiment)
    resumed = run_folder.begin(folder, name, experiment, fingerprint) if processes.first() else False
    if resumed and processes.first():
        run_folder.record_data(folder, fingerprint)
    resumed = bool(processes.gather("resumed" if resumed else "")[0])
    there = (folder / "config.json").exists()
    found = processes.gather(run_folder.read_config(folder)["run"] if there else "")
    if len(set(found)) > 1:
        raise UserError(f"{folder} is not the same folder in every process; choose an --out that all hosts share")
    return resumed


def _with_own_vocabulary(experiment: Experiment, folder: pathlib.Path) -> Experiment:
    """With that of the run in the folder, where it goes on."""
    if not experiment.resume or not (folder / "config.json").is_file():
        return experiment
    own = tokenizer.kept(folder, run_folder.read_config(folder))
    return experiment if own is None else dataclasses.replace(experiment, tokenizer=own)


def _keep_vocabulary(experiment: Experiment, folder: pathlib.Path, reader: BytePairs) -> Experiment:
    """Keep it with a run that begins; from now on it is read from there."""
    if processes.first() and "tokenizer" not in run_folder.read_config(folder):
        run_folder.record_tokenizer(folder, tokenizer.keep(folder, reader))
    processes.gather("")  # the others read what the first one has written
    return dataclasses.replace(experiment, tokenizer=folder / FILE)


@contextmanager
def _named(folder: pathlib.Path) -> Iterator[None]:
    """An error of the system becomes a FolderError that names the folder."""
    try:
        yield
    except OSError as error:
        file = f" ({error.filename})" if error.filename else ""
        raise FolderError(f"cannot go on in {folder}: {files.reason(error)}{file}") from error
