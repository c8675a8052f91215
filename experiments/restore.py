"""A run's settings and its newest good state, as commands on a finished run need them."""

import pathlib
from typing import Any

import jax

from experiments import runs
from experiments.checkpoints import Checkpointer
from experiments.experiment import Experiment, UserError, model_of
from jaxgen.model import Model


def abstract_state(experiment: Experiment) -> Any:
    """Shapes, dtypes and placement (the first device) of the model's state; nothing is computed."""
    config = experiment.model
    state = jax.eval_shape(lambda: model_of(config).init(config, jax.random.key(0)))
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=device), state)


def newest(folder: pathlib.Path) -> tuple[Experiment, Model, int, Any]:
    """Experiment, model, step and state of the run in `folder`. UserError if it has none that can be used."""
    _, experiment = runs.read(folder)
    with Checkpointer(folder / "checkpoints", read_only=True) as checkpointer:
        restored = checkpointer.restore(abstract_state(experiment))
    if restored is None:
        raise UserError(f"{folder} has no checkpoint yet; train it first")
    step, state, passed_over = restored
    for reason in passed_over:
        print(f"passed over a damaged checkpoint, {reason}")
    return experiment, model_of(experiment.model), step, state
