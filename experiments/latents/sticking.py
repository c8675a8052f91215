"""Whether detail moves with the image on a way through the styles, or sticks to the places of its pixels.

Karras et al. 2021, arXiv 2106.12423, figure 1. A PNG has a row for each image: the image, the mean of images of nearby
styles, in which detail that sticks stays sharp, and the middle column of pixels on the way to the next image, where it
makes horizontal lines. A GIF goes the whole way round, the image beside the mean.
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
from jaxgen.checks import require

SUFFIXES = (".png", ".gif")


@dataclass(frozen=True)
class Options:
    """Between what, how near, and where to."""

    out: pathlib.Path | None = None  # PNG or GIF to write; RUN/sticking.png if not given
    images: tuple[str, ...] = ("sample:0,1,2,3",)  # draws from the prior, two or more
    nearby: float = 0.2  # share of the way from the styles of an image to those of another draw
    num_nearby: int = 32  # images of nearby styles, of which the mean is taken
    steps: int = 24  # of a GIF, from one image to the next
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    seed: int = 0  # of sample: and of what is nearby
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(0 < self.nearby <= 1, "--nearby", self.nearby, "in (0, 1]")
        require(2 <= self.num_nearby <= 1_000, "--num-nearby", self.num_nearby, "in [2, 1,000]")
        require(1 <= self.steps <= 500, "--steps", self.steps, "in [1, 500]")
        require_seed(self.seed)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    styled = Styled(run)
    points = styled.points(options.images, options.seed, options.label)
    if len(points) < 2:
        raise UserError("--images names one image; name two or more to go between")
    ws, others = styled.ws(points), _others(styled, options)
    width = run.config.image_shape[1]
    moving = sheet.is_gif(out)
    way = _way(ws, options.steps if moving else width)
    images, centres = styled.pixels(way), way if moving else ws
    found = [styled.pixels(_nearby(one, others, options.nearby)) for one in centres]
    means = np.stack([np.rint(some.mean(axis=0)).astype(np.uint8) for some in found])
    shares = [sharpness(some) for some in found]
    yield (
        f"in the mean of {len(others)} images of nearby styles {np.mean(shares):.1%} of the energy of detail is left: "
        f"all of it if detail sticks, {1 / len(others):.1%} if it is everywhere another"
    )
    if moving:
        sheet.save(Sheet(np.stack([images, means]), ("image", "mean of nearby"), ()), out, loops=True)
        return
    columns = images.reshape(len(ws), width, *images.shape[1:])[:, :, :, width // 2]  # row, time, height, channels
    strips = np.swapaxes(columns, 1, 2)
    tiles = np.stack([images[::width], means, strips], axis=1)
    sheet.save(Sheet(tiles, points.names, ("image", "mean", "middle")), out)


def sharpness(images: np.ndarray) -> float:
    """Energy of the differences of neighbouring pixels in the mean of images, over that of single ones, in [0, 1].

    Args:
        images: (num, height, width, channels), any real numbers; 0 for images without any differences.
    """
    images = images.astype(np.float64)
    of_mean, of_images = (
        sum((np.diff(some, axis=axis) ** 2).sum() / len(some) for axis in (1, 2))
        for some in (images.mean(axis=0, keepdims=True), images)
    )
    return float(of_mean / of_images) if of_images else 0.0


def _others(styled: Styled, options: Options) -> np.ndarray:
    """Styles towards which nearby ones lie: of the last draws that can be named, so that they are no images shown."""
    last = 2**31 - 1
    names = ",".join(str(last - number) for number in range(options.num_nearby))
    return styled.ws(styled.points((f"sample:{names}",), options.seed, options.label))


def _way(ws: np.ndarray, steps: int) -> np.ndarray:
    """Straight lines through all styles and back to the first, `steps` from each to the next."""
    t = (np.arange(steps, dtype=np.float32) / np.float32(steps))[None, :, None, None]
    return ((1 - t) * ws[:, None] + t * np.roll(ws, -1, axis=0)[:, None]).reshape(-1, *ws.shape[1:])


def _nearby(one: np.ndarray, others: np.ndarray, share: float) -> np.ndarray:
    return one[None] + np.float32(share) * (others - one[None])
