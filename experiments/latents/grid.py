"""All of a two-dimensional latent space: images decoded at the quantiles of N(0, I), the first coordinate to the right.

Kingma & Welling: Auto-Encoding Variational Bayes, 2013, arXiv 1312.6114, appendix A.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

from experiments.command_line.errors import UserError
from experiments.latents import sources
from experiments.latents.trained import Trained
from experiments.pictures import figures, kinds
from jaxgen.checks import require

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options:
    """How fine, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/grid.png if not given
    num: int = 20  # images on each side
    label: str | None = None  # class that a conditional model is told; each class a smaller grid if not given
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(2 <= self.num <= 100, "--num", self.num, "in [2, 100]")


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    if run.latent_dim != 2:
        raise UserError(
            f"a grid shows latent vectors of 2 numbers, but those of this {run.name} have {run.latent_dim}; "
            f"use traverse{' or embed' if run.encodes else ''}"
        )
    label = sources.label_of(run, options.label)
    if run.conditional and label is None:
        picture = kinds.code_grids(run.config, run.state, run.classes, max(2, options.num // 3))
        if len(run.classes) > kinds.MOST_CLASSES:
            yield f"the first {kinds.MOST_CLASSES} of {len(run.classes)} classes; --label names one"
    else:
        picture = kinds.code_grid(run.config, run.state, options.num, label or 0)
    figures.save_png(out, picture)
    yield "both coordinates at the quantiles of N(0, I), the first to the right, the second upwards"
