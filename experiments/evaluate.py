"""Judge a run by its samples: `python -m experiments.evaluate RUN`, or several, `RUN RUN...`.

Every metric is printed, and written to RUN/evaluation.json, beside the same metric of real held-out examples, which
tells its scale, with the number of samples, the extractor and its resizing, and an interval of 95 %. What cannot be
computed is named with its reason. Of several runs, such as those of several seeds, the mean, lowest and highest of each
metric stand at the end. docs/metrics.md explains the metrics and the intervals.
"""

import itertools
import pathlib
from collections.abc import Sequence

from experiments.command_line import cli
from experiments.evaluation.options import Options
from experiments.models import samplers
from experiments.runs import run_folder


def main(argv: Sequence[str]) -> int:
    """Print a table and write RUN/evaluation.json, for each run."""
    folder, options = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.evaluate RUN [RUN...] [options]")
        return 0
    others = list(itertools.takewhile(lambda word: not word.startswith("-"), options))
    folders = [folder, *map(pathlib.Path, others)]
    if others:
        for each in folders:
            run_folder.read(each)  # none is judged where one is missing
    asked = {
        each: samplers.parse(
            Options(),
            each,
            options[len(others) :],
            prog="python -m experiments.evaluate RUN",
            description=(__doc__ or "").partition("\n\n")[0],
        )
        for each in folders
    }
    from experiments.evaluation import judging, spread, table

    found = []
    for each, (chosen, changes) in asked.items():
        found.append(judging.evaluate(each, chosen, changes))
        print(*table.lines(found[-1]), sep="\n")
    if len(found) > 1:
        print("", *spread.lines(found), sep="\n")
    return 0


if __name__ == "__main__":
    cli.run(main)
