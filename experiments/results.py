"""Write the pages of results from the records of runs: `python -m experiments.results --add RUN...`.

Without --add the pages in docs/results, and the learning curves on them, are made anew from the records that are there,
docs/results/runs/*.json. A record holds what is known of a run: its command, settings, hardware, versions, commit,
minutes, metrics and evaluations. Of a run with seed 0 of an experiment as it stands, the newest picture of samples is
copied beside the others.
"""

import pathlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.command_line import cli
from experiments.command_line.errors import UserError

DOCS = pathlib.Path(__file__).parent.parent / "docs"


@dataclass(frozen=True)
class Options:
    """Which runs to add, and where pages and records lie."""

    add: tuple[pathlib.Path, ...] = ()  # folders of finished runs: evaluate them first
    note: str = ""  # a sentence on how these runs were made, kept in their records
    out: pathlib.Path = DOCS / "results"  # folder of the pages; the records are in its folder runs
    figures: pathlib.Path = DOCS / "figures"  # pictures EXPERIMENT.png; the curves are in its folder curves


def main(argv: Sequence[str]) -> int:
    """Write records and pages."""
    chosen = cli.parse(
        Options,
        Options(),
        argv,
        prog="python -m experiments.results",
        description=(__doc__ or "").partition("\n\n")[0],
    )
    from experiments.reports import learning, records, results, sweeps
    from experiments.runs import files

    folder = chosen.out / "runs"
    note = {"note": chosen.note} if chosen.note else {}
    found = [records.record(run) | note for run in chosen.add]  # all are read before one is written
    try:
        for one in found:
            print(f"wrote {records.write(one, folder)}")
        for one, run in zip(found, chosen.add, strict=True):
            picture = records.picture(run)
            if picture and one["seed"] == 0 and records.is_published(one):
                shutil.copyfile(picture, chosen.figures / f"{one['experiment']}.png")
        known = [one for _, one in records.read(folder)]
        if not known:
            raise UserError(f"{folder} holds no records of runs; give --add RUN with the folder of a run")
        (chosen.figures / results.CURVES).mkdir(parents=True, exist_ok=True)
        for name, runs in results.with_curves(known).items():
            (chosen.figures / results.CURVES / name).write_bytes(learning.picture(runs))
        for name, one in results.with_sweeps(known).items():
            (chosen.figures / results.CURVES / name).write_bytes(sweeps.picture(one))
        for name, text in results.pages(known, chosen.figures).items():
            files.write(chosen.out / name, text)
            print(f"wrote {chosen.out / name}")
    except BrokenPipeError:
        raise  # who read the lines is gone; the files have no part in it
    except OSError as error:
        raise UserError(f"cannot write to {chosen.out}: {error.strerror}; choose another --out") from error
    return 0


if __name__ == "__main__":
    cli.run(main)
