"""Whether enlarged faces still show who they are: `python -m experiments.identity RUN --people SET`, RUN one of SiGAN.

An embedding is trained to tell the people of SET apart, who must be others than those of the run. With it each held-out
face is looked up among the run's training faces: rank-1 is the share whose nearest face is one of the same person.
Printed for the run's enlargements beside bicubic interpolation and the real faces, with intervals of 95 %, and written
to RUN/identity.json.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.command_line import cli
from experiments.command_line.checks import require_seed, require_step


@dataclass(frozen=True)
class Options:
    """Which state of the run to judge, and by whose faces."""

    people: str = ""  # a labelled set of faces of other people: folder:PATH, with a folder for each person
    step: int | Literal["newest", "best"] = "newest"  # whose checkpoint: the newest, the best, or a step's own
    seed: int = 0  # of the embedding
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require_seed(self.seed)
        require_step(self.step)


def main(argv: Sequence[str]) -> int:
    """Print a line for each set of faces and write RUN/identity.json."""
    folder, words = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.identity RUN --people SET [options]")
        return 0
    description = (__doc__ or "").partition("\n\n")[0]
    chosen = cli.parse(Options, Options(), words, prog="python -m experiments.identity RUN", description=description)
    from experiments.evaluation import recognising

    for line in recognising.lines(
        recognising.evaluate(folder, chosen.people, chosen.step, chosen.seed, chosen.data_dir)
    ):
        print(line)
    return 0


if __name__ == "__main__":
    cli.run(main)
