"""What an experiment asks for, checked before anything is compiled: finite settings, memory, names of metrics."""

import difflib
import math
import os
from typing import Any

import jax
import numpy as np

from experiments.command_line.errors import UserError
from experiments.runs import settings
from experiments.runs.experiment import Experiment


def check_numbers(experiment: Experiment) -> None:
    """UserError if a setting is NaN or infinite."""
    for path, value in settings.not_finite(experiment):
        raise UserError(f"--{path.replace('_', '-')} is {value}, but must be finite")


def check_memory(experiment: Experiment, state: Any) -> None:
    """UserError if the model's state, the batches of a call or a picture are larger than the memory there is."""
    pixels = math.prod(experiment.model.image_shape)
    images = experiment.steps_per_call * experiment.batch_size * experiment.model.minibatches
    host = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    device = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit", host)
    of_state = num_bytes(state) // (len(jax.devices()) if experiment.shard_state else 1)
    needs = (
        ("the model's weights and optimiser take", of_state, device, "use narrower networks, or --shard-state"),
        ("the batches of a call take", images * pixels, host, "use a smaller --batch-size or --steps-per-call"),
        ("the images of a picture take", 4 * experiment.num_samples * pixels, device, "use a smaller --num-samples"),
    )
    for what, needed, there, cure in needs:
        if needed > there:
            raise UserError(f"{what} {_gigabytes(needed)}, but there are {_gigabytes(there)} of memory; {cure}")


def check_best(experiment: Experiment, metrics: list[str]) -> None:
    """UserError unless --best is one of the metrics there are."""
    if experiment.best is None or experiment.best in metrics:
        return
    near = difflib.get_close_matches(experiment.best, metrics, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UserError(f"--best is {experiment.best!r}, but {hint}there are: {', '.join(sorted(metrics))}")


def num_bytes(state: Any) -> int:
    """Of all arrays, or of their shapes."""
    return sum(math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize for leaf in jax.tree.leaves(state))


def _gigabytes(num: float) -> str:
    return f"{num / 1e9:,.1f} GB"
