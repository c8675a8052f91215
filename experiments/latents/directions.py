"""What changes along directions of the latent space: sliders, a row for each direction, from -1 to 1 times --reach.

Found from groups of images (means: from one group's mean to the other's; plane: across the plane between them), or from
the generator alone (sefa: what its first layer stretches most; pca: principal components of the first layer's features,
or of the styles). The directions lie beside the picture, in an .npz.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import numpy as np

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.latents import first_layer, saved, searching, sheet, sources
from experiments.latents.sheet import Sheet
from experiments.latents.sources import Points, Words
from experiments.latents.styled import Styled
from experiments.latents.trained import Trained
from experiments.models import abilities
from experiments.runs.experiment import model_of
from jaxgen.abilities import StyledModel
from jaxgen.checks import require
from jaxgen.latents import arithmetic, directions

SUFFIXES = (".png", ".gif")
OF_CLASS = 1_000


@dataclass(frozen=True)
class Options:
    """Which directions, from where, and where to. A group: a class, attributes:A,-B, test:1,2, sample:0,5, files."""

    out: pathlib.Path | None = None  # PNG or GIF to write, and an .npz; RUN/directions.png if not given
    method: Literal["means", "plane", "sefa", "pca"] = "pca"  # of groups: means, plane; of the generator: sefa, pca
    plus: tuple[str, ...] = ()  # groups towards which means and plane lead
    minus: tuple[str, ...] = ()  # groups from which they lead away
    images: tuple[str, ...] = ("sample:0",)  # which are moved; each a row for each direction
    num: int = 8  # directions of sefa and pca
    reach: float = 3.0  # how far to both sides: times the deviation of the latents along a direction, or the difference
    columns: int | None = None  # steps from one side to the other; 7 for a PNG and 25 for a GIF if not given
    draws: int = 1_000  # of which pca takes components
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    seed: int = 0  # of sample: and of the draws
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.num <= 100, "--num", self.num, "in [1, 100]")
        require(0 < self.reach < np.inf, "--reach", self.reach, "above 0 and finite")
        require(self.columns is None or 2 <= self.columns <= 500, "--columns", self.columns, "in [2, 500]")
        require(10 <= self.draws <= 100_000, "--draws", self.draws, "in [10, 100,000]")
        require_seed(self.seed)


class Sliders(NamedTuple):
    """Directions in z, or in the styles of all layers."""

    axes: np.ndarray  # (num, latent or features), in steps of the reach
    names: tuple[str, ...]
    of_styles: bool


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    abilities.latent_model(run.config)
    words = Words(run, options.seed, sources.label_of(run, options.label), options.invert)
    starts, lines = sources.points(words, options.images, of_class=1)
    yield from lines
    if options.method in ("means", "plane"):
        sliders, lines = _of_groups(words, options)
        yield from lines
    else:
        sliders = of_generator(run, options)
    columns = options.columns or (25 if sheet.is_gif(out) else 7)
    strengths = np.linspace(-options.reach, options.reach, columns, dtype=np.float32)
    pixels = _moved(run, starts, sliders, strengths)
    space = "w" if sliders.of_styles else "z"
    path = saved.write(out, sliders.axes, f"directions of {space}", sliders.names)
    yield f"{len(sliders.axes)} directions of the space {space} in {path}"
    several = len(starts) > 1
    rows = tuple(f"{start}: {name}" if several else name for start in starts.names for name in sliders.names)
    sheet.save(Sheet(pixels, rows, tuple(f"{strength:.3g}" for strength in strengths)), out)


def _of_groups(words: Words, options: Options) -> tuple[Sliders, list[str]]:
    """One direction, from the examples of --minus to those of --plus."""
    if not options.plus or not options.minus:
        raise UserError(f"--method {options.method} needs groups, for example --plus 3 --minus 5")
    (plus, above), (minus, below) = (sources.points(words, names, OF_CLASS) for names in (options.plus, options.minus))
    lines = [*above, *below, f"{len(plus)} latents of --plus, {len(minus)} of --minus"]
    latents, positive = np.concatenate([plus.latents, minus.latents]), np.arange(len(plus) + len(minus)) < len(plus)
    if options.method == "means":
        axis = np.asarray(jax.jit(directions.difference_of_means)(latents, positive))
    else:
        normal = np.asarray(jax.jit(directions.logistic_normal)(latents, positive))
        side = latents @ normal
        axis = normal * side.std()
        right = max(np.mean((side > cut) == positive) for cut in np.unique(side))
        lines.append(f"a plane across the direction divides {right:.1%} of them rightly")
    name = f"{'+'.join(options.plus)} - {'-'.join(options.minus)}"
    return Sliders(axis[None], (name,), of_styles=False), lines


def of_generator(run: Trained, options: Options) -> Sliders:
    """What sefa or pca finds, each direction times the deviation of draws along it."""
    draws = run.draw(searching.LAST - np.arange(options.draws), options.seed)
    labels = np.arange(options.draws) % run.config.num_classes if run.conditional else None
    if options.label is not None:
        labels = np.full(options.draws, sources.label_of(run, options.label))
    styled = Styled(run) if isinstance(model_of(run.config), StyledModel) else None
    points = draws if styled is None else styled.ws_of(draws, labels)[:, 0]
    most = min(points.shape[1], options.draws)
    if options.num > most:
        raise UserError(f"--num is {options.num}, but there are {most} directions; ask for fewer")
    if options.method == "sefa":
        if styled is not None:
            matrix = first_layer.style_matrix(styled, styled.ws_of(draws[:1], None if labels is None else labels[:1]))
        else:
            matrix = first_layer.matrix(run, draws[:1], None if labels is None else labels[:1].astype(np.int32))
        found = jax.jit(directions.sefa, static_argnums=1)(matrix, options.num)
    else:
        features = points if styled is not None else first_layer.features(run, draws, labels)
        if options.num > min(features.shape):
            raise UserError(f"--num is {options.num}, but the layer has {min(features.shape)} features; ask for fewer")
        found = jax.jit(directions.ganspace, static_argnums=2)(points, features, options.num)
    axes = np.asarray(found.axes)
    spread = (points @ axes.T).std(axis=0)
    strengths = np.asarray(found.strengths)
    said = "{:.1%}" if options.method == "pca" else "{:.3g}"
    names = tuple(f"{number} ({said.format(strength)})" for number, strength in enumerate(strengths))
    return Sliders((axes * spread[:, None]).astype(np.float32), names, styled is not None)


def _moved(run: Trained, starts: Points, sliders: Sliders, strengths: np.ndarray) -> np.ndarray:
    """(images times directions, strengths, height, width, channels): uint8."""
    rows, columns = len(starts) * len(sliders.axes), len(strengths)
    labels = None if starts.labels is None else np.repeat(starts.labels, rows // len(starts) * columns)
    if sliders.of_styles:
        styled = Styled(run)
        ws = styled.ws_of(starts.latents, starts.labels if run.conditional else None)
        moves = (strengths[:, None] * sliders.axes[:, None])[:, :, None]  # directions, strengths, 1, features
        moved = ws[:, None, None] + moves[None]
        pixels = styled.pixels(moved.reshape(-1, *ws.shape[1:]))
    else:
        along = jax.jit(arithmetic.along)
        moved = np.stack([along(starts.latents, axis[None], strengths) for axis in sliders.axes])
        moved = moved.reshape(len(sliders.axes), len(starts), columns, -1).swapaxes(0, 1)
        pixels = run.decode(moved.reshape(rows * columns, -1), labels)
    return pixels.reshape(rows, columns, *pixels.shape[1:])
