"""Holes in images, filled by a model that has never seen one: the image, what is seen, what is made, and both blended.

Yeh et al. 2016, arXiv 1607.07539: latents are searched for whose image fits around the hole and, of a model with a
discriminator, is like the data; Poisson's equation makes the seam disappear. Beside each image are the peak
signal-to-noise ratios of the whole and of the hole alone.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from experiments.evaluation import holes as baseline
from experiments.latents import filling, hole_table, holes, saved, searching, sheet, sources
from experiments.latents.searching import MethodName, SpaceName, decibels, require_search, said
from experiments.latents.sheet import Sheet
from experiments.latents.sources import Words
from experiments.latents.trained import Trained
from experiments.models import abilities
from jaxgen.checks import require

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options:
    """Which holes in which images, how they are filled, and where to."""

    out: pathlib.Path | None = None  # PNG to write, and an .npz of the same name; RUN/inpaint.png if not given
    images: tuple[str, ...] = ("test:0,1,2,3",)  # classes, test:12,40, sample:0,5, files, folders
    mask: str = "centre"  # centre, half, random (80 %), pattern, or a picture: white where pixels are known
    num: int = 4  # images of each class, at most
    space: SpaceName = "z"  # latents; of a style-based model styles, one (w) or one a layer (w+), or their scales (s)
    method: MethodName = "adam"  # steps of Adam, or quasi-Newton
    steps: int | None = None  # of the method; 500 of adam and 100 of lbfgs if not given
    learning_rate: float = 0.1  # of Adam
    starts: int = 4  # places where a search begins, the best is kept
    window: int = 7  # side of the window in which missing pixels give weight to known ones
    prior_weight: float = 0.003  # of being like the data, lambda
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    table: int | None = None  # held-out images, each with every kind of hole: a table, in a .json beside the picture
    beside: tuple[pathlib.Path, ...] = ()  # folders of other runs, which fill the same holes in the table
    seed: int = 0  # of sample:, of the starts and of the holes
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.num <= 1_000, "--num", self.num, "in [1, 1,000]")
        require(self.window >= 1 and self.window % 2 == 1, "--window", self.window, "odd and positive")
        require(0 <= self.prior_weight < np.inf, "--prior-weight", self.prior_weight, "at least 0 and finite")
        require(self.table is None or 2 <= self.table <= 10_000, "--table", self.table, "in [2, 10,000]")
        require(not self.beside or self.table is not None, "--beside", self.beside, "given with --table")
        require_search(self)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    abilities.latent_model(run.config)
    if options.table is not None:
        yield from hole_table.draw(run, options, out)
        return
    space = searching.space_of(run, options.space, options.seed)
    words = Words(run, options.seed, sources.label_of(run, options.label), options.invert)
    chosen, lines = sources.pictures(words, options.images, options.num)
    yield from lines
    masks, missing = holes.masks(options.mask, len(chosen.pixels), run.config.image_shape, options.seed)
    yield missing
    if filling.prior_of(run, run.state) is None:
        yield f"{run.name} has no discriminator: holes are filled without the prior"
    chosen = chosen._replace(labels=searching.labels_for(run, chosen.labels))
    latents, fills, filled = filling.by_search(run, options, space)(chosen.pixels, masks, chosen.labels)
    whole, hole = decibels(filled, chosen.pixels), filling.hole_decibels(filled, chosen.pixels, masks)
    yield f"{len(whole)} images, PSNR {said(whole.mean())} dB on average, {said(hole.mean())} in the holes"
    plain = baseline.plain(chosen.pixels, masks)
    by_mean = decibels(plain, chosen.pixels).mean(), filling.hole_decibels(plain, chosen.pixels, masks).mean()
    yield "filled with the mean of what is known: PSNR {} dB, {} in the holes".format(*map(said, by_mean))
    path = saved.write(
        out, latents, options.space, chosen.names, labels=chosen.labels, psnr=whole, hole_psnr=hole, masks=masks
    )
    yield f"latents of the space {options.space} in {path}"
    seen = np.where(masks > 0, chosen.pixels, 128).astype(np.uint8)
    rows = tuple(
        f"{name}: {said(one)}, {said(other)} dB" for name, one, other in zip(chosen.names, whole, hole, strict=True)
    )
    tiles = np.stack([chosen.pixels, seen, fills, filled], axis=1)
    sheet.save(Sheet(tiles, rows, ("image", "seen", "made", "filled")), out)
