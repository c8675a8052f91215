"""Two images in one, blended in the maps of a style-based model: by halves, in a box, or a patch of one in the other.

Chong, Lee, Forsyth 2021, arXiv 2111.01619. Beside both images stand what the same blend of their pixels gives, and that
of the maps: horizontal and vertical lead from the first to the second, transfer takes what is in a soft box of the
second, with the maps around it in view, swap puts the second's maps of one layer into the box.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.latents import sheet
from experiments.latents.sheet import Sheet
from experiments.latents.styled import Styled, require_layers
from experiments.latents.trained import Trained
from jaxgen.latents import feature_mixing
from jaxgen.latents.blending import soft_composite
from jaxgen.latents.feature_mixing import Box

SUFFIXES = (".png",)
SIDES: dict[str, feature_mixing.Side] = {"horizontal": "width", "vertical": "height"}

LAST = 9 / 13
"""Of all layers, the last one in which an attribute is transferred: 9 of 0 to 13 in the authors' code."""

PATCHES = 16
"""Side of the maps, at most, in which a patch is swapped; a quarter of the image if that is less."""


@dataclass(frozen=True)
class Options:
    """Which images, how they are blended, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/blend.png if not given
    images: tuple[str, ...] = ("sample:0,1,2",)  # draws that are blended, a row each
    others: tuple[str, ...] = ("sample:3,4,5",)  # the other of each row
    way: Literal["horizontal", "vertical", "transfer", "swap"] = "horizontal"  # ramps; a soft box; a patch
    box: tuple[int, int, int, int] | None = None  # top, left, height, width in pixels; the middle half if not given
    layers: tuple[int, int] | None = None  # first and last in which the other counts; all, or 0 to 9/13 of transfer
    layer: int | None = None  # of swap; the last of maps of 16 places, or of a quarter of the image, if not given
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    seed: int = 0  # of sample:
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require_seed(self.seed)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    styled = Styled(run)
    points = [styled.points(names, options.seed, options.label) for names in (options.images, options.others)]
    if len(points[0]) != len(points[1]):
        raise UserError(f"--images are {len(points[0])} images and --others {len(points[1])}; name equally many")
    ws, others = map(styled.ws, points)
    sizes = styled.layer_sizes(ws)
    height, width, _ = run.config.image_shape
    box = _box(options.box, height, width)
    if options.way == "swap":
        layer = _layer(options.layer, sizes, min(height, width))
        _require_places(box, sizes[layer], (height, width), layer)
        alpha = _inside(box, height, width)
        blended = styled.made(partial(feature_mixing.swapped, box=box, layer=layer), ws, others)
        yield f"the maps of {sizes[layer][0]}x{sizes[layer][1]} after layer {layer} in {_said(box)}"
    else:
        first, last = _layers(options, len(sizes))
        alpha = (
            feature_mixing.blurred_box(box, height, width)
            if options.way == "transfer"
            else feature_mixing.ramp(height, width, SIDES[options.way])
        )

        def mix(draw: Any, ws: Any, others: Any) -> Any:
            alphas = jnp.broadcast_to(alpha[None, None], (len(ws), 1, *alpha.shape))
            return feature_mixing.mixed(draw, jnp.stack([ws, others], axis=1), alphas, range(first, last + 1))

        blended = styled.made(mix, ws, others)
        yield f"layers {first} to {last} of 0 to {len(sizes) - 1}" + f", {_said(box)}" * (options.way == "transfer")
    pixels = [styled.pixels(each) for each in (ws, others)]
    tiles = np.stack([*pixels, _of_pixels(pixels, np.asarray(alpha)), blended], axis=1)
    rows = tuple(f"{one}, {other}" for one, other in zip(points[0].names, points[1].names, strict=True))
    sheet.save(Sheet(tiles, rows, ("image", "other", "pixels", "maps")), out)


def _box(given: tuple[int, int, int, int] | None, height: int, width: int) -> Box:
    """What `--box` says, or the middle half. UserError for one that is not within the image."""
    if given is None:
        return Box(height // 4, width // 4, max(1, height // 2), max(1, width // 2))
    box = Box(*given)
    try:
        feature_mixing.require_box(box, height, width)
    except ValueError as error:
        raise UserError(f"--{error}") from error
    return box


def _layer(given: int | None, sizes: list[tuple[int, int]], side: int) -> int:
    """What `--layer` says, or the last one of small maps."""
    if given is not None:
        require_layers("--layer", [given], len(sizes))
        return given
    longest = max(min(sizes[0]), min(PATCHES, side // 4))
    return max(layer for layer, size in enumerate(sizes) if min(size) <= longest)


def _layers(options: Options, num: int) -> tuple[int, int]:
    """What `--layers` says, all of them, or those of a transfer."""
    if options.layers is None:
        return 0, round(LAST * (num - 1)) if options.way == "transfer" else num - 1
    require_layers("--layers", options.layers, num)
    if options.layers[0] > options.layers[1]:
        raise UserError(f"--layers is {options.layers[0]} {options.layers[1]}, but must be a first and a last layer")
    return options.layers


def _require_places(box: Box, size: tuple[int, int], image: tuple[int, int], layer: int) -> None:
    """UserError for a box in which a map has no place."""
    for start, length, places, pixels in zip(box[:2], box[2:], size, image, strict=True):
        if start * places // pixels == (start + length) * places // pixels:
            raise UserError(
                f"--box has a side of {length} pixels, but a place after layer {layer} has {pixels // places}; "
                "give a larger box or a later --layer"
            )


def _inside(box: Box, height: int, width: int) -> np.ndarray:
    alpha = np.zeros((height, width, 1), np.float32)
    alpha[box.top : box.top + box.height, box.left : box.left + box.width] = 1
    return alpha


def _said(box: Box) -> str:
    return f"a box of {box.height}x{box.width} pixels from row {box.top} and column {box.left}"


def _of_pixels(pixels: list[np.ndarray], alpha: np.ndarray) -> np.ndarray:
    """The blend of both images' pixels."""
    first, second = (each.astype(np.float32) for each in pixels)
    alphas = np.broadcast_to(alpha[None], (len(first), *alpha.shape))
    return np.rint(np.asarray(soft_composite(*map(jnp.asarray, (second, first, alphas))))).astype(np.uint8)
