"""Images of a style-based model side by side in one, each leading into the next.

Chong, Lee, Forsyth 2021, arXiv 2111.01619: the maps of all layers lie side by side, and where two overlap a ramp leads
from one image's to the other's.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.latents.styled import Styled
from experiments.latents.trained import Trained
from experiments.pictures import figures
from jaxgen.latents import feature_mixing

SUFFIXES = (".png",)

MOST = 16
"""Images of one panorama: its memory grows with their square."""


@dataclass(frozen=True)
class Options:
    """Of which images, how far they overlap, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/panorama.png if not given
    images: tuple[str, ...] = ("sample:0,1,2,3",)  # draws from left to right
    overlap: int | None = None  # of neighbours, in pixels; half of an image's width if not given
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
    if not 2 <= len(points) <= MOST:
        raise UserError(f"--images are {len(points)}, but must be 2 to {MOST} images, from left to right")
    ws = styled.ws(points)
    overlap = _overlap(options.overlap, run.config.image_shape[1], styled.layer_sizes(ws)[0][1])
    pixels = styled.made(partial(feature_mixing.panorama, overlap=overlap), ws[None])
    yield f"{len(points)} images, neighbours overlap in {overlap} pixels: {pixels.shape[2]}x{pixels.shape[1]}"
    figures.save_png(out, figures.grid(pixels, gap=0, shortest_side=128))


def _overlap(given: int | None, width: int, places: int) -> int:
    """What `--overlap` says, or half of the width. UserError for one that splits a place of the first map."""
    place = width // places
    overlap = place * (places // 2) if given is None else given
    if not place <= overlap <= width or overlap % place:
        raise UserError(f"--overlap is {overlap}, but must be a multiple of {place} in [{place}, {width}]")
    return overlap
