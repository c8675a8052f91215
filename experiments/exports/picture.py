"""The picture of a model card, drawn by the exported sampler itself: that there is one shows that the file works."""

import pathlib
from typing import Any

import numpy as np
from jax import export

from experiments.command_line import terminal
from experiments.command_line.errors import UserError
from experiments.exports import programs
from experiments.models import abilities, conditions
from experiments.runs.experiment import Experiment
from jaxgen import batches

FILE = "samples.png"

SIDE = 8
"""Rows of the picture, and columns of one without classes."""

MOST_COLUMNS = 16
"""Classes that have a column each."""


def draw(experiment: Experiment, folder: pathlib.Path, seed: int) -> None:
    """Draw samples with the program in `folder`. UserError if there is no picture of them."""
    from experiments import data
    from experiments.pictures import figures, kinds

    program = export.deserialize(bytearray((folder / "sampler.jax").read_bytes()))
    classes = getattr(experiment.model, "num_classes", 0) if abilities.has_classes(experiment.model) else 0
    columns = classes if 1 < classes <= MOST_COLUMNS else SIDE
    num = programs.num_of(program) or columns * SIDE
    samples = np.asarray(program.call(np.uint32(seed), *_rows(experiment, num, classes)))
    if samples.dtype == np.uint8 and samples.shape[-1] in (1, 3):
        figures.save_png(folder / FILE, figures.grid(samples, min(columns, num)))
    elif samples.ndim == 2 and samples.shape[1] >= 2:
        real = data.load_for(experiment)
        figures.save_png(folder / FILE, kinds.points(samples, np.asarray(real.batch(np.arange(min(len(real), num))))))
    else:
        raise UserError(f"data of shape {samples.shape[1:]} cannot be drawn")


def _rows(experiment: Experiment, num: int, classes: int) -> tuple[Any, ...]:
    """What the sampler is given for each sample: classes in turn, or conditions of held-out examples."""
    places = np.arange(num, dtype=np.int32)
    if not conditions.takes_examples(experiment.model):
        return (places % classes if classes else places,)
    from experiments import data
    from experiments.data import held_out

    image_set = held_out.load_for(experiment) or data.load_for(experiment)
    conditions.tell(experiment.model, image_set, terminal.show)
    batch = image_set.batch(places % len(image_set), experiment.model.batch_type)
    if abilities.has_domains(experiment.model):
        return np.asarray(batch.images), conditions.domains_in_turn(experiment.model, places)
    return (np.asarray(batches.condition(batch)),)
