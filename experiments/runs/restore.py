"""A run's settings and one of its states, as commands on a finished run need them."""

import dataclasses
import pathlib
from typing import Any, Literal

import jax

from experiments.checkpoints.checkpointer import Best, Checkpointer, Restored
from experiments.command_line.errors import UserError
from experiments.runs import frozen, run_folder
from experiments.runs.experiment import Experiment, model_of
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
    _, experiment = run_folder.read(folder)
    record = run_folder.read_config(folder)
    with checkpointer(folder, experiment, read_only=True) as checkpoints:
        restored = _restored(checkpoints, experiment, which)
    if restored is None:
        raise UserError(f"{folder} has no checkpoint yet; train it first")
    for reason in restored.passed_over:
        print(f"passed over a damaged checkpoint, {reason}")
    there = frozen.parts(abstract_state(experiment))
    state = frozen.with_variables(restored.state, frozen.kept(folder, record.get("frozen", {}), there))
    stage = [*stages.until(experiment.model, restored.step)][-1]
    experiment = dataclasses.replace(experiment, model=stage.config)
    return experiment, model_of(experiment.model), restored.step, state


def _restored(
    checkpoints: Checkpointer, experiment: Experiment, which: int | Literal["newest", "best"]
) -> Restored | None:
    like = frozen.without(abstract_state(experiment))
    if which == "newest" or not checkpoints.steps():
        return checkpoints.restore(like)
    if which != "best":
        return checkpoints.restore_step(which, like)
    if experiment.best is None:
        raise UserError("the run keeps no best checkpoint; train with --best METRIC, or use --step newest")
    step = checkpoints.best_step()
    if step is None:
        raise UserError(f"no checkpoint knows its {experiment.best} yet; train on, or use --step newest")
    return checkpoints.restore_step(step, like)
