"""Settings on which a trained state does not depend, and which may be others when a finished run draws.

`--sampler heun --sampler.steps 20`, `--guidance classifier-free --guidance.scale 3`, `--drawing.threshold 0.5`. A
model has such a setting if its Config has a field of that name, a frozen dataclass: `FIELDS`. A number in place of the
name of a guidance is its scale: `--guidance 4` is `--guidance.scale 4`.
"""

import dataclasses
import itertools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias, TypeVar

from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.models import abilities
from experiments.runs.experiment import Experiment, model_of

OptionsT = TypeVar("OptionsT")

FIELDS = ("sampler", "guidance", "drawing")

GUIDANCE = "--guidance"

SHORT = "--guidance 4 is short for --guidance.scale 4."
"""Said in the help of a model with guidance."""

Changes: TypeAlias = Mapping[str, Any]
"""Settings of a model that are others than its run's, by the name of their field."""

NONE: Changes = {}


def parse(
    options: OptionsT, folder: pathlib.Path, argv: Sequence[str], prog: str, description: str
) -> tuple[OptionsT, Changes]:
    """Options of a command on the run in `folder`, and what it is to draw with in place of the run's own settings.

    UserError for a setting that the model does not have, or one with which it cannot draw: nothing is loaded for that.
    """
    experiment, config = _experiment(folder), run_config(folder)
    own = settings(config)
    for word in argv:
        name = word.removeprefix("--").partition("=")[0].partition(".")[0]
        if word.startswith("--") and name in FIELDS and name not in own and experiment is not None:
            raise UserError(f"{word} is given, but {abilities.name_of(config)} has no {name}; leave it out")
    if experiment is None:
        description += f" With the folder of a run before --help, also its --{', --'.join(FIELDS)} where it has these."
    if not own:
        return cli.parse(type(options), options, argv, prog=prog, description=description), NONE
    import tyro

    argv, description = _with_scale(argv), f"{description} {SHORT}" if "guidance" in own else description
    hints = {field.name: field.type for field in dataclasses.fields(config)}
    fields = [(name, hints[name], dataclasses.field(default=value)) for name, value in own.items()]
    one = Annotated[type(options), tyro.conf.OmitArgPrefixes]  # a field, so that its comments are the help
    kind: Any = dataclasses.make_dataclass("Options", [("command", one), *fields], frozen=True)
    found = cli.parse(kind, kind(command=options, **own), argv, prog=prog, description=description)
    changes = {name: getattr(found, name) for name, value in own.items() if getattr(found, name) != value}
    if experiment is not None and changes:
        _require_possible(experiment, changes)
    return found.command, changes


def _with_scale(argv: Sequence[str]) -> list[str]:
    """The words, with `--guidance.scale` in place of each `--guidance` whose value is a number."""
    words = list(argv)
    for place, (word, after) in enumerate(itertools.zip_longest(argv, argv[1:], fillvalue="")):
        option, equals, value = word.partition("=")
        if option == GUIDANCE and _is_number(value if equals else after):
            words[place] = word.replace(GUIDANCE, f"{GUIDANCE}.scale", 1)
    return words


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def run_config(folder: pathlib.Path) -> Any:
    """The settings of the model of the run in `folder`; None for no run."""
    experiment = _experiment(folder)
    return None if experiment is None else experiment.model


def settings(config: Any) -> dict[str, Any]:
    """Those of a model that may change when it draws, by the name of their field."""
    names = {field.name for field in dataclasses.fields(config)} if dataclasses.is_dataclass(config) else set()
    return {name: getattr(config, name) for name in FIELDS if name in names}


def replaced(experiment: Experiment, changes: Changes) -> Experiment:
    """The experiment with these settings in its model."""
    if not changes:
        return experiment
    model: Any = experiment.model
    return dataclasses.replace(experiment, model=dataclasses.replace(model, **changes))


def check(experiment: Experiment) -> None:
    """ValueError if the model cannot draw with its settings; traces shapes only, compiles nothing.

    Of a model without such settings, or one that samples for examples of its data, nothing is checked.
    """
    import jax

    from experiments.models import conditions
    from experiments.runs import restore

    config = experiment.model
    if not settings(config) or conditions.takes_examples(config):
        return

    state = restore.abstract_state(experiment)
    jax.eval_shape(lambda state: model_of(config).sample(config, state, jax.random.key(0), 2), state)


def _require_possible(experiment: Experiment, changes: Changes) -> None:
    try:
        check(replaced(experiment, changes))
    except ValueError as error:
        said = " and ".join(f"{name} {type(value).__name__}" for name, value in changes.items())
        raise UserError(f"{abilities.name_of(experiment.model)} cannot draw with the {said}: {error}") from error


def _experiment(folder: pathlib.Path) -> Experiment | None:
    """The run's settings; None for no run, of which another function tells."""
    from experiments.runs import run_folder

    return run_folder.read(folder)[1] if (folder / "config.json").is_file() else None
