"""Whether made faces still show who they are: `python -m experiments.identity RUN --people SET`.

An embedding is trained to tell the people of SET apart, who must be others than those of the run. With it each held-out
face is looked up among known ones: rank-1 is the share whose nearest face is one of the same person. RUN is of

- SiGAN: enlargements among the run's training faces, beside bicubic interpolation and the real faces;
- TP-GAN: frontal views among the straight faces of all people, beside the turned faces and the straight ones, with
  PSNR, each pose apart. --folds has the runs of other folds, whose faces are counted with them.

Printed with intervals of 95 % and written to RUN/identity.json. `python -m experiments.identity fit --people SET`
trains an embedding alone and prints its file, a network for TP-GAN: --pretrained features=FILE.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.command_line import cli
from experiments.command_line.checks import require_seed, require_step
from jaxgen.checks import PositiveInt, require_bounds


@dataclass(frozen=True)
class Options:
    """Which state of the run to judge, and by whose faces."""

    people: str = ""  # a labelled set of faces of other people: folder:PATH, with a folder for each person
    folds: tuple[pathlib.Path, ...] = ()  # of TP-GAN: runs that held other people out
    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own
    seed: int = 0  # of the embedding
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require_seed(self.seed)
        require_step(self.step)


@dataclass(frozen=True)
class _FitOptions:
    """By whose faces an embedding is trained, and how large they are."""

    people: str = ""  # a labelled set of faces: folder:PATH, with a folder for each person
    size: PositiveInt = 64  # pixels of a side
    channels: Literal[1, 3] = 1  # grey or RGB
    seed: int = 0
    data_dir: pathlib.Path | None = None  # where prepared data sets lie

    def __post_init__(self):
        require_seed(self.seed)
        require_bounds(self)


def main(argv: Sequence[str]) -> int:
    """Print a line for each set of faces and write RUN/identity.json; or train an embedding."""
    folder, words = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.identity RUN --people SET [options]")
        return 0
    description = (__doc__ or "").partition("\n\n")[0]
    if str(folder) == "fit":
        prog = "python -m experiments.identity fit"
        return _fit(cli.parse(_FitOptions, _FitOptions(), words, prog=prog, description=description))
    chosen = cli.parse(Options, Options(), words, prog="python -m experiments.identity RUN", description=description)
    from experiments.command_line.errors import UserError
    from experiments.evaluation import frontalising, recognising
    from experiments.runs import run_folder
    from jaxgen.translation import tp_gan

    how = chosen.people, chosen.step, chosen.seed, chosen.data_dir
    if isinstance(run_folder.read(folder)[1].model, tp_gan.Config):
        lines = frontalising.lines(frontalising.evaluate((folder, *chosen.folds), *how))
    elif chosen.folds:
        raise UserError("--folds are of runs of tp_gan; leave it out")
    else:
        lines = recognising.lines(recognising.evaluate(folder, *how))
    print("\n".join(lines))
    return 0


def _fit(chosen: _FitOptions) -> int:
    from experiments.evaluation import recognising

    recognising.check_people(chosen.people, "")
    shape = chosen.size, chosen.size, chosen.channels
    made = recognising.embedding(chosen.people, shape, chosen.seed, chosen.data_dir)
    print(f"{made.file}: {made.said}")
    return 0


if __name__ == "__main__":
    cli.run(main)
