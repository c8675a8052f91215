"""Latents of images, searched for: the images above what the model makes of their latents.

Held-out images, pictures of one's own, or draws, which the model can make. Each search begins at several places, the
first of them the encoding where the model has an encoder, and the best one is shown, with the peak signal-to-noise
ratio and the distance that was made small. The latents lie beside the picture, in an .npz, for other actions as
latents:FILE.npz.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from experiments.command_line.errors import UserError
from experiments.latents import compared, projector, saved, searching, sheet, sources
from experiments.latents.compared import FeatureName
from experiments.latents.searching import Space, SpaceName, said
from experiments.latents.sheet import Sheet
from experiments.latents.sources import Words
from experiments.latents.styled import Styled
from experiments.latents.trained import Trained
from experiments.models import abilities, classes
from experiments.models.chunks import in_chunks
from jaxgen import images, parallel
from jaxgen.checks import require
from jaxgen.latents.projection import Distance, Projection, project
from jaxgen.latents.style_projection import Projector

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options:
    """Of which images, how, and where to."""

    out: pathlib.Path | None = None  # PNG to write, and an .npz of the same name; RUN/project.png if not given
    images: tuple[str, ...] = ("test:0,1,2,3",)  # classes, test:12,40, sample:0,5, files, folders
    num: int = 4  # images of each class, at most
    space: SpaceName = "z"  # latents; of a style-based model styles, one (w) or one a layer (w+), or their scales (s)
    method: Literal["lbfgs", "adam", "projector"] = "lbfgs"  # quasi-Newton, steps of Adam, StyleGAN 2's projector
    steps: int | None = None  # of the method; 100 of lbfgs, 500 of adam and 1,000 of projector if not given
    learning_rate: float = 0.1  # of Adam
    features: FeatureName = "none"  # in which images are compared, of a classifier of the run's data; none: in pixels
    pixel_weight: float = 0.0  # of the distance of pixels beside that of features
    starts: int = 4  # places where a search begins, the best is kept
    classes: tuple[str, ...] = ()  # a column more for each: what the found latents are under that class
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    seed: int = 0  # of sample: and of the starts
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.num <= 1_000, "--num", self.num, "in [1, 1,000]")
        searching.require_search(self)
        compared.require_weight(self)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    abilities.latent_model(run.config)
    if options.method == "projector" and options.space != "w":
        raise UserError(f"--method projector finds styles w and noise; say --space w, not {options.space}")
    others = _other_classes(run, options)
    space = searching.space_of(run, options.space, options.seed)
    words = Words(run, options.seed, sources.label_of(run, options.label), options.invert)
    chosen, lines = sources.pictures(words, options.images, options.num)
    yield from lines
    labels = searching.labels_for(run, chosen.labels)
    by = compared.compared(run, options.features, options.pixel_weight)
    yield f"distance: {by.about}"
    latents, made = search(run, options, space, by.distance, Wanted(chosen.pixels, labels))
    ratios, distances = searching.decibels(made, chosen.pixels), by.between(made, chosen.pixels, run.config.value_range)
    yield (
        f"{len(ratios)} images, PSNR {said(ratios.mean())} dB on average, {said(ratios.min())} at least; "
        f"distance {distances.mean():.4g} on average, {distances.max():.4g} at most"
    )
    path = saved.write(out, latents, options.space, chosen.names, labels=labels, psnr=ratios, distance=distances)
    yield f"latents of the space {options.space} in {path}"
    rows = tuple(
        f"{name}: {said(ratio)} dB, {distance:.3g}"
        for name, ratio, distance in zip(chosen.names, ratios, distances, strict=True)
    )
    told = [run.decode(latents, np.full(len(latents), number, np.int32)) for number in others.values()]
    sheet.save(Sheet(np.stack([chosen.pixels, made, *told], axis=1), rows, ("image", "found", *others)), out)


def _other_classes(run: Trained, options: Options) -> dict[str, int]:
    """The classes that `--classes` names. UserError where there are none to move an image to."""
    if options.classes and not run.conditional:
        raise UserError(f"--classes is {' '.join(options.classes)}, but {run.name} is not told classes; leave it out")
    if options.classes and options.space != "z":
        raise UserError(f"--classes moves latents to other classes; say --space z, not {options.space}")
    return {word: classes.number(word, run.classes, "--classes") for word in options.classes}


class Wanted(NamedTuple):
    """What latents are sought for."""

    pixels: np.ndarray  # uint8
    labels: np.ndarray | None  # that the model is told


def search(
    run: Trained, options: Options, space: Space, distance: Distance, wanted: Wanted
) -> tuple[np.ndarray, np.ndarray]:
    """The latents of all images, and uint8 pixels of what is made of them."""
    pixels, labels = wanted
    if options.method == "projector":
        settings = Projector(options.steps or 1_000, distance=distance)
        return projector.found(Styled(run), pixels, labels, settings, options.seed)
    minimizer = searching.minimizer_of(options.method, options.steps, options.learning_rate)
    settings = Projection(minimizer, distance, space.support)
    starts = space.starts(options.starts, len(pixels), labels)
    if run.encodes and options.space == "z":
        starts = np.concatenate([run.encode(pixels, labels).reshape(1, len(pixels), -1), starts[1:]])

    @parallel.compiled
    def found(state: Any, pixels: Any, starts: Any, labels: Any) -> Any:
        generate = space.of(state)
        targets = images.scale(pixels, run.config.value_range)
        given = () if labels is None else (labels,)
        latents = project(settings, generate, targets, starts, given).points
        return latents, images.to_pixels(generate(latents, *given), run.config.value_range)

    def some(places: np.ndarray) -> Any:
        return found(run.state, pixels[places], starts[:, places], None if labels is None else labels[places])

    return in_chunks(some, np.arange(len(pixels)), min(searching.CHUNK, len(pixels)))
