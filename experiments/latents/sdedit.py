"""Guides, such as rough drawings, made into what the data look like: the guide, and one column for each strength.

SDEdit, Meng et al. 2021, arXiv 2108.01073. A guide gets the noise of a level, --strength of them up, and a denoiser
takes it away again. The higher the level, the more it looks like the data and the less like the guide.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from experiments.command_line.checks import require_seed
from experiments.latents import denoised, holes, searching, sheet, sources
from experiments.latents.sheet import Sheet
from experiments.latents.sources import Words
from experiments.latents.trained import Trained
from experiments.models import abilities, progress
from jaxgen.checks import require
from jaxgen.diffusion.editing import SDEdit

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options:
    """Which guides, how far they may be left, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/sdedit.png if not given
    images: tuple[str, ...] = ("test:0,1,2,3",)  # guides: your own files and folders, classes, test:12,40
    strength: tuple[float, ...] = (0.3, 0.5, 0.7)  # of all levels, in [0, 1]: a column each
    repeats: int = 3  # times that it is gone up and down; what comes out is the next guide
    mask: str | None = None  # a picture, or centre, half, random, pattern: what is white is left as it is
    num: int = 4  # images of each class, at most
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    seed: int = 0  # of the noise
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require_seed(self.seed)
        require(1 <= self.num <= 1_000, "--num", self.num, "in [1, 1,000]")
        require(1 <= self.repeats <= 1_000, "--repeats", self.repeats, "in [1, 1,000]")
        fits = len(self.strength) > 0 and all(0 <= each <= 1 for each in self.strength)
        require(fits, "--strength", self.strength, "numbers in [0, 1], a column each")


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    abilities.editor(run.config)
    words = Words(run, options.seed, sources.label_of(run, options.label), options.invert)
    chosen, lines = sources.pictures(words, options.images, options.num)
    yield from lines
    labels, shape = searching.labels_for(run, chosen.labels), run.config.image_shape
    kept = np.zeros((len(chosen.pixels), *shape[:2], 1), np.float32)
    if options.mask is not None:
        kept = holes.masks(options.mask, len(chosen.pixels), shape, options.seed)[0]
        yield f"{kept.mean():.0%} of the pixels are left as they are"
    columns = [chosen.pixels]
    with progress.bar(len(options.strength) * len(chosen.pixels), "image", "drawing") as bar:
        for strength in options.strength:
            how = SDEdit(strength, options.repeats)
            make = denoised.by_denoiser(run, how, lambda num: progress.advance(bar, num))
            columns.append(make(chosen.pixels, kept, labels, options.seed))
            far = searching.decibels(columns[-1], chosen.pixels).mean()
            yield f"strength {strength:g}, {options.repeats} times {denoised.said(run)}: PSNR {searching.said(far)} dB"
    names = ("guide", *(f"strength {strength:g}" for strength in options.strength))
    sheet.save(Sheet(np.stack(columns, axis=1), chosen.names, names), out)
