"""Styles of some images in others: rows give a part of the layers, columns all the rest.

Karras, Laine, Aila 2018, arXiv 1812.04948, figure 3. The first row has the images of --columns, the first column those
of --rows; each other image is that of its column with the coarse, middle or fine styles of its row: pose and shape,
features, colours and detail.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.latents import sheet
from experiments.latents.sheet import Sheet
from experiments.latents.styled import Styled
from experiments.latents.trained import Trained

SUFFIXES = (".png",)
BANDS = ("coarse", "middle", "fine")


@dataclass(frozen=True)
class Options:
    """Between what, where layers are cut, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/mix.png if not given
    rows: tuple[str, ...] = ("sample:0,1,2",)  # draws that give a part of the styles
    columns: tuple[str, ...] = ("sample:3,4,5,6,7",)  # draws that give all others
    layers: tuple[int, int] | None = None  # first middle and first fine layer; at 4/18 and 8/18 of all if not given
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    seed: int = 0  # of sample:
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require_seed(self.seed)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    styled = Styled(run)
    rows, columns = (styled.points(names, options.seed, options.label) for names in (options.rows, options.columns))
    givers, takers = styled.ws(rows), styled.ws(columns)
    bands = _bands(givers.shape[1], options.layers)
    yield "layers, counted from 0: " + ", ".join(f"{name} {part.start} to {part.stop - 1}" for name, part in bands)
    mixed = np.concatenate([_mixed(giver, takers, part) for _, part in bands for giver in givers])
    pixels = styled.pixels(np.concatenate([givers, takers, mixed]))
    given, taken, mixed = np.split(pixels, [len(givers), len(givers) + len(takers)])
    body = mixed.reshape(len(bands) * len(givers), len(takers), *pixels.shape[1:])
    body = np.concatenate([np.concatenate([given] * len(bands))[:, None], body], axis=1)
    head = np.concatenate([np.full_like(taken[:1], 255), taken])[None]
    names = tuple(f"{band}: {name}" for band, _ in bands for name in rows.names)
    sheet.save(Sheet(np.concatenate([head, body]), ("", *names), ("", *columns.names)), out)


def _bands(num: int, cuts: tuple[int, int] | None) -> list[tuple[str, slice]]:
    """The layers of each band. UserError where one would be empty."""
    if cuts is None:
        middle = max(1, round(num * 4 / 18))
        cuts = middle, max(middle + 1, round(num * 8 / 18))
    if not 0 < cuts[0] < cuts[1] < num:
        raise UserError(f"--layers is {cuts[0]} {cuts[1]}, but must be two numbers in order, in [1, {num - 1}]")
    return list(zip(BANDS, (slice(0, cuts[0]), slice(*cuts), slice(cuts[1], num)), strict=True))


def _mixed(giver: np.ndarray, takers: np.ndarray, part: slice) -> np.ndarray:
    """The styles of the takers with those of the giver in a part of the layers."""
    found = takers.copy()
    found[:, part] = giver[part]
    return found
