"""One coordinate of the latent vector at a time, the others held: a row for each, its values from left to right.

Values are quantiles of N(0, 1), times the deviation of the prior, unless a range is given. Of a model with an encoder,
the coordinates are those along which the codes of held-out images vary most, unless they are named.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.data import held_out
from experiments.latents import sheet, sources
from experiments.latents.sheet import Sheet
from experiments.latents.sources import Words
from experiments.latents.trained import Trained
from jaxgen.checks import require
from jaxgen.latents import traversal
from jaxgen.priors import Gaussian

SUFFIXES = (".png", ".gif")
MOST, CODES = 10, 1_000


@dataclass(frozen=True)
class Options:
    """Around what, along which coordinates, and where to."""

    out: pathlib.Path | None = None  # PNG or GIF to write; RUN/traverse.png if not given
    images: str | None = (
        None  # whose latent vector to start from: a class, test:12, sample:5, a file; zeros if not given
    )
    axes: tuple[int, ...] = ()  # coordinates, counted from 0; the 10 that vary most if not given
    num: int | None = None  # values of a coordinate; 11 for a PNG and 24 for a GIF if not given
    range: tuple[float, float] | None = None  # lowest and highest value; quantiles of N(0, 1) if not given
    label: str | None = None  # class that a conditional model is told; the image's own, or the first, if not given
    invert: bool = False  # exchange dark and light of your own picture
    seed: int = 0  # of sample:
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(self.num is None or 2 <= self.num <= 500, "--num", self.num, "in [2, 500]")
        require_seed(self.seed)
        finite = self.range is None or bool(np.isfinite(self.range).all())
        require(finite, "--range", self.range, "finite")


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    label = sources.label_of(run, options.label)
    latent, labels = np.zeros(run.latent_dim, np.float32), np.array([label or 0])
    if options.images is not None:
        words = Words(run, options.seed, label, options.invert)
        points, lines = sources.points(words, [options.images], of_class=1)
        yield from lines
        if len(points) > 1:
            raise UserError(f"--images names {len(points)} images; name one to start from")
        latent, labels = points.latents[0], labels if points.labels is None else points.labels
    axes, names = _axes(run, options.axes)
    num = options.num or (24 if sheet.is_gif(out) else 11)
    values = _values(options.range, num, run.config.prior)
    moved = np.asarray(jax.jit(traversal.traverse)(latent, axes, values))
    pixels = run.decode(moved.reshape(-1, run.latent_dim), np.repeat(labels, len(axes) * num))
    drawn = pixels.reshape(len(axes), num, *pixels.shape[1:])
    sheet.save(Sheet(drawn, names, tuple(f"{round(float(value), 2) + 0.0:g}" for value in values)), out)


def _values(span: tuple[float, float] | None, num: int, prior: Any) -> np.ndarray:
    if span is None:
        deviation = np.float32(prior.deviation if isinstance(prior, Gaussian) else 1.0)
        return deviation * np.asarray(jax.jit(traversal.normal_quantiles, static_argnums=0)(num))
    return np.linspace(*span, num, dtype=np.float32)


def _axes(run: Trained, chosen: tuple[int, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Which coordinates, and what stands beside their rows: the standard deviation of the codes, if any."""
    wrong = [axis for axis in chosen if not 0 <= axis < run.latent_dim]
    if wrong:
        raise UserError(f"--axes has {wrong[0]}, but {run.name} has coordinates 0 to {run.latent_dim - 1}")
    if not run.encodes:
        axes = np.array(chosen or range(min(MOST, run.latent_dim)))
        return axes, tuple(f"z{axis}" for axis in axes)
    codes = run.encode(*held_out.spread(run.held_out, min(CODES, len(run.held_out))))
    stddev = codes.std(axis=0)
    axes = np.array(chosen or np.argsort(-stddev, kind="stable")[:MOST])
    return axes, tuple(f"z{axis} (std {stddev[axis]:.2f})" for axis in axes)
