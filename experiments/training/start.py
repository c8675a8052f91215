"""Where a run begins in this process: at its newest good checkpoint, or at step 0 with a fresh state."""

import functools
import pathlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax

from experiments import processes
from experiments.checkpoints.checkpointer import Checkpointer
from experiments.command_line import terminal
from experiments.command_line.errors import UserError
from experiments.runs import files, frozen, history, initial, pretrained, restore, run_folder
from experiments.runs.experiment import Experiment, model_of
from experiments.runs.history import Segment
from experiments.runs.initial import Initial
from experiments.training.reporting import Means
from jaxgen import parallel
from jaxgen.typing import Key


class Start(NamedTuple):
    """What the first step needs."""

    step: int
    state: Any
    means: Means  # of the metrics since the last line of the log
    segments: tuple[Segment, ...]  # which settings hold at each step
    changed: dict[str, Any] | None = None  # what of them is new from this step on, as config.json notes it


def begin(
    experiment: Experiment, folder: pathlib.Path, checkpointer: Checkpointer, key: Key, given: Initial | None = None
) -> Start:
    """Step and state of the newest good checkpoint, or step 0 and the state that `key` initialises, with weights given.

    UserError if the run has had a checkpoint and now has none, or none that can be used.
    """
    spread = processes.count() > 1 or experiment.shard_state
    record, found = run_folder.read_config(folder), restore.segments(folder)
    restored = checkpointer.restore(restore.saved_state(found, spread=spread))
    if restored is None:
        if record["has_checkpoint"]:
            raise UserError(
                f"{folder} has lost its checkpoints; put them back, or --no-resume to move it aside and begin anew"
            )
        state = _with_frozen(_with_weights(_fresh(experiment, key), given, folder), experiment, folder)
        return Start(0, state, Means(), (Segment(0, experiment),), history.changed(found, 0, experiment))
    if processes.first():
        for reason in restored.passed_over:
            terminal.show(f"passed over a damaged checkpoint, {reason}")
    like = restore.spread_state(experiment) if spread else restore.abstract_state(experiment)
    variables = frozen.kept(folder, record.get("frozen", {}), frozen.parts(like))
    state = frozen.with_variables(restored.state, variables)
    step, means = restored.step, Means(restored.notes)
    changed = history.changed(found, step, experiment)
    return Start(step, state, means, history.gone_on(found, step, experiment), changed)


def _with_weights(state: Any, given: Initial | None, folder: pathlib.Path) -> Any:
    """The fresh state with weights of another run, noted in config.json."""
    if given is None:
        return state
    if processes.first():
        run_folder.record_initial(folder, given.source)
        terminal.show(given.line)
    return initial.put(state, given.weights)


def _with_frozen(state: Any, experiment: Experiment, folder: pathlib.Path) -> Any:
    """The fresh state with its pretrained parts, which the run's folder keeps from now on."""
    there = frozen.parts(state)
    if not there:
        return state
    given = pretrained.sources(experiment.pretrained, there)
    random = {name: parallel.unsharded(part.variables) for name, part in there.items()}
    read = random | {name: pretrained.read(source, there[name]) for name, source in given.items()}  # together
    if processes.first():  # the others take what it has kept
        run_folder.record_frozen(folder, frozen.keep(folder, read))
        for name in sorted(name for name in there.keys() - given.keys() if there[name].variables):
            terminal.show(f"the frozen part {name!r} is random: give --pretrained {name}=FILE.npz or {name}=RUN:PLAYER")
    processes.gather()
    return frozen.with_variables(state, frozen.kept(folder, run_folder.read_config(folder)["frozen"], there))


def _fresh(experiment: Experiment, key: Key) -> Any:
    init = model_of(experiment.model).init
    if experiment.shard_state:
        return parallel.initial(init, experiment.model, key, shard_state=True)
    return jax.jit(functools.partial(init, experiment.model))(key)


def remove_unfinished(folder: pathlib.Path, kinds: Iterable[str]) -> None:
    """What a kill has left half written in the run's folder, and of pictures of those kinds."""
    if processes.first():
        files.remove_unfinished(folder)
    for kind in kinds:
        files.remove_unfinished(folder / kind)
