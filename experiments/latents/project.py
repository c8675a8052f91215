"""Latents of images, searched for where there is no encoder: the images above what the model makes of their latents.

Held-out images, pictures of one's own, or draws, which the model can make. Each search begins at several places, the
best one is shown, with the peak signal-to-noise ratio. The latents lie beside the picture, in an .npz, for other
actions as latents:FILE.npz.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments.command_line.errors import UserError
from experiments.latents import projector, saved, searching, sheet, sources
from experiments.latents.searching import Space, SpaceName, said
from experiments.latents.sheet import Sheet
from experiments.latents.sources import Words
from experiments.latents.styled import Styled
from experiments.latents.trained import Trained
from experiments.models import abilities
from experiments.models.chunks import in_chunks
from jaxgen import images, parallel
from jaxgen.checks import require
from jaxgen.latents.projection import Projection, project

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options:
    """Of which images, how, and where to."""

    out: pathlib.Path | None = None  # PNG to write, and an .npz of the same name; RUN/project.png if not given
    images: tuple[str, ...] = ("test:0,1,2,3",)  # classes, test:12,40, sample:0,5, files, folders
    num: int = 4  # images of each class, at most
    space: SpaceName = "z"  # latents; of a style-based model also styles, one for all layers (w) or one for each (w+)
    method: Literal["lbfgs", "adam", "projector"] = "lbfgs"  # quasi-Newton, steps of Adam, StyleGAN 2's projector
    steps: int | None = None  # of the method; 100 of lbfgs, 500 of adam and 1,000 of projector if not given
    learning_rate: float = 0.1  # of Adam
    starts: int = 4  # places where a search begins, the best is kept
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    seed: int = 0  # of sample: and of the starts
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.num <= 1_000, "--num", self.num, "in [1, 1,000]")
        searching.require_search(self)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    abilities.latent_model(run.config)
    space = searching.space_of(run, options.space, options.seed)
    words = Words(run, options.seed, sources.label_of(run, options.label), options.invert)
    chosen, lines = sources.pictures(words, options.images, options.num)
    yield from lines
    labels = searching.labels_for(run, chosen.labels)
    latents, made = _found(run, options, space, chosen.pixels, labels)
    ratios = searching.decibels(made, chosen.pixels)
    yield f"{len(ratios)} images, PSNR {said(ratios.mean())} dB on average, {said(ratios.min())} at least"
    path = saved.write(out, latents, options.space, chosen.names, labels=labels, psnr=ratios)
    yield f"latents of the space {options.space} in {path}"
    rows = tuple(f"{name}: {said(ratio)} dB" for name, ratio in zip(chosen.names, ratios, strict=True))
    sheet.save(Sheet(np.stack([chosen.pixels, made], axis=1), rows, ("image", "found")), out)


def _found(
    run: Trained, options: Options, space: Space, pixels: np.ndarray, labels: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The latents of all images, and uint8 pixels of what is made of them."""
    if options.method == "projector":
        if options.space != "w":
            raise UserError(f"--method projector finds styles w and noise; say --space w, not {options.space}")
        return projector.found(Styled(run), pixels, labels, options.steps or 1_000, options.seed)
    minimizer = searching.minimizer_of(options.method, options.steps, options.learning_rate)
    settings, starts = Projection(minimizer, support=space.support), space.starts(options.starts, len(pixels), labels)

    @parallel.compiled
    def search(state: Any, pixels: Any, starts: Any, labels: Any) -> Any:
        generate = space.of(state)
        targets = images.scale(pixels, run.config.value_range)
        given = () if labels is None else (labels,)
        latents = project(settings, generate, targets, starts, given).points
        return latents, images.to_pixels(generate(latents, *given), run.config.value_range)

    def some(places: np.ndarray) -> Any:
        return search(run.state, pixels[places], starts[:, places], None if labels is None else labels[places])

    return in_chunks(some, np.arange(len(pixels)), min(searching.CHUNK, len(pixels)))
