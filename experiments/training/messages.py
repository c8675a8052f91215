"""What a run says at its beginning and at its end, whatever the end is."""

import pathlib

import jax

from experiments import processes
from experiments.checkpoints.checkpointer import Checkpointer
from experiments.command_line.errors import FolderError
from experiments.data import card, held_out
from experiments.data.images import ImageSet
from experiments.models import likelihoods
from experiments.runs import files
from experiments.runs.experiment import Experiment

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
    return f"training {name} in {folder} for {end:,} steps, on {where}"


def about_data(image_set: ImageSet, experiment: Experiment) -> list[str]:
    """The data set's card and what is likely a mistake."""
    config = experiment.model
    images_per_step = experiment.batch_size * config.minibatches
    warnings = card.warnings(image_set, config.batch_type, config.value_range, images_per_step)
    pixels, _ = held_out.spread(image_set, min(SEEN, len(image_set)))
    warnings += likelihoods.warnings(config, pixels)
    return card.card(image_set, experiment.images) + [f"warning: {warning}" for warning in warnings]


def kept(checkpointer: Checkpointer) -> str:
    """What is kept of a run that stops, as the end of a sentence."""
    step = checkpointer.newest_step()
    return " before its first checkpoint" if step is None else f"; its checkpoint of step {step:,} is kept"


def diverged(error: Exception, checkpointer: Checkpointer, batch_size: int) -> list[str]:
    """What was not finite, what is kept and what may help."""
    return [
        f"{error}: the run stops{kept(checkpointer)}",
        "to try, each with --no-resume to move this run aside and begin anew, or with another --out:",
        "  a tenth of the learning rates; float32 where a network computes in 16 bits;",
        f"  larger batches: --batch-size {2 * batch_size}",
    ]


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


def finished(step: int, blocked_ms: list[float], folder: pathlib.Path) -> list[str]:
    """After the last step; `blocked_ms` is how long each checkpoint has held the run up."""
    return [
        f"finished {step:,} steps; {len(blocked_ms)} checkpoints held it up for {sum(blocked_ms) / 1e3:.2f} s; "
        f"its pictures are in {folder}",
        f"draw more with: python -m experiments.sample {folder} --num 64 --out samples.png",
    ]
