"""What a run says at its beginning and at its end, whatever the end is."""

import pathlib
from typing import Any

import jax

from experiments import processes
from experiments.checkpoints.checkpointer import Checkpointer
from experiments.command_line.errors import FolderError
from experiments.data import card, held_out
from experiments.data.images import ImageSet
from experiments.models import abilities, likelihoods, unread
from experiments.runs import files, settings
from experiments.runs.experiment import Experiment
from jaxgen.optimizers import Optimizer

SEEN = 256
"""Images that a likelihood is judged by."""


def greeting(name: str, folder: pathlib.Path, step: int, end: int, resumed: bool) -> str:
    """The first line: whether the run begins, goes on or is over, and on what."""
    devices = jax.devices()
    where = f"{len(devices)} {devices[0].platform} device{'s' if len(devices) > 1 else ''}"
    if processes.count() > 1:
        where += f" of {processes.count()} processes"
    if step >= end:
        return f"{name} in {folder} has already reached step {step:,}; give a larger --steps to go on"
    if resumed:
        return f"resuming {name} in {folder} at step {step:,} of {end:,}, on {where}"
    return f"training {name} in {folder.resolve()} for {end:,} steps, on {where}; the first ones wait for the compiler"


def changed(step: int, noted: dict[str, Any] | None) -> list[str]:
    """Which settings are others from this step on."""
    return [f"from step {step:,} on: {change}" for change in (noted or {"settings": []})["settings"]]


def about_data(image_set: ImageSet, experiment: Experiment) -> list[str]:
    """The data set's card and what is likely a mistake."""
    config = experiment.model
    images_per_step = experiment.batch_size * config.minibatches
    warnings = card.warnings(image_set, config.batch_type, config.value_range, images_per_step)
    pixels, _ = held_out.spread(image_set, min(SEEN, len(image_set)))
    warnings += [*likelihoods.warnings(config, pixels), *unread.warnings(config, image_set)]
    return card.card(image_set, experiment.images) + [f"warning: {warning}" for warning in warnings]


def kept(checkpointer: Checkpointer) -> str:
    """What is kept of a run that stops, as the end of a sentence."""
    step = checkpointer.newest_step()
    return " before its first checkpoint" if step is None else f"; its checkpoint of step {step:,} is kept"


def diverged(error: Exception, checkpointer: Checkpointer, experiment: Experiment) -> list[str]:
    """What was not finite, what is kept, with which command to go on and what else may help."""
    step = checkpointer.newest_step()
    place = "its beginning" if step is None else f"step {step:,}"
    return [
        f"{error}: the run stops{kept(checkpointer)}",
        f"to go on from {place} with a tenth of the learning rates, give the same command with this at its end:",
        f"  --change {' '.join(lower_rates(experiment))}",
        f"to try too: larger batches, --change --batch-size {2 * experiment.batch_size}; float32 where a network "
        "computes in 16 bits, with --no-resume to move this run aside and begin anew, or with another --out",
    ]


def lower_rates(experiment: Experiment) -> list[str]:
    """Options for a tenth of each learning rate."""
    rates = [
        (f"{path}.learning_rate", one.learning_rate)
        for path, one in settings.of_type(experiment.model, Optimizer, "model")
    ]
    return [f"{settings.option(path)} {rate / 10:.3g}" for path, rate in rates]


def stuck(error: FolderError | OSError, folder: pathlib.Path, checkpointer: Checkpointer) -> FolderError:
    """The error of a run whose folder cannot be written to any more."""
    if isinstance(error, FolderError):
        what = str(error)
    else:
        what = f"cannot read or write {error.filename or folder}: {files.reason(error)}"
    if not folder.is_dir():
        return FolderError(f"{what}: the run stops")
    return FolderError(
        f"{what}: the run stops{kept(checkpointer)}; once that is fixed, the same command goes on from there"
    )


def stopped(step: int) -> str:
    """After a signal."""
    return f"stopped at step {step:,}, saved; the same command goes on from here"


def finished(step: int, blocked_ms: list[float], experiment: Experiment, folder: pathlib.Path) -> list[str]:
    """After the last step; `blocked_ms` is how long each checkpoint has held the run up."""
    more = f"draw more with: python -m experiments.sample {folder} --num 64"
    if not abilities.makes_images(experiment.model):
        more = f"judge it with: python -m experiments.evaluate {folder}"
    return [
        f"finished {step:,} steps; {len(blocked_ms)} checkpoints held it up for {sum(blocked_ms) / 1e3:.2f} s; "
        f"its pictures are in {folder}",
        more,
    ]
