"""Where held-out images lie in the plane of the codes, coloured by class; wide codes on two principal components.

One's own pictures are marked by name.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from experiments.data import held_out
from experiments.latents import sources
from experiments.latents.sources import Words
from experiments.latents.trained import Trained
from experiments.models import abilities
from experiments.pictures import diagrams, figures, kinds
from jaxgen.checks import require

SUFFIXES = (".png",)
OF_CLASS = 20


@dataclass(frozen=True)
class Options:
    """Which images, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/embed.png if not given
    images: tuple[str, ...] = ()  # to mark by name: files, folders, test:12,40
    num: int = 2_000  # held-out images at most
    label: str | None = None  # class that a conditional model is conditions; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(3 <= self.num <= 1_000_000, "--num", self.num, "in [3, 1,000,000]")


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    abilities.autoencoder(run.config)
    image_set, label = run.held_out, sources.label_of(run, options.label)
    pixels, labels = held_out.spread(image_set, min(options.num, len(image_set)))
    conditions = labels if label is None else np.full(len(pixels), label)
    latents = run.encode(pixels, conditions)
    project, axes = kinds.in_the_plane(latents)
    yield f"{len(pixels)} held-out images of {image_set.name}, codes of {run.latent_dim} numbers, across: {axes[0]}" + (
        f", upwards: {axes[1]}" if axes[1] else ""
    )
    groups = diagrams.by_class(project(latents), labels, image_set.classes)
    if options.images:
        marked, lines = sources.points(Words(run, 0, label, options.invert), options.images, OF_CLASS)
        yield from lines
        places = project(marked.latents)
        groups += [
            diagrams.Group(name, places[[index]], diagrams.BLACK, "diamond") for index, name in enumerate(marked.names)
        ]
    figures.save_png(out, diagrams.scatter(groups, *axes))
