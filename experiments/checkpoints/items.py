"""Orbax as checkpoints use it: two items, the arrays (`state`) and what is noted of them (`meta`)."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from experiments import processes
from experiments.command_line import quiet

FORMAT = 1
"""Of what `meta` says."""


def opened(*, alone: bool = False) -> Any:
    """Orbax's checkpointer of the two items; `alone`, it does not wait for the other processes."""
    import orbax.checkpoint as ocp

    handler = ocp.CompositeCheckpointHandler(state=ocp.StandardCheckpointHandler(), meta=ocp.JsonCheckpointHandler())
    if not alone or processes.count() == 1:
        return ocp.Checkpointer(handler)
    options = ocp.options.MultiprocessingOptions(processes.index(), {processes.index()})
    return ocp.Checkpointer(handler, multiprocessing_options=options)


_TURN = threading.RLock()


@contextmanager
def without_leftovers() -> Iterator[None]:
    """Collect the tasks that orbax leaves behind after a failure, without their complaints on stderr.

    One thread at a time: orbax counts its operations in one place, and two that overlap lose their folders.
    """
    with _TURN, quiet.closed_loops():
        try:
            yield
        except BaseException:
            gc.collect()
            raise
