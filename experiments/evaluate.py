"""Judge a run by its samples: `python -m experiments.evaluate RUN`.

Every metric is printed, and written to RUN/evaluation.json, beside the same metric of real held-out examples, which
tells its scale, with the number of samples, the extractor and its resizing, and an interval of 95 %. What cannot be
computed is named with its reason. docs/metrics.md explains the metrics and the intervals.
"""

from collections.abc import Sequence

from experiments.command_line import cli
from experiments.evaluation.options import Options
from experiments.models import samplers


def main(argv: Sequence[str]) -> int:
    """Print a table and write RUN/evaluation.json."""
    folder, options = cli.run_folder(argv)
    if folder is None:
        print("usage: python -m experiments.evaluate RUN [options]")
        return 0
    chosen, changes = samplers.parse(
        Options(),
        folder,
        options,
        prog="python -m experiments.evaluate RUN",
        description=(__doc__ or "").partition("\n\n")[0],
    )
    from experiments.evaluation import judging, table

    for line in table.lines(judging.evaluate(folder, chosen, changes)):
        print(line)
    return 0


if __name__ == "__main__":
    cli.run(main)
