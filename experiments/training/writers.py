"""Where metrics and pictures go besides the run's folder: TensorBoard, Weights & Biases."""

import pathlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np

from experiments.command_line.errors import UserError
from experiments.runs import run_folder, settings
from experiments.runs.experiment import Experiment


class Sink(NamedTuple):
    """Takes what a run tells of itself."""

    metrics: Callable[[int, dict[str, float]], None]  # of a step
    picture: Callable[[int, str, np.ndarray], None]  # of a step, its kind, and (height, width, 3) uint8


def open_all(experiment: Experiment, folder: pathlib.Path, name: str, step: int, opened: ExitStack) -> list[Sink]:
    """Those that an experiment asks for; to be closed with `opened`."""
    sinks = []
    for place in experiment.log:
        sink = tensorboard(folder / "tensorboard", step) if place == "tensorboard" else wandb(folder, name, experiment)
        sinks.append(opened.enter_context(sink))
    return sinks


@contextmanager
def tensorboard(folder: pathlib.Path, start: int) -> Iterator[Sink]:
    """Event files in `folder`, through tensorboardX; what earlier ones hold of steps after `start` is hidden."""
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(folder), flush_secs=10, purge_step=start + 1) as events:

        def metrics(step: int, values: dict[str, float]) -> None:
            for name, value in values.items():
                events.add_scalar(name, value, step)

        yield Sink(metrics, lambda step, kind, picture: events.add_image(kind, picture, step, dataformats="HWC"))


@contextmanager
def wandb(folder: pathlib.Path, name: str, experiment: Experiment) -> Iterator[Sink]:
    """The run at Weights & Biases that has the id of the run in `folder`; its files are there too.

    Nothing is deleted there. What is done again after a kill is not sent again, as it is what is there already; after a
    change of the settings it is sent, and stands there beside what it takes the place of.
    """
    import wandb as weights_and_biases  # pyright: ignore[reportMissingImports]

    record, options = run_folder.read_config(folder), experiment.wandb
    where = {"project": options.project, "entity": options.entity, "name": options.name or name, "mode": options.mode}
    same = {"id": record["run"], "resume": "allow", "allow_val_change": True}  # of --steps for one
    try:
        run = weights_and_biases.init(**where, **same, dir=str(folder), config=settings.to_json(experiment))
    except weights_and_biases.Error as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"--log wandb cannot begin: {reason}; --wandb.mode offline needs no server") from error
    with run:
        run.define_metric("*", step_metric="step")
        sent = _last_step(run) if "changed" not in record["sessions"][-1] else -1

        def send(step: int, values: dict[str, Any]) -> None:
            if step > sent:
                run.log({"step": step, **values})

        yield Sink(send, lambda step, kind, picture: send(step, {kind: weights_and_biases.Image(picture)}))


def _last_step(run: Any) -> float:
    """The last step of which an earlier session has sent something; -1 for none."""
    last = run.summary.get("step")
    return last if isinstance(last, int | float) else -1
