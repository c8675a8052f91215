"""Add what groups of images have in common and take away what others have: a - b + c of mean latent vectors.

Rows start from images, and from their mean in the last row; from left to right they move along the direction, the sum
of the mean vectors of --plus less that of --minus. At strength 1 the last row is the mean of --images + plus - minus.
"""

import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jax
import numpy as np

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.latents import sheet, sources
from experiments.latents.sheet import Sheet
from experiments.latents.sources import Points, Words
from experiments.latents.trained import Trained
from jaxgen.checks import require
from jaxgen.latents import arithmetic

SUFFIXES = (".png", ".gif")
OF_CLASS, ROWS = 1_000, 6


@dataclass(frozen=True)
class Options:
    """Which groups, from where, and where to. A group: a class, attributes:A,-B, test:1,2, sample:0,5, files."""

    out: pathlib.Path | None = None  # PNG or GIF to write; RUN/arithmetic.png if not given
    plus: tuple[str, ...] = ()  # groups whose mean vectors are added
    minus: tuple[str, ...] = ()  # groups whose mean vectors are taken away
    images: tuple[str, ...] = ()  # where to start; the images of --minus if not given
    strengths: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)  # of the direction, one a column
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    seed: int = 0  # of sample:
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(len(self.strengths) >= 1, "--strengths", self.strengths, "one number or more")
        require(bool(np.isfinite(self.strengths).all()), "--strengths", self.strengths, "finite")
        require_seed(self.seed)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    if not options.plus or not (options.minus or options.images):
        raise UserError("name groups with --plus and --minus, for example --plus 3 --minus 5")
    words = Words(run, options.seed, sources.label_of(run, options.label), options.invert)
    means = []
    for sign, names in (("plus", options.plus), ("minus", options.minus)):
        groups = [sources.points(words, [name], OF_CLASS) for name in names]
        for name, (points, lines) in zip(names, groups, strict=True):
            yield from lines
            yield f"{sign} {name}: the mean of {len(points)} latent vectors"
        means.append(_sum_of_means([points for points, _ in groups], run.latent_dim))
    starts, lines = sources.points(words, options.images or options.minus, OF_CLASS)
    yield from lines if options.images else ()
    strengths = np.linspace(0, max(options.strengths), 24) if sheet.is_gif(out) else np.array(options.strengths)
    sheet.save(_moved(run, starts, means[0] - means[1], strengths.astype(np.float32)), out)


def _sum_of_means(groups: Sequence[Points], size: int) -> np.ndarray:
    """(1, latent): the sum over groups of the mean of each."""
    if not groups:
        return np.zeros((1, size), np.float32)
    labels = np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups])
    latents = sources.joined(groups).latents
    means = jax.jit(arithmetic.mean_vectors, static_argnums=2)(latents, labels, len(groups))
    return np.asarray(means).sum(axis=0, keepdims=True)


def _moved(run: Trained, starts: Points, direction: np.ndarray, strengths: np.ndarray) -> Sheet:
    """A row for each of the first starting points and one for the mean of all."""
    mean = starts.latents.mean(axis=0, keepdims=True)
    shown = min(ROWS, len(starts)) if len(starts) > 1 else 0
    latents = np.concatenate([starts.latents[:shown], mean])
    labels = None
    if starts.labels is not None:
        labels = np.repeat(np.append(starts.labels[:shown], starts.labels[0]), len(strengths))
    moved = np.asarray(jax.jit(arithmetic.along)(latents, direction, strengths))
    pixels = run.decode(moved, labels)
    drawn = pixels.reshape(shown + 1, len(strengths), *pixels.shape[1:])
    last = "mean" if shown else starts.names[0]
    return Sheet(drawn, (*starts.names[:shown], last), tuple(f"{strength:.4g}" for strength in strengths))
