"""Holes in images, filled by a denoiser that has never seen one: the image, what is seen, and draws of what was there.

RePaint, Lugmayr et al. 2022, arXiv 2201.09865. Known pixels are put into each level of noise, and the levels are gone
over again and again, so that what fills a hole fits what is around it. Known pixels do not change.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from experiments.command_line.checks import require_seed
from experiments.evaluation import holes as baseline
from experiments.latents import denoised, filling, holes, searching, sheet, sources
from experiments.latents.sheet import Sheet
from experiments.latents.sources import Words
from experiments.latents.trained import Trained
from experiments.models import abilities, progress
from jaxgen.checks import require
from jaxgen.diffusion.editing import RePaint

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options:
    """Which holes in which images, how often they are filled, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/repaint.png if not given
    images: tuple[str, ...] = ("test:0,1,2,3",)  # classes, test:12,40, files, folders
    mask: str = "centre"  # centre, half, random (80 %), pattern, or a picture: white where pixels are known
    num: int = 4  # images of each class, at most
    draws: int = 3  # fills of each image
    jump: int = 10  # levels that are gone up at once; --sampler.steps are all of them
    resamples: int = 10  # times that each stretch is gone down; 1 goes down once
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    seed: int = 0  # of the noise and of the holes
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require_seed(self.seed)
        require(1 <= self.num <= 1_000, "--num", self.num, "in [1, 1,000]")
        require(1 <= self.draws <= 100, "--draws", self.draws, "in [1, 100]")
        require(self.jump >= 1, "--jump", self.jump, "at least 1")
        require(1 <= self.resamples <= 1_000, "--resamples", self.resamples, "in [1, 1,000]")


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    abilities.editor(run.config)
    words = Words(run, options.seed, sources.label_of(run, options.label), options.invert)
    chosen, lines = sources.pictures(words, options.images, options.num)
    yield from lines
    masks, missing = holes.masks(options.mask, len(chosen.pixels), run.config.image_shape, options.seed)
    yield missing
    labels = searching.labels_for(run, chosen.labels)
    with progress.bar(options.draws * len(chosen.pixels), "image", "filling") as bar:
        how = RePaint(options.jump, options.resamples)
        fill = denoised.by_denoiser(run, how, lambda num: progress.advance(bar, num))
        fills = [fill(chosen.pixels, masks, labels, options.seed + number) for number in range(options.draws)]
    hole = np.stack([filling.hole_decibels(each, chosen.pixels, masks) for each in fills])
    plain = filling.hole_decibels(baseline.plain(chosen.pixels, masks), chosen.pixels, masks)
    yield (
        f"{len(chosen.pixels)} images, {options.draws} draws of {denoised.said(run)}: PSNR in the holes "
        f"{searching.said(hole.mean())} dB on average, of the mean of what is known {searching.said(plain.mean())}"
    )
    seen = np.where(masks > 0, chosen.pixels, 128).astype(np.uint8)
    tiles = np.stack([chosen.pixels, seen, *fills], axis=1)
    columns = ("image", "seen", *(f"draw {number + 1}" for number in range(options.draws)))
    sheet.save(Sheet(tiles, chosen.names, columns), out)
