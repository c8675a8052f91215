"""Images of a style-based model twice as wide or high: the maps after one layer are stretched, or continued.

Chong, Lee, Forsyth 2021, arXiv 2111.01619: after an early layer each place is repeated, or half a map is added at both
ends, reflected, with its last places repeated, or from the other end; later layers fill in with noise of the new size.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from experiments.command_line.checks import require_seed
from experiments.latents.styled import Styled, require_layers
from experiments.latents.trained import Trained
from experiments.pictures import figures
from jaxgen.latents import feature_mixing
from jaxgen.latents.feature_mixing import Side

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options:
    """Which images, along which side, after which layer, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/stretch.png if not given
    images: tuple[str, ...] = ("sample:0,1,2,3",)  # draws from the prior, a row each
    side: Side = "width"  # which is doubled
    layer: int | None = None  # after which; the last of the second size of maps if not given
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    seed: int = 0  # of sample:
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require_seed(self.seed)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    styled = Styled(run)
    points = styled.points(options.images, options.seed, options.label)
    ws = styled.ws(points)
    sizes = styled.layer_sizes(ws)
    layer = _layer(options.layer, sizes)
    yield f"the maps of {sizes[layer][0]}x{sizes[layer][1]} after layer {layer}, twice their {options.side}"
    where = {"layer": layer, "side": options.side}
    columns = {"image": styled.pixels(ws), "stretched": styled.made(partial(feature_mixing.stretched, **where), ws)}
    for padding in ("reflect", "replicate", "circular"):
        columns[padding] = styled.made(partial(feature_mixing.padded, padding=padding, **where), ws)
    figures.save_png(out, figures.side_by_side(columns, points.names))


def _layer(given: int | None, sizes: list[tuple[int, int]]) -> int:
    """What `--layer` says, or the last of the second size before that of the image."""
    if given is not None:
        require_layers("--layer", [given], len(sizes))
        return given
    there = sorted(set(sizes[:-1]))
    return max(layer for layer, size in enumerate(sizes[:-1]) if size == there[min(1, len(there) - 1)])
