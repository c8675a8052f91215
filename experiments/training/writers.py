"""Where metrics go besides metrics.jsonl: TensorBoard, Weights & Biases."""

import pathlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from experiments.runs import settings
from experiments.runs.experiment import Experiment

Writer = Callable[[int, dict[str, float]], None]
"""Takes a step and its metrics."""


def open_all(experiment: Experiment, folder: pathlib.Path, name: str, step: int, opened: ExitStack) -> list[Writer]:
    """Those that an experiment asks for; to be closed with `opened`."""
    writers = []
    for place in experiment.log:
        if place == "tensorboard":
            writer = tensorboard(folder / "tensorboard", step)
        else:
            writer = wandb(folder, name, settings.to_json(experiment))
        writers.append(opened.enter_context(writer))
    return writers


@contextmanager
def tensorboard(folder: pathlib.Path, start: int) -> Iterator[Writer]:
    """Event files in `folder`, through tensorboardX; what earlier ones hold of steps after `start` is hidden."""
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(folder), flush_secs=10, purge_step=start + 1) as events:

        def write(step: int, metrics: dict[str, float]) -> None:
            for name, value in metrics.items():
                events.add_scalar(name, value, step)

        yield write


@contextmanager
def wandb(folder: pathlib.Path, name: str, settings: Any) -> Iterator[Writer]:
    """A run at Weights & Biases, its files in `folder`."""
    import wandb as weights_and_biases  # pyright: ignore[reportMissingImports]

    with weights_and_biases.init(project="jaxgen", name=name, dir=str(folder), config=settings) as run:
        yield lambda step, metrics: run.log(metrics, step=step)
