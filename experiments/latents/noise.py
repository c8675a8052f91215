"""What the noise inputs of a style-based model change: an image drawn with other noise, with none, with some of it.

Karras, Laine, Aila 2018, arXiv 1812.04948, figures 4 and 5. A row for each image: with noise in all layers, drawn anew
a few times; the standard deviation of each pixel over many draws, white where it is largest; without noise; with noise
in the layers of large maps alone (fine); in those of small maps alone (coarse).
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import jax
import numpy as np

from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.latents import sheet
from experiments.latents.sheet import Sheet
from experiments.latents.styled import Styled
from experiments.latents.trained import Trained
from jaxgen.checks import require
from jaxgen.gans import noise_inputs

SUFFIXES = (".png",)


@dataclass(frozen=True)
class Options:
    """Of what images, how often, and where to."""

    out: pathlib.Path | None = None  # PNG to write; RUN/noise.png if not given
    images: tuple[str, ...] = ("sample:0,1,2,3",)  # draws from the prior
    variants: int = 3  # images with other noise, shown
    draws: int = 100  # of the noise, for the standard deviation
    coarse: int | None = None  # longest side of a map that is coarse; the smaller half of all sizes if not given
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    seed: int = 0  # of sample: and of the noise
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.variants <= 20, "--variants", self.variants, "in [1, 20]")
        require(2 <= self.draws <= 10_000, "--draws", self.draws, "in [2, 10,000]")
        require(self.coarse is None or self.coarse >= 1, "--coarse", self.coarse, "at least 1")
        require_seed(self.seed)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    styled = Styled(run)
    points = styled.points(options.images, options.seed, options.label)
    ws = styled.ws(points)
    sizes = {layer: max(size) for layer, size in styled.map_sizes(ws).items()}
    if not sizes:
        raise UserError(f"{run.name} has no noise inputs: its images are functions of their styles alone")
    fine, coarse = _groups(sizes, options.coarse)
    off = {"none": sizes, "fine": coarse, "coarse": fine}
    states = {name: noise_inputs.scaled(run.state, dict.fromkeys(layers, 0.0)) for name, layers in off.items()}
    states = {"all": run.state} | states
    yield f"fine layers: {_said(sizes, fine)}; coarse layers: {_said(sizes, coarse)}"

    keys = [_keys(options.seed, number, len(ws)) for number in range(options.draws)]
    variants = [styled.pixels(ws, _keys(options.seed, number, len(ws))) for number in range(options.variants + 1)]
    deviations = {name: _deviation(styled, ws, keys, states[name]) for name in ("all", "fine", "coarse")}
    for name, found in deviations.items():
        yield f"noise in {name} layers: standard deviation {found.mean():.3g} of 255 levels, {found.max():.3g} at most"
    single = [styled.pixels(ws, keys[0], states[name]) for name in ("none", "fine", "coarse")]
    tiles = np.stack([*variants, _shown(deviations["all"], variants[0].shape[-1]), *single], axis=1)
    others = [f"noise {number}" for number in range(2, options.variants + 2)]
    names = ("all layers", *others, "deviation", "no noise", "fine layers", "coarse layers")
    sheet.save(Sheet(tiles, points.names, names), out)


def _groups(sizes: dict[str, int], longest: int | None) -> tuple[list[str], list[str]]:
    """Layers of large maps and of small ones. UserError where one of both would be empty."""
    there = sorted(set(sizes.values()))
    if longest is None:
        longest = there[max(1, len(there) // 2) - 1]
    groups = [[layer for layer, size in sizes.items() if (size > longest) == large] for large in (True, False)]
    if not all(groups):
        sides = ", ".join(map(str, there))
        raise UserError(f"--coarse is {longest}, but maps have sides of {sides}; choose one of these but the largest")
    return groups[0], groups[1]


def _said(sizes: dict[str, int], layers: list[str]) -> str:
    sides = sorted({sizes[layer] for layer in layers})
    return f"{len(layers)} of maps of side {' to '.join(map(str, dict.fromkeys((sides[0], sides[-1]))))}"


def _keys(seed: int, number: int, num: int) -> jax.Array:
    """Of the noise of each image in one draw."""
    return jax.random.split(jax.random.fold_in(jax.random.key(seed), number), num)


def _deviation(styled: Styled, ws: np.ndarray, keys: list[jax.Array], state: object) -> np.ndarray:
    """Of each pixel over the draws, the root mean square over its channels: (num, height, width), of 255 levels."""
    total = square = np.zeros(())
    for each in keys:
        images = styled.images(ws, each, state).astype(np.float64)
        total, square = total + images, square + images**2
    variance = np.maximum(square / len(keys) - (total / len(keys)) ** 2, 0.0)
    low, high = styled.run.config.value_range
    return np.sqrt(variance.mean(axis=-1)) * 255 / (high - low)


def _shown(deviation: np.ndarray, channels: int) -> np.ndarray:
    """Grey pixels, the largest white."""
    grey = np.rint(255 * deviation / max(deviation.max(), 1e-12)).astype(np.uint8)
    return np.repeat(grey[..., None], channels, axis=-1)
