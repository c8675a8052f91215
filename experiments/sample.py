"""Draw from a finished or stopped run: `python -m experiments.sample RUN --num 64 --out digits.png`.

The images come from the run's newest checkpoint (or another, --step), from the moving average of the generator's
weights. Image i depends on the seed and on i alone, so a larger picture begins with the images of a smaller one, and
the same images come in batches of any size. --out says in which form: FILE.png is one picture, FILE.npz an array, any
other name a folder of single files. --trajectory shows how a sampler makes them of noise, as FILE.gif or FILE.png.
"""

import pathlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from experiments.command_line import cli
from experiments.command_line.checks import require_seed, require_step, require_width
from experiments.command_line.errors import UserError
from experiments.models import samplers
from experiments.models.classes import Shares
from experiments.models.texts import Sentences
from jaxgen.checks import require


@dataclass(frozen=True)
class Options:
    """What to draw, and where to put it."""

    num: int | None = None  # images to draw; 64 if not given, or one of each class if there are more
    out: pathlib.Path | None = None  # FILE.png, FILE.npz, or a folder for single files; RUN/sample.png if not given
    seed: int = 0  # of the latents
    label: tuple[str, ...] = ()  # classes that a conditional model is asked for, by name or number; all if not given
    text: Sentences = ()  # what a model of texts is asked for, held-out captions if not given; again for more, in turn
    text_file: pathlib.Path | None = None  # more sentences, a line each
    embeddings: pathlib.Path | None = None  # .npz or .safetensors, of a run whose captions are embeddings; in turn
    classes: Shares = "turn"  # all classes equally often, in turn, or as often as the training data have them
    columns: int | None = None  # images in a row of the picture; a square, or a column a class, if not given
    batch_size: int = 250  # images at a time: fewer take less memory, and are the same
    same_latents: bool = False  # of a picture: z fixed and the class moved: each row one latent, each column a class
    nearest: int = 0  # of a picture: so many training images right of each sample, the nearest in pixels
    trajectory: bool = False  # the way from the noise to the images: FILE.gif moves, FILE.png has it in rows, or curves
    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own
    average_width: float | None = None  # of the moving average, from all checkpoints kept; the run's own if not given
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(self.num is None or self.num >= 1, "--num", self.num, "at least 1")
        require_seed(self.seed)
        fits = self.columns is None or 1 <= self.columns <= (self.num or self.columns)
        require(fits, "--columns", self.columns, "in [1, --num]")
        require(0 <= self.nearest <= 20, "--nearest", self.nearest, "in [0, 20]")
        require(self.batch_size >= 1, "--batch-size", self.batch_size, "at least 1")
        require_step(self.step)
        require_width(self.average_width)


def main(argv: Sequence[str]) -> int:
    """Write one PNG, one array or a folder."""
    folder, options = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.sample RUN [options]")
        return 0
    chosen, changes = samplers.parse(
        Options(),
        folder,
        options,
        prog="python -m experiments.sample RUN",
        description=(__doc__ or "").partition("\n")[0],
    )
    from experiments.models import texts
    from experiments.runs.run_data import Place
    from experiments.samples import drawing

    out = chosen.out or folder / ("trajectory.gif" if chosen.trajectory else "sample.png")
    form = _form(out, chosen.trajectory)
    if chosen.columns is not None and form != (".gif" if chosen.trajectory else ".png"):
        raise UserError(f"--columns is of a picture, but --out is {out}; leave it out, or give --out FILE.png")
    _check_picture(chosen, form)
    with _writing(out):
        if chosen.out:
            out.parent.mkdir(parents=True, exist_ok=True)  # before the time is spent on drawing
    wanted = (chosen.num, chosen.seed, chosen.label, chosen.classes, chosen.batch_size, chosen.step)
    wanted += (texts.read(chosen.text, chosen.text_file), chosen.embeddings, chosen.same_latents, chosen.average_width)
    drawn = drawing.prepare(folder, drawing.Wanted(*wanted), changes, Place(chosen.data, chosen.data_dir))
    if (chosen.columns or 1) > drawn.num:
        raise UserError(f"--columns is {chosen.columns}, but must be in [1, {drawn.num}], the images to draw")
    with _writing(out):
        if chosen.trajectory:
            from experiments.samples import trajectory

            print(f"wrote {trajectory.write(out, drawn, chosen.columns)} to {out}")
        elif chosen.nearest:
            from experiments.samples import neighbours

            print(f"wrote {neighbours.write(out, drawn, chosen.nearest)} to {out}")
        else:
            print(_write(drawn, form, out, chosen.columns))
    return 0


def _check_picture(chosen: Options, form: str) -> None:
    """UserError for options of a picture where there is none, or of two different ones."""
    asked = {"--same-latents": chosen.same_latents, "--nearest": bool(chosen.nearest)}
    others = {"--trajectory": chosen.trajectory, "--columns": chosen.columns is not None}
    given = [name for name, there in asked.items() if there]
    if given and form != ".png":
        raise UserError(f"{given[0]} is of a picture, but --out is {chosen.out}; leave it out, or give --out FILE.png")
    given += [name for name, there in others.items() if there and given]
    if len(given) > 1:
        raise UserError(f"{given[0]} and {given[1]} are of different pictures; leave one of them out")


def _form(out: pathlib.Path, trajectory: bool = False) -> str:
    """.png, .npz, .gif of a trajectory, or nothing for a folder. UserError for the name of another kind of file."""
    suffix = out.suffix.lower()
    if trajectory:
        if suffix in (".gif", ".png"):
            return suffix
        raise UserError(f"--out is {out}, but must end in .gif or .png for a --trajectory")
    if suffix in (".png", ".npz") and not out.is_dir():
        return suffix
    if suffix and not out.is_dir():
        raise UserError(f"--out is {out}, but must end in .png (a picture) or .npz (an array), or be a folder's name")
    return ""


def _write(drawn: Any, form: str, out: pathlib.Path, columns: int | None) -> str:
    """Draw, and write in that form; the line says what was done."""
    from experiments.samples import archive, picture, single_files

    match form:
        case ".png":
            said = picture.write(out, drawn, columns)
        case ".npz":
            said = archive.write(out, drawn)
        case _:
            said = single_files.write(out, drawn)
    return f"wrote {said} to {out}"


@contextmanager
def _writing(out: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}; choose another --out") from error


if __name__ == "__main__":
    cli.run(main)
