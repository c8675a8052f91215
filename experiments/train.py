"""Train an experiment: `python -m experiments.train NAME [options]`. Without a name, list the experiments.

Running the same command again goes on where the run stopped. `NAME --help` explains every option. With `--seeds 0 1 2`
several runs train side by side, each as `--seed` alone has it.
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.runs import experiment


@dataclass(frozen=True)
class Options(experiment.Experiment[experiment.ModelConfigT]):
    """One run, or several."""

    seeds: tuple[int, ...] = ()  # of runs side by side in one program, in the folders FOLDER_sSEED; see docs/runs.md


def main(argv: Sequence[str]) -> int:
    """Train, or list the experiments."""
    if not argv or argv[0].startswith("-"):
        return _list(argv)
    name, *options = argv
    default = experiment.load(name)
    given = cli.parse(
        Options[type(default.model)],
        Options(**_fields(default)),
        options,
        prog=f"python -m experiments.train {name}",
        description=experiment.summary(name),
    )
    chosen = experiment.Experiment(**_fields(given))
    folder = chosen.out or pathlib.Path("runs") / name
    from experiments.training import runner

    if given.seeds:
        first = runner.folder_of(folder, given.seeds[0])
        return runner.train_seeds(name, _with_the_runs_data(chosen, default, first), folder, given.seeds)
    return runner.train(name, _with_the_runs_data(chosen, default, folder), folder)


def _fields(settings: experiment.Experiment) -> dict[str, Any]:
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(experiment.Experiment)}


def _with_the_runs_data(
    chosen: experiment.Experiment, default: experiment.Experiment, folder: pathlib.Path
) -> experiment.Experiment:
    """On the pictures that the run in the folder is trained on, where none are named and an experiment has none."""
    from experiments.runs import run_folder

    if not (default.data.startswith("folder:") and chosen.data == default.data and (folder / "config.json").is_file()):
        return chosen
    return dataclasses.replace(chosen, data=run_folder.read(folder)[1].data)


def _list(argv: Sequence[str]) -> int:
    print("usage: python -m experiments.train NAME [options]\n\nexperiments:")
    names = experiment.names()
    for name in names:
        print(f"  {name:<{max(map(len, names))}}  {experiment.summary(name)}")
    print("\noptions of an experiment: python -m experiments.train NAME --help")
    if argv and argv[0] not in ("-h", "--help"):
        raise UserError(f"the name of an experiment comes first, before {argv[0]}")
    return 0


if __name__ == "__main__":
    cli.run(main)
