"""A film through the latent space, from image to image: an MP4, or a GIF.

Between draws from the prior, images of the data set, pictures of one's own, or latents that were found. An MP4 needs
imageio-ffmpeg, the extra `video`. Without --closed the film goes back the way it came, so that it can be repeated.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.latents import interpolate, sources
from experiments.latents.sources import Words
from experiments.latents.trained import Trained
from experiments.models import abilities
from experiments.pictures import figures, films
from jaxgen.checks import require

SUFFIXES = films.SUFFIXES


@dataclass(frozen=True)
class Options:
    """Through what, how fast, how large, and where to."""

    out: pathlib.Path | None = None  # GIF or MP4 to write; RUN/video.gif if not given
    images: tuple[str, ...] = ("sample:0,1,2,3",)  # in their order: classes, test:12, sample:0,5, latents:FILE, files
    way: Literal["linear", "spherical"] = "spherical"  # straight lines, great circles
    steps: int = 24  # frames from one image to the next
    per_second: int = 24  # frames; a GIF has 50 at most
    side: int = 256  # shortest side of the film in pixels, at least: images are enlarged by whole factors
    closed: bool = False  # go on from the last image to the first
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    seed: int = 0  # of sample:
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.steps <= 10_000, "--steps", self.steps, "in [1, 10,000]")
        require(1 <= self.per_second <= 120, "--per-second", self.per_second, "in [1, 120]")
        require(16 <= self.side <= 4_096, "--side", self.side, "in [16, 4,096]")
        require_seed(self.seed)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the film; the lines say what was done."""
    films.require_encoder(out)
    abilities.latent_model(run.config)
    words = Words(run, options.seed, sources.label_of(run, options.label), options.invert)
    points, lines = sources.points(words, options.images, of_class=1)
    yield from lines
    if len(points) < 2:
        raise UserError("--images names one image; name two or more to go between")
    pixels = interpolate.on_the_way(run, points, options.steps, options.way, options.closed)
    if not options.closed:
        pixels = np.concatenate([pixels, pixels[-2:0:-1]])
    frames = [figures.grid(pixels[[place]], gap=0, shortest_side=options.side) for place in range(len(pixels))]
    films.save(out, frames, options.per_second)
    height, width, _ = frames[0].shape
    yield f"{len(frames)} frames of {width}x{height} pixels, {len(frames) / options.per_second:.1f} seconds"
