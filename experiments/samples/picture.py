"""Samples as one picture: a grid, one class a column under its name, or points over real ones."""

import pathlib

import numpy as np

from experiments.models import sampling
from experiments.pictures import by_class, figures, kinds
from experiments.samples.drawing import Drawing

LONGEST_TEXT = 420
"""Pixels of a sentence beside its images, at most."""


def write(path: pathlib.Path, drawn: Drawing, columns: int | None) -> str:
    """Draw and write the picture, `columns` images in a row; what was written, in words."""
    sampling.require_memory("--num", drawn.num, drawn.shape)
    samples = drawn.all()
    if samples.ndim == 2:
        figures.save_png(path, kinds.points(samples, real(drawn, drawn.num)))
        return f"{drawn.num:,} points of step {drawn.step:,}"
    if not drawn.turn:
        figures.save_png(path, figures.grid(samples, columns))
        return f"{drawn.num:,} images of step {drawn.step:,}"
    names = [drawn.names[label] for label in drawn.turn]
    if drawn.texts is not None:
        per_row = columns or -(-drawn.num // len(names))
        figures.save_png(path, by_class.picture(samples, names, per_row, longest=LONGEST_TEXT, rows=True))
        return f"{drawn.num:,} images of step {drawn.step:,}, rows of a text each,"
    figures.save_png(path, by_class.picture(samples, names, columns))
    num = min(len(names), drawn.num)
    left = f", the first {num} of {len(names)} classes" if num < len(names) else ""
    line = "column" if columns in (None, num) else "row"
    same = ", each row the same latents" if drawn.wanted.same_latents else ""
    return f"{drawn.num:,} images of step {drawn.step:,}, one class a {line}{left}{same},"


def real(drawn: Drawing, num: int) -> np.ndarray:
    """So many real points of the run's data."""
    from experiments import data
    from experiments.runs import run_data

    run_data.check(drawn.folder, drawn.experiment)
    image_set = data.load_for(drawn.experiment)
    return np.asarray(image_set.batch(np.arange(min(len(image_set), num))))
