"""Images above what the model decodes from their codes: held-out ones of the data set, or one's own pictures.

With --draws N each image stands at the left of N decodings of latents drawn from its posterior.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import jax
import numpy as np

from experiments.command_line.checks import require_seed
from experiments.data import held_out
from experiments.latents import sources
from experiments.latents.sources import Words
from experiments.latents.trained import Trained
from experiments.models import abilities, posteriors
from experiments.pictures import figures, kinds
from jaxgen.checks import require

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options:
    """Which images, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/reconstruct.png if not given
    images: tuple[str, ...] = ()  # classes, test:12,40, files, folders; held-out ones if not given
    num: int = 32  # images at most, of each class or of all held-out ones
    draws: int = 0  # decodings of each image, of latents drawn from its posterior; 0 for one, of the posterior's mean
    seed: int = 0  # of the draws
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.num <= 10_000, "--num", self.num, "in [1, 10,000]")
        require(0 <= self.draws <= 100, "--draws", self.draws, "in [0, 100]")
        require_seed(self.seed)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    reconstruct = abilities.reconstruction(run.config)
    draws = posteriors.drawer(run.config) if options.draws else None
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
    if draws is None:
        figures.save_png(out, kinds.pairs(pixels, decoded))
        return
    keys = jax.random.split(jax.random.key(options.seed), (options.draws, len(pixels)))
    drawn = [draws(run.state, each, pixels, labels) for each in keys]
    spread = np.stack(drawn).astype(np.float64).std(axis=0).mean() / 255.0
    yield f"{options.draws} draws of each image, whose pixels have a standard deviation of {spread:.4f} on average"
    tiles = np.stack([pixels, *drawn], axis=1).reshape(-1, *pixels.shape[1:])
    names = ["image", *map(str, range(1, options.draws + 1))]
    figures.save_png(out, figures.labelled(figures.grid(tiles, 1 + options.draws), (), names))
