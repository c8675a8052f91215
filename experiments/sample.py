"""Draw from a finished or stopped run: `python -m experiments.sample RUN --num 64 --out digits.png`.

The images come from the run's newest checkpoint (or another, --step), from the moving average of the generator's
weights. Image i depends on the seed and on i alone, so a larger picture begins with the images of a smaller one.
"""

import pathlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.models import samplers, sampling
from jaxgen.checks import require


@dataclass(frozen=True)
class Options:
    """What to draw, and where to put it."""

    num: int = 64  # images to draw
    out: pathlib.Path | None = None  # picture to write; RUN/sample.png if not given
    seed: int = 0  # of the latents
    columns: int | None = None  # images in a row; a square if not given
    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

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
    chosen, sampler = samplers.parse(
        Options(),
        folder,
        options,
        prog="python -m experiments.sample RUN",
        description=(__doc__ or "").partition("\n")[0],
    )
    out = chosen.out or folder / "sample.png"
    if out.suffix.lower() != ".png":
        raise UserError(f"--out is {out}, but must end in .png")

    from experiments.pictures import figures
    from experiments.runs.run_data import Place

    place = Place(chosen.data, chosen.data_dir)
    with _writing(out):
        if chosen.out:
            out.parent.mkdir(parents=True, exist_ok=True)  # before the time is spent on drawing
    step, samples = sampling.draw(folder, chosen.num, chosen.seed, chosen.step, sampler, place)
    picture = figures.grid(samples, chosen.columns) if samples.ndim == 4 else _points(folder, samples, place)
    with _writing(out):
        figures.save_png(out, picture)
    print(f"wrote {chosen.num} images of step {step:,} to {out}")
    return 0


def _points(folder: pathlib.Path, samples: np.ndarray, place: Any) -> np.ndarray:
    """Samples over as many real points."""
    from experiments import data
    from experiments.pictures import kinds
    from experiments.runs import run_data, run_folder

    experiment = run_data.placed(run_folder.read(folder)[1], place)
    run_data.check(folder, experiment)
    real = data.load_for(experiment)
    return kinds.points(samples, np.asarray(real.batch(np.arange(min(len(real), len(samples))))))


@contextmanager
def _writing(out: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}; choose another --out") from error


if __name__ == "__main__":
    cli.run(main)
