"""A run's settings and one of its states, as commands on a finished run need them."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax

from experiments.checkpoints.checkpointer import Best, Checkpointer, Restored
from experiments.command_line.errors import UserError
from experiments.runs import frozen, history, run_folder
from experiments.runs.experiment import Experiment, model_of
from experiments.runs.history import Segment
from jaxgen import parallel, stages
from jaxgen.model import Model


def abstract_state(experiment: Experiment) -> Any:
    """Shapes, dtypes and placement (the first device of this process) of the model's state; nothing is computed.

    One device is right for any number of them: a step places the state over its devices itself.
    """
    config = experiment.model
    state = jax.eval_shape(lambda: model_of(config).init(config, jax.random.key(0)))
    device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=device), state)


def spread_state(experiment: Experiment) -> Any:
    """`abstract_state`, placed as a training step takes it: for several processes, and a state that is cut."""
    state = abstract_state(experiment)
    places = parallel.placement(state, shard_state=experiment.shard_state)
    return jax.tree.map(lambda leaf, place: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place), state, places)


def segments(folder: pathlib.Path) -> tuple[Segment, ...]:
    """Which settings the run in `folder` had at each step. UserError if they cannot be read."""
    _, experiment = run_folder.read(folder)
    return history.segments(run_folder.read_config(folder), experiment)


def saved_state(found: Sequence[Segment], *, spread: bool = False) -> Callable[[int], Any]:
    """From a step to the shapes of the state in its checkpoint, whose settings may have been others than today's."""

    @functools.cache
    def of_segment(start: int) -> Any:
        experiment = history.holding(found, start).experiment
        return frozen.without(spread_state(experiment) if spread else abstract_state(experiment))

    return lambda step: of_segment(history.behind(found, step).start)


def checkpointer(folder: pathlib.Path, experiment: Experiment, *, read_only: bool = False) -> Checkpointer:
    """The checkpoints of the run in `folder`."""
    best = Best(experiment.best, experiment.best_mode) if experiment.best else None
    run = run_folder.read_config(folder)["run"]
    return Checkpointer(folder / "checkpoints", experiment.keep, best, run, read_only=read_only)


def newest(folder: pathlib.Path) -> tuple[Experiment, Model, int, Any]:
    """Experiment, model, step and state of the run in `folder`. UserError if it has none that can be used."""
    return at(folder, "newest")


def at(folder: pathlib.Path, which: int | Literal["newest", "best"]) -> tuple[Experiment, Model, int, Any]:
    """`newest`, or the same of the best checkpoint or of a step's own. UserError if that cannot be used."""
    record, found = run_folder.read_config(folder), segments(folder)
    with checkpointer(folder, found[-1].experiment, read_only=True) as checkpoints:
        restored = _restored(checkpoints, found, which)
    if restored is None:
        raise UserError(f"{folder} has no checkpoint yet; train it first")
    for reason in restored.passed_over:
        print(f"passed over a damaged checkpoint, {reason}")
    experiment = history.behind(found, restored.step).experiment
    experiment = dataclasses.replace(experiment, tokenizer=found[-1].experiment.tokenizer)
    there = frozen.parts(abstract_state(experiment))
    state = frozen.with_variables(restored.state, frozen.kept(folder, record.get("frozen", {}), there))
    stage = [*stages.until(experiment.model, restored.step)][-1]
    experiment = dataclasses.replace(experiment, model=stage.config)
    return experiment, model_of(experiment.model), restored.step, state


def _restored(
    checkpoints: Checkpointer, found: Sequence[Segment], which: int | Literal["newest", "best"]
) -> Restored | None:
    like = saved_state(found)
    if which == "newest" or not checkpoints.steps():
        return checkpoints.restore(like)
    if which != "best":
        return checkpoints.restore_step(which, like(which))
    if found[-1].experiment.best is None:
        raise UserError("the run keeps no best checkpoint; train with --best METRIC, or use --step newest")
    step = checkpoints.best_step()
    if step is None:
        raise UserError(f"no checkpoint knows its {found[-1].experiment.best} yet; train on, or use --step newest")
    return checkpoints.restore_step(step, like(step))
