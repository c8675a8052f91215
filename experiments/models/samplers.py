"""Settings of a model's sampler that may be replaced when a finished run draws: `--sampler.steps 20`.

A model has such settings if its Config has a field `sampler`, a frozen dataclass.
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any, TypeVar

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.models import abilities
from experiments.runs.experiment import Experiment

OptionsT = TypeVar("OptionsT")


def parse(
    options: OptionsT, folder: pathlib.Path, argv: Sequence[str], prog: str, description: str
) -> tuple[OptionsT, Any]:
    """Options of a command on the run in `folder`, and its sampler's settings; None for a run without such settings.

    UserError for `--sampler` where there are none.
    """
    config = _config(folder)
    sampler = settings(config)
    given = [word for word in argv if word.partition(".")[0].partition("=")[0] == "--sampler"]
    if sampler is None:
        if given and config is not None:
            raise UserError(f"{given[0]} is given, but {abilities.name_of(config)} has no sampler; leave it out")
        return cli.parse(type(options), options, argv, prog=prog, description=description), None
    field = ("sampler", type(sampler), dataclasses.field(default=sampler))
    kind = dataclasses.make_dataclass("Options", [field], bases=(type(options),), frozen=True)
    values = {one.name: getattr(options, one.name) for one in dataclasses.fields(options)}  # pyright: ignore
    found = cli.parse(kind, kind(**values), argv, prog=prog, description=description)
    return type(options)(**{name: getattr(found, name) for name in values}), found.sampler


def settings(config: Any) -> Any:
    """Those of a model's sampler; None for a model whose sampler has none."""
    names = {field.name for field in dataclasses.fields(config)} if dataclasses.is_dataclass(config) else ()
    return getattr(config, "sampler") if "sampler" in names else None  # noqa: B009


def replaced(experiment: Experiment, sampler: Any) -> Experiment:
    """The experiment with these settings of its model's sampler; itself for None."""
    if sampler is None:
        return experiment
    model: Any = experiment.model
    return dataclasses.replace(experiment, model=dataclasses.replace(model, sampler=sampler))


def _config(folder: pathlib.Path) -> Any:
    """The model's settings of the run; None for no run, of which another function tells."""
    from experiments.runs import run_folder

    return run_folder.read(folder)[1].model if (folder / "config.json").is_file() else None
