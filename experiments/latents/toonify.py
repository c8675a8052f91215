"""The coarse layers of a style-based run and the fine ones of another that was trained on from it.

Pinkney, Adler 2020, arXiv 2010.05334; Chong, Lee, Forsyth 2021, arXiv 2111.01619. At the left stand the images of RUN,
at the right those of --tuned, of the same styles; between, RUN makes the maps up to a layer, and --tuned goes on.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.latents import sheet, trained
from experiments.latents.sheet import Sheet
from experiments.latents.styled import Styled, require_layers
from experiments.latents.trained import Trained
from jaxgen.gans import style_features

SUFFIXES = (".png",)

COLUMNS = 6
"""Layers after which the other goes on, at most, where none are named."""


@dataclass(frozen=True)
class Options:
    """Which other run, which images, after which layers, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/toonify.png if not given
    tuned: pathlib.Path | None = None  # folder of a run of the same network, whose training began with RUN
    images: tuple[str, ...] = ("sample:0,1,2,3",)  # draws of RUN, a row each
    layers: tuple[int, ...] = ()  # after which --tuned goes on, a column each; some of all if not given
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    seed: int = 0  # of sample:
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require_seed(self.seed)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    styled = Styled(run)
    if options.tuned is None:
        raise UserError("--tuned is missing; name the folder of a run of the same network, trained on from this one")
    other = _of_one_network(run, trained.load(options.tuned))
    points = styled.points(options.images, options.seed, options.label)
    ws = styled.ws(points)
    num = ws.shape[1]
    require_layers("--layers", options.layers, num)
    layers = options.layers or tuple(sorted({round(cut) for cut in np.linspace(0, num - 2, min(COLUMNS, num - 1))}))
    yield f"of {num} layers, the first 1 to {max(layers) + 1} of {run.folder}, the others of {other.folder}"

    def mixed(layer: int) -> np.ndarray:
        return styled.made(partial(style_features.continued, layer=layer), ws, others=(other,))

    tiles = np.stack([styled.pixels(ws), *map(mixed, reversed(layers)), Styled(other).pixels(ws)], axis=1)
    names = tuple(f"layers 0 to {layer}" if layer else "layer 0" for layer in reversed(layers))
    sheet.save(Sheet(tiles, points.names, ("run", *names, "tuned")), out)


def _of_one_network(run: Trained, other: Trained) -> Trained:
    """The other run. UserError where its network is another one."""
    for name in ("synthesis", "image_shape", "value_range"):
        if getattr(run.config, name, None) != getattr(other.config, name, None):
            raise UserError(f"{other.folder} has another {name} than {run.folder}; use runs of one network")
    return other
