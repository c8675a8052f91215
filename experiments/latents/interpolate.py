"""From image to image through the latent space, on straight lines and on great circles.

Between draws from the prior, images of the data set, or pictures of one's own. A PNG has a pair of rows for each step
from one image to the next; a GIF goes through all of them.
"""

import functools
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import jax
import numpy as np

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.latents import sheet, sources
from experiments.latents.sheet import Sheet
from experiments.latents.sources import Points, Words
from experiments.latents.trained import Trained
from jaxgen.checks import require
from jaxgen.latents import interpolation

SUFFIXES = (".png", ".gif")
WAYS = {"linear": interpolation.linear, "spherical": interpolation.spherical}


@dataclass(frozen=True)
class Options:
    """Between what, how, and where to."""

    out: pathlib.Path | None = None  # PNG or GIF to write; RUN/interpolate.png if not given
    images: tuple[str, ...] = ("sample:0,1,2,3",)  # in their order: classes, test:12,40, sample:0,5, files, folders
    way: Literal["both", "linear", "spherical"] = "both"  # straight lines, great circles
    steps: int | None = None  # from one image to the next; 10 for a PNG and 24 for a GIF if not given
    closed: bool = False  # go on from the last image to the first; a GIF then goes round
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    seed: int = 0  # of sample:
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(self.steps is None or 1 <= self.steps <= 500, "--steps", self.steps, "in [1, 500]")
        require_seed(self.seed)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    words = Words(run, options.seed, sources.label_of(run, options.label), options.invert)
    points, lines = sources.points(words, options.images, of_class=1)
    yield from lines
    if len(points) < 2:
        raise UserError("--images names one image; name two or more to go between")
    moving = sheet.is_gif(out)
    steps = options.steps or (24 if moving else 10)
    ways = ("linear", "spherical") if options.way == "both" else (options.way,)
    drawn = np.stack([on_the_way(run, points, steps, way, options.closed) for way in ways])
    if moving:
        sheet.save(Sheet(drawn, ways, ()), out, loops=options.closed)
    else:
        sheet.save(_rows(points, drawn, steps, ways, options.closed), out)


def on_the_way(run: Trained, points: Points, steps: int, way: str, closed: bool) -> np.ndarray:
    """Images on the way through all points; a conditional model is told the label of the nearer end."""
    go = functools.partial(interpolation.path, steps=steps, interpolation=WAYS[way], closed=closed)
    latents = np.asarray(jax.jit(go)(points.latents))
    nearest = (np.arange(len(latents)) + steps // 2) // steps % len(points)
    return run.decode(latents, None if points.labels is None else points.labels[nearest])


def _rows(points: Points, drawn: np.ndarray, steps: int, ways: tuple[str, ...], closed: bool) -> Sheet:
    """A row for each way and each pair of neighbours, the originals of own or held-out images at both ends."""
    num = len(points) if closed else len(points) - 1
    rows, labels = [], []
    for index in range(num):
        for way, images in zip(ways, drawn, strict=True):
            places = np.arange(index * steps, index * steps + steps + 1) % len(images)
            row = images[places]
            if points.originals is not None:
                ends = points.originals[[index, (index + 1) % len(points)]]
                row = np.concatenate([ends[:1], row, ends[1:]])
            rows.append(row)
            labels.append(way)
    fractions = [f"{place / steps:.2g}" for place in range(steps + 1)]
    columns = ["from", *fractions, "to"] if points.originals is not None else fractions
    return Sheet(np.stack(rows), tuple(labels), tuple(columns))
