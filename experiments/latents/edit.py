"""Images edited by what is painted on them: candidates of the model that obey, and the photograph changed as they are.

A layer says where and what: its opaque pixels are colours that are wanted there, or lines (--kind edges). --moves takes
patches to other places. Candidates are latents near to those of the image, the best first; last comes the image itself
with the motion and the change of colour of the best one. The latents lie beside the picture, in an .npz, for other
actions as latents:FILE.npz.
"""

import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from experiments.command_line.errors import UserError
from experiments.latents import editor, layers, project, saved, searching, sheet, sources
from experiments.latents.editor import Origin, Search
from experiments.latents.layers import Wishes
from experiments.latents.sheet import Sheet
from experiments.latents.sources import LATENTS, Points, Words
from experiments.latents.trained import Trained
from experiments.models import abilities
from jaxgen.checks import require
from jaxgen.losses.reconstruction import mean_squared_error

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options(Search):
    """Which images, what is wanted of them, how it is searched for, and where to."""

    out: pathlib.Path | None = None  # PNG to write, and an .npz of the same name; RUN/edit.png if not given
    images: tuple[str, ...] = ("sample:0",)  # classes, test:12,40, sample:0,5, latents:FILE, files, folders
    layer: pathlib.Path | None = None  # a picture of the images' size, opaque where it is painted
    kind: Literal["color", "edges"] = "color"  # what the layer shows: colours, or lines where the image has edges
    moves: tuple[str, ...] = ()  # patches that go elsewhere, row,column>row,column: '2,3>5,3'
    side: int | None = None  # of these patches, pixels, odd; about a quarter of the image if not given
    num: int = 1  # images of each class, at most
    columns: int = 6  # candidates that are shown
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.num <= 1_000, "--num", self.num, "in [1, 1,000]")
        require(1 <= self.columns <= 100, "--columns", self.columns, "in [1, 100]")
        right = self.side is None or (self.side >= 1 and self.side % 2 == 1)
        require(right, "--side", self.side, "odd and positive")
        editor.require_settings(self)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    abilities.latent_model(run.config)
    wishes = wishes_of(options, run.config.image_shape)
    words = Words(run, options.seed, sources.label_of(run, options.label), options.invert)
    points, photographs, lines = begun(words, options.images, options.num)
    yield from lines
    edit, move = editor.editor(run, options), editor.mover(run)
    starts = run.decode(points.latents, points.labels)
    shown, latents, values = [], [], []
    for place, photograph in enumerate(photographs):
        origin = Origin(points.latents[place], None if points.labels is None else int(points.labels[place]))
        wanted = wishes(starts[place])
        found = edit(origin, wanted)
        latents.append(found.latents)
        values.append(found.values)
        changed = move(origin, found.latents[0], photograph)
        seen = layers.laid_on(starts[place], wanted)
        shown.append(np.stack([photograph, starts[place], seen, *found.pixels[: options.columns], changed]))
        yield f"{points.names[place]}: {found.values[0]:.4g} of the best of {len(found.values)} candidates"
    names = tuple(f"{name}, candidate {1 + rank}" for name in points.names for rank in range(len(latents[0])))
    labels = None if points.labels is None else np.repeat(points.labels, len(latents[0]))
    path = saved.write(out, np.concatenate(latents), "z", names, labels=labels, values=np.concatenate(values))
    yield f"latents of the space z in {path}"
    ranks = [str(1 + rank) for rank in range(min(options.columns, len(latents[0])))]
    sheet.save(Sheet(np.stack(shown), points.names, ("image", "start", "wanted", *ranks, "changed")), out)


def wishes_of(options: Options, shape: tuple[int, ...]) -> Callable[[np.ndarray], Wishes]:
    """What --layer, --kind and --moves say of an image, uint8. UserError without any."""
    if options.layer is None and not options.moves:
        raise UserError("nothing is wanted of the images; give --layer LAYER.png or --moves 'row,column>row,column'")
    layer = None if options.layer is None else layers.read(options.layer, shape)
    of_layer = Wishes(edges=layers.lines(layer)) if layer and options.kind == "edges" else Wishes(layer)
    places = layers.moves(options.moves, shape)
    side = options.side or max(1, min(shape[:2]) // 4) | 1

    def wishes(pixels: np.ndarray) -> Wishes:
        if not len(places):
            return of_layer
        patches = layers.moved(pixels, places, side)
        return Wishes(*(layers.over(patches, painted) for painted in of_layer))

    return wishes


def begun(words: Words, names: tuple[str, ...], of_class: int) -> tuple[Points, np.ndarray, list[str]]:
    """Latents of all images, found by `project` where they are not known; the images as uint8 pixels; and the lines."""
    run, parts, pixels, said = words.run, [], [], []
    for name in names:
        if name.startswith(LATENTS):
            found, lines = sources.points(words, [name], of_class)
            pixels.append(run.decode(found.latents, found.labels))
        else:
            chosen, lines = sources.originals(words, [name], of_class)
            labels = searching.labels_for(run, chosen.labels)
            space = searching.space_of(run, "z", words.seed)
            wanted = project.Wanted(chosen.pixels, labels)
            latents, made = project.search(run, project.Options(), space, mean_squared_error, wanted)
            found = Points(chosen.names, latents, labels, chosen.pixels)
            ratio = searching.decibels(made, chosen.pixels).mean()
            lines = [*lines, f"{name}: latents found, PSNR {searching.said(ratio)} dB"]
            pixels.append(chosen.pixels)
        parts.append(found)
        said += lines
    return sources.joined(parts), np.concatenate(pixels), said
