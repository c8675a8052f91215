"""Holes of every kind in many held-out images, filled by a run, by other runs and with a mean: a table with intervals.

Yeh et al. 2016, arXiv 1607.07539, table 1. What fills: a search through the latents of RUN and of other generators,
networks that were trained to fill holes, denoisers by RePaint, and the mean of what is known. A network with a hole of
its own, such as a context encoder, fills that one alone, and so do all others in a line more.
"""

import pathlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from experiments.command_line.errors import UserError
from experiments.evaluation import holes as baseline
from experiments.evaluation import judging
from experiments.evaluation.rows import Cell, mean_cell
from experiments.evaluation.table import shown
from experiments.latents import denoised, filling, holes, searching, sheet, trained
from experiments.latents.searching import decibels
from experiments.latents.sheet import Sheet
from experiments.latents.sources import Originals
from experiments.latents.trained import Trained
from experiments.models import abilities, progress
from experiments.runs.experiment import model_of
from jaxgen.abilities import DiffusionEditor, Inpainter

FORMAT = 1
MEAN = "mean of what is known"

SHOWN = 2
"""Images of each kind of hole in the picture."""

OWN_HOLE = "fills the hole that it was trained with alone"


class Filler(NamedTuple):
    """What fills holes."""

    fill: Callable[..., np.ndarray]  # (uint8 pixels, masks, labels or None) to pixels
    own: np.ndarray | None = None  # the mask of one that fills no other
    labels: np.ndarray | None = None  # that it is told
    counted: bool = True  # whether it takes long enough to be counted


def draw(run: Trained, options: Any, out: pathlib.Path) -> Iterator[str]:
    """Write the picture, and the table as JSON beside it; the lines are the table."""
    chosen = _held_out(run, options.table)
    beside = _loaded(run, options.beside)
    masks = {
        name: holes.masks(name, len(chosen.pixels), run.config.image_shape, options.seed)[0] for name in holes.NAMES
    }
    for name, other in beside.items():
        own = filling.own_holes(other, chosen.pixels)
        if own is not None and not any(np.array_equal(own, mask) for mask in masks.values()):
            masks[f"of {name}"] = own
    with progress.bar(0, "image", "filling") as bar:
        fillers = _fillers({run.folder.name: run} | beside, options, chosen, lambda num: progress.advance(bar, num))
        bar.total = sum(
            len(chosen.pixels)
            for mask in masks.values()
            for each in fillers.values()
            if each.counted and _fits(each, mask)
        )
        found = {name: _filled(fillers, chosen, mask) for name, mask in masks.items()}
    rows = [
        {
            "mask": name,
            "missing": float(1 - masks[name].mean()),
            "fills": _cells(found[name], chosen, masks[name], options),
        }
        for name in masks
    ]
    path = out.with_suffix(".json")
    about = {"format": FORMAT, "experiment": run.folder.name, "step": run.step, "data": run.experiment.data}
    settings = {name: getattr(options, name) for name in ("space", "method", "steps", "starts", "prior_weight", "seed")}
    judging.write(path, about | {"num": len(chosen.pixels), "search": settings, "rows": rows})
    yield f"{len(chosen.pixels)} held-out images of {run.experiment.data}; PSNR in dB, in brackets intervals of 95 %"
    yield from _lines(rows)
    yield f"the table in {path}"
    _picture(found, chosen, masks, out)


def _held_out(run: Trained, num: int) -> Originals:
    """So many held-out images, evenly spread over all."""
    there = len(run.held_out)
    if num > there:
        raise UserError(f"--table is {num}, but {there} images are held out; ask for fewer")
    places = np.arange(num) * there // num
    labels = None if run.held_out.labels is None else run.held_out.labels[places]
    return Originals(tuple(f"test {place}" for place in places), np.asarray(run.held_out.batch(places)), labels)


def _loaded(run: Trained, folders: tuple[pathlib.Path, ...]) -> dict[str, Trained]:
    """Other runs by the names of their folders. UserError for one that does not fit."""
    found: dict[str, Trained] = {}
    for folder in folders:
        other = trained.load(folder)
        if not isinstance(model_of(other.config), Inpainter):
            abilities.latent_model(other.config)
        if other.config.image_shape != run.config.image_shape:
            sizes = other.config.image_shape, run.config.image_shape
            raise UserError(f"--beside {folder} makes images {sizes[0]}, but {run.folder} {sizes[1]}; name another run")
        if other.conditional and other.experiment.data != run.experiment.data:
            raise UserError(f"--beside {folder} is told classes of other data; name a run of {run.experiment.data}")
        if folder.name in {run.folder.name, MEAN, *found}:
            raise UserError(f"--beside names two runs called {folder.name}; name each once")
        found[folder.name] = other
    return found


def _fillers(runs: dict[str, Trained], options: Any, chosen: Originals, advance: filling.Advance) -> dict[str, Filler]:
    """Of each run, and the mean; the first run is searched in the space of the options, others in z.

    Denoisers beside it fill by RePaint with the numbers of its paper.
    """
    found = {}
    for number, (name, run) in enumerate(runs.items()):
        if number and isinstance(model_of(run.config), Inpainter):
            found[name] = Filler(filling.by_network(run, options.seed, advance), filling.own_holes(run, chosen.pixels))
            continue
        if number and isinstance(model_of(run.config), DiffusionEditor):
            fill = denoised.fills_by_default(run, options.seed, advance)
            found[name] = Filler(fill, labels=searching.labels_for(run, chosen.labels))
            continue
        space = searching.space_of(run, "z" if number else options.space, options.seed)
        search = filling.by_search(run, options, space, advance)
        found[name] = Filler(
            lambda *given, search=search: search(*given).images, None, searching.labels_for(run, chosen.labels)
        )
    return found | {MEAN: Filler(lambda pixels, masks, _: baseline.plain(pixels, masks), counted=False)}


def _fits(filler: Filler, mask: np.ndarray) -> bool:
    return filler.own is None or np.array_equal(filler.own, mask)


def _filled(fillers: dict[str, Filler], chosen: Originals, mask: np.ndarray) -> dict[str, np.ndarray | None]:
    """The images as each fills them; None of those that do not."""
    return {
        name: each.fill(chosen.pixels, mask, each.labels) if _fits(each, mask) else None
        for name, each in fillers.items()
    }


def _cells(found: dict[str, np.ndarray | None], chosen: Originals, mask: np.ndarray, options: Any) -> dict[str, Any]:
    """PSNR of the whole images and of their holes."""
    cells: dict[str, Any] = {}
    for name, filled in found.items():
        if filled is None:
            cells[name] = {"reason": OWN_HOLE}
            continue
        values = {
            "psnr": decibels(filled, chosen.pixels),
            "hole_psnr": filling.hole_decibels(filled, chosen.pixels, mask),
        }
        cells[name] = {key: _cell(value, options.seed) for key, value in values.items()}
    return cells


def _cell(values: np.ndarray, seed: int) -> dict[str, Any]:
    """The mean of those that are finite, which those of equal pixels are not."""
    finite = values[np.isfinite(values)]
    cell = mean_cell(finite, seed) if len(finite) else Cell(reason="all pixels are equal")
    return {key: value for key, value in asdict(cell).items() if value is not None}


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    """The table, a line for each kind of hole and what fills it."""
    body = [["holes", "missing", "filled by", "PSNR", "in the hole"]]
    for row in rows:
        for name, cells in row["fills"].items():
            values = [cells["reason"], ""] if "reason" in cells else [shown(cells["psnr"]), shown(cells["hole_psnr"])]
            body.append([row["mask"], f"{row['missing']:.0%}", name, *values])
    widths = [max(len(line[place]) for line in body) for place in range(len(body[0]))]
    return ["  ".join(f"{word:<{width}}" for word, width in zip(line, widths, strict=True)).rstrip() for line in body]


def _picture(
    found: dict[str, dict[str, np.ndarray | None]], chosen: Originals, masks: dict[str, np.ndarray], out: pathlib.Path
) -> None:
    """The first images with each kind of hole, and what each makes of it; white where it does not."""
    shown_, rows = [], []
    for name, mask in masks.items():
        for place in range(SHOWN):
            image = chosen.pixels[place]
            seen = np.where(mask[place] > 0, image, 128).astype(np.uint8)
            others = [np.full_like(image, 255) if each is None else each[place] for each in found[name].values()]
            shown_.append(np.stack([image, seen, *others]))
            rows.append(f"{name}: {chosen.names[place]}")
    columns = ("image", "seen", *next(iter(found.values())))
    sheet.save(Sheet(np.stack(shown_), tuple(rows), columns), out)
