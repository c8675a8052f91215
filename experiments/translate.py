"""Translate your own pictures with a trained run: `python -m experiments.translate RUN PICTURES --out FOLDER`.

RUN is the folder of a run of a model that makes images of images: pix2pix, CycleGAN, super-resolution and their kin.
PICTURES is a folder of pictures of any size, or a single one. Each translation is a PNG under the name of its picture,
upright, and as transparent as the picture is. A network of convolutions alone sees a picture at its own size, large
ones in tiles that overlap; another one sees all of it at the size of the training. A picture that cannot be read is
told, left out, and the exit status is 1.

Pictures should be like those of the training: a network that has seen photographs of 64x64 pixels does little with the
details of a large one. Then --size trained shows it all of the picture at the size that it knows.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.command_line import cli
from experiments.command_line.checks import require_seed, require_step
from experiments.command_line.errors import UserError
from jaxgen.checks import require


@dataclass(frozen=True)
class Options:
    """What to make of each picture, and where to put it."""

    out: pathlib.Path | None = None  # folder for the translations, or FILE.png for a single one; RUN/translations
    to: str | None = None  # a or b for a model of two domains; class name or number for one of many, all if not given
    num: int = 1  # translations of each picture, for models with noise of their own: NAME_1.png, NAME_2.png, ...
    compare: bool = False  # a sheet of each picture, too: input, translations and target, in the folder sheets
    pairs: bool = False  # each picture holds input and target side by side, as the run's data do
    targets: pathlib.Path | None = None  # folder of targets for the sheets, under the names of the inputs
    size: Literal["own", "trained"] | None = None  # at which a network sees a picture; own where it can
    tile: int | None = None  # side in pixels of the tiles of a picture, 0 for none; chosen by its size if not given
    seed: int = 0  # of the noise; a translation depends on it and on the name of the picture
    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own

    def __post_init__(self):
        require(self.num >= 1, "--num", self.num, "at least 1")
        require(self.tile is None or self.tile >= 0, "--tile", self.tile, "at least 0")
        require_seed(self.seed)
        require_step(self.step)
        if self.targets is not None and (self.pairs or not self.compare):
            raise ValueError("--targets is for --compare, and not beside --pairs")


def main(argv: Sequence[str]) -> int:
    """Write a PNG for each picture; 1 if one could not be read."""
    folder, words = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.translate RUN PICTURES --out FOLDER [options]")
        return 0
    pictures, words = (words[0], words[1:]) if words and not words[0].startswith("-") else (None, words)
    chosen = cli.parse(
        Options, Options(), words, prog="python -m experiments.translate RUN PICTURES", description=__doc__ or ""
    )
    if pictures is None:
        raise UserError("the pictures come second, behind the folder of the run: a folder or a file")
    from experiments.runs import restore
    from experiments.translations import asked, sources, translating_all

    given, out = pathlib.Path(pictures).expanduser(), chosen.out or folder / "translations"
    place, found = sources.place(out, given), sources.found(given, out)
    if chosen.targets is not None:
        found = sources.with_targets(found, chosen.targets)
    experiment, _, step, state = restore.at(folder, chosen.step)
    networks = asked.networks(folder, experiment, state, chosen.to)
    sides = ("right", "left") if experiment.images.swap else ("left", "right")
    halves = sides if chosen.pairs else (None, None)
    wanted = translating_all.Wanted(chosen.num, chosen.seed, chosen.compare, halves)
    try:
        done = translating_all.translate(found, place, asked.ways(networks, chosen.size, chosen.tile), wanted)
    except OSError as error:
        raise UserError(f"cannot write to {place.folder}: {error.strerror}; choose another --out") from error
    print(f"translated {done.translated:,} with step {step:,}, into {place.folder}; left out: {done.left_out:,}")
    if done.alike and done.translated:
        print("the translations of one picture are all alike: this model has no noise of its own")
    return 1 if done.left_out else 0


if __name__ == "__main__":
    cli.run(main)
