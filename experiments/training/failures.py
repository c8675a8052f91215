"""What ends a run in the middle: numbers that are not finite, and devices that no longer hold the same state."""

import json
from typing import Any

import numpy as np

from experiments import processes
from experiments.checkpoints.checkpointer import NotFiniteError
from experiments.checkpoints.checksums import checksums
from jaxgen import parallel


def check_finite(last_step: int, metrics: dict[str, np.ndarray]) -> None:
    """Raise, naming metric and step, unless all are finite; `metrics` are those of the steps up to `last_step`."""
    for name, values in metrics.items():
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            step = last_step - len(values) + 1 + int(bad[0])
            raise NotFiniteError(f"{name} is {values[bad[0]]} at step {step:,}")


class ReplicasError(Exception):
    """Devices hold copies of the state that are not the same."""


def check_replicas(step: int, state: Any) -> None:
    """Raise, naming the arrays, unless all devices of all processes hold the same state."""
    names = set(parallel.differing_replicas(state))
    each = [json.loads(text) for text in processes.gather(json.dumps([sorted(names), checksums(state)]))]
    for here, there in each:
        names |= {*here, *(name for name, crc in there.items() if each[0][1].get(name, crc) != crc)}
    if names:
        raise ReplicasError(f"devices hold different copies of {', '.join(sorted(names)[:3])} after step {step:,}")
