"""Runs that enlarge images, and bicubic interpolation, on test sets: `python -m experiments.benchmarks.super_resolution`.

    python -m experiments.benchmarks.super_resolution Set5/HR Set14/HR --runs runs/srresnet_photos runs/srgan_photos

A folder holds pictures of high resolution. Each is cut to a multiple of the factor, reduced, enlarged again, and
compared as the literature has it: PSNR and SSIM of the luminance, without a border as wide as the factor, the mean over
the pictures. A model of colours is given a grey picture in three equal channels, and the mean of its channels counts.
 Bicubic interpolation of the published Set5 and Set14 has 28.43 and 25.99 dB at four times.
"""

import functools
import pathlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.data import bicubic, decoding, files
from experiments.data.options import ImageOptions
from experiments.data.rows import PictureError
from experiments.runs import restore
from jaxgen import images as pixels
from jaxgen import metrics
from jaxgen.checks import require

Enlarge = Callable[[np.ndarray], np.ndarray]
"""(rows, columns, channels) uint8 to the enlarged picture, uint8."""


@dataclass(frozen=True)
class Options:
    """What is compared, and on which pictures."""

    sets: Annotated[tuple[pathlib.Path, ...], tyro.conf.Positional] = ()  # folders of pictures of high resolution
    runs: tuple[pathlib.Path, ...] = ()  # folders of runs
    factor: int = 4  # how many times as high and wide pictures become; that of the runs

    def __post_init__(self):
        require(self.factor >= 2, "--factor", self.factor, "at least 2")


class Score(NamedTuple):
    """Of one picture, or the mean of several."""

    psnr: float  # in decibels
    ssim: float


def compare(image: np.ndarray, original: np.ndarray, factor: int) -> Score:
    """PSNR and SSIM of the luminance of two uint8 pictures, without the border."""
    if original.shape[2] == 1 < image.shape[2]:
        image = image.mean(axis=2, keepdims=True)
    both = (
        metrics.without_border(metrics.luminance(jnp.asarray(each, jnp.float32)[None] / 255.0), factor)
        for each in (image, original)
    )
    one, other = both
    found = metrics.psnr(one, other, data_range=1.0), metrics.ssim(one, other, data_range=1.0)
    return Score(*(float(value[0]) for value in found))


def score(enlarge: Enlarge, originals: Sequence[np.ndarray], factor: int) -> Score:
    """The mean over pictures of what `enlarge` makes of their reductions."""
    found = []
    for original in originals:
        height, width = (side // factor * factor for side in original.shape[:2])
        small = bicubic.reduce(original, factor)
        found.append(compare(enlarge(small), original[:height, :width], factor))
    return Score(*(float(np.mean(values)) for values in zip(*found, strict=True)))


def enlarger(folder: pathlib.Path, factor: int) -> tuple[int, Enlarge]:
    """The step of a run's newest checkpoint, and its model. UserError for one of another factor, or that has none."""
    experiment, model, step, state = restore.newest(folder)
    config = experiment.model
    height, *_ = getattr(config, "input_shape", config.image_shape)
    if config.image_shape[0] != factor * height:
        raise UserError(f"{folder} makes images {config.image_shape[0] // height} times as high, not {factor}")
    sample = jax.jit(functools.partial(model.sample, config), static_argnums=2)

    def enlarge(small: np.ndarray) -> np.ndarray:
        small = np.broadcast_to(small, (*small.shape[:2], config.image_shape[2]))
        inputs = pixels.scale(jnp.asarray(small)[None], config.value_range)
        return np.asarray(pixels.to_pixels(sample(state, jax.random.key(0), 1, inputs), config.value_range)[0])

    return step, enlarge


def pictures(folder: pathlib.Path) -> list[np.ndarray]:
    """The pictures of a folder, as they are stored. UserError for one that cannot be used, or none."""
    paths = files.walk(files.folder_of(str(folder), "folder"))
    files.require_pictures(paths, folder)
    try:
        return [decoding.decode(path.read_bytes(), ImageOptions()) for path in paths]
    except PictureError as error:
        raise UserError(f"{folder} has a picture that {error}") from error


def lines(options: Options) -> Iterator[str]:
    """The table, a line for each candidate as soon as it is known."""
    sets = {folder: pictures(folder) for folder in options.sets}
    yield f"{'':<36}" + "".join(f"{folder.parent.name + '/' + folder.name:>20}" for folder in sets)

    def bicubically(small: np.ndarray) -> np.ndarray:
        return bicubic.resize(small, *(options.factor * side for side in small.shape[:2]))

    candidates: dict[str, Enlarge] = {"bicubic": bicubically}
    for folder in options.runs:
        step, enlarge = enlarger(folder, options.factor)
        candidates[f"{folder.name}, step {step:,}"] = enlarge
    for name, enlarge in candidates.items():
        found = [score(enlarge, originals, options.factor) for originals in sets.values()]
        yield f"{name:<36}" + "".join(f"{one.psnr:>12.2f} {one.ssim:.4f} " for one in found)


def main(argv: Sequence[str]) -> int:
    """Print the table."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.super_resolution", __doc__ or "")
    if not options.sets:
        raise UserError("name one folder of pictures or more, for example Set5/HR")
    for line in lines(options):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    cli.run(main)
