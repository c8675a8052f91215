"""Images above what the model decodes from their codes: held-out ones of the data set, or one's own pictures."""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from experiments.data import held_out
from experiments.latents import sources
from experiments.latents.sources import Words
from experiments.latents.trained import Trained
from experiments.models import abilities
from experiments.pictures import figures, kinds
from jaxgen.checks import require

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options:
    """Which images, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/reconstruct.png if not given
    images: tuple[str, ...] = ()  # classes, test:12,40, files, folders; held-out ones if not given
    num: int = 32  # images at most, of each class or of all held-out ones
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.num <= 10_000, "--num", self.num, "in [1, 10,000]")


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    reconstruct = abilities.reconstruction(run.config)
    label = sources.label_of(run, options.label)
    if options.images:
        chosen, lines = sources.originals(Words(run, 0, label, options.invert), options.images, options.num)
        yield from lines
        pixels, labels = chosen.pixels, chosen.labels
    else:
        pixels, labels = held_out.spread(run.held_out, min(options.num, len(run.held_out)))
        labels = labels if label is None else np.full(len(pixels), label)
    decoded = reconstruct(run.state, pixels, labels)
    error = np.mean(((decoded.astype(np.float64) - pixels) / 255.0) ** 2)
    yield f"{len(pixels)} images, mean squared error {error:.4f} of pixels from 0 to 1"
    figures.save_png(out, kinds.pairs(pixels, decoded))
