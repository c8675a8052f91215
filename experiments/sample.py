"""Draw from a finished or stopped run: `python -m experiments.sample RUN --num 64 --out digits.png`.

The images come from the run's newest checkpoint (or another, --step), from the moving average of the generator's
weights. Image i depends on the seed and on i alone, so a larger picture begins with the images of a smaller one.
"""

import functools
import math
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments import cli
from experiments.experiment import UserError
from jaxgen.checks import require

CHUNK = 250
"""Images drawn at a time: bounds the memory, and one compilation serves any number."""


@dataclass(frozen=True)
class Options:
    """What to draw, and where to put it."""

    num: int = 64  # images to draw
    out: pathlib.Path | None = None  # picture to write; RUN/sample.png if not given
    seed: int = 0  # of the latents
    columns: int | None = None  # images in a row; a square if not given
    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own

    def __post_init__(self):
        require(self.num >= 1, "--num", self.num, "at least 1")
        require(0 <= self.seed < 2**32, "--seed", self.seed, "in [0, 2^32)")
        require(self.columns is None or 1 <= self.columns <= self.num, "--columns", self.columns, "in [1, --num]")
        require(not isinstance(self.step, int) or self.step >= 1, "--step", self.step, "at least 1")


def main(argv: Sequence[str]) -> int:
    """Write one PNG."""
    folder, options = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.sample RUN [options]")
        return 0
    chosen = cli.parse(
        Options,
        Options(),
        options,
        prog="python -m experiments.sample RUN",
        description=(__doc__ or "").partition("\n")[0],
    )
    out = chosen.out or folder / "sample.png"
    if out.suffix.lower() != ".png":
        raise UserError(f"--out is {out}, but must end in .png")

    from experiments import figures

    with _writing(out):
        if chosen.out:
            out.parent.mkdir(parents=True, exist_ok=True)  # before the time is spent on drawing
    step, samples = draw(folder, chosen.num, chosen.seed, chosen.step)
    picture = figures.grid(samples, chosen.columns) if samples.ndim == 4 else _points(folder, samples)
    with _writing(out):
        figures.save_png(out, picture)
    print(f"wrote {chosen.num} images of step {step:,} to {out}")
    return 0


def draw(
    folder: pathlib.Path, num: int, seed: int, which: int | Literal["newest", "best"] = "newest"
) -> tuple[int, np.ndarray]:
    """The step of a checkpoint, the newest good one, and `num` images from it, uint8 (num, height, width, channels).

    Samples of a model of points are float32 (num, dimensions).
    """
    from experiments import restore

    experiment, _, step, state = restore.at(folder, which)
    require_memory("--num", num, experiment.model.image_shape)
    return step, drawer(experiment.model)(state, num, seed)


@functools.cache
def drawer(config: Any) -> Callable[[Any, int, int], np.ndarray]:
    """(state, number, seed) to samples of a model, as `draw` has them; compiled once for each config."""
    import jax

    from experiments.experiment import model_of
    from jaxgen import images

    sample = jax.jit(functools.partial(model_of(config).sample, config), static_argnames="num")

    def chunk(state: Any, seed: int, index: int) -> Any:
        key = jax.random.fold_in(jax.random.key(seed), index)
        samples = sample(state, key, num=CHUNK)
        if len(config.image_shape) == 1:
            return np.asarray(samples)
        return np.asarray(images.to_pixels(samples, config.value_range))

    def drawn(state: Any, num: int, seed: int) -> np.ndarray:
        return np.concatenate([chunk(state, seed, index) for index in range(-(-num // CHUNK))])[:num]

    return drawn


def _points(folder: pathlib.Path, samples: np.ndarray) -> np.ndarray:
    """Samples over as many real points."""
    from experiments import data, pictures, runs

    _, experiment = runs.read(folder)
    real = data.load_for(experiment)
    return pictures.points(samples, np.asarray(real.batch(np.arange(min(len(real), len(samples))))))


@contextmanager
def _writing(out: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}; choose another --out") from error


def require_memory(option: str, num: int, image_shape: tuple[int, ...]) -> None:
    """UserError unless the images that an option asks for fit into memory."""
    needed, there = num * math.prod(image_shape), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        raise UserError(f"{option} {num} takes {needed / 1e9:,.1f} GB, but there are {there / 1e9:,.1f} GB of memory")


if __name__ == "__main__":
    cli.run(main)
