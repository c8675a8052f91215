"""What makes the updates of a run: its own program, or one that it shares with the runs beside it."""

from contextlib import AbstractContextManager
from typing import Any, Protocol

from experiments.runs.experiment import Experiment, model_of
from experiments.training import signals
from jaxgen import parallel


class Driving(Protocol):
    """The part of a run that others may share."""

    def begin(self, step: int) -> None:
        """The run is about to make the update after `step` others."""
        ...

    def left(self, step: int) -> int | None:
        """In how many updates a call must end, None where nothing asks for it."""
        ...

    def driver(self, config: Any, count: int, step: int) -> parallel.Step:
        """`count` updates in one dispatch, from `step` on, compiled at the first call."""
        ...

    def stopped(self) -> AbstractContextManager[signals.Stop]:
        """The signal that asks the run to stop, once there is one."""
        ...


class Alone:
    """A run with a program of its own over all devices."""

    def __init__(self, experiment: Experiment):
        self._experiment = experiment
        self._drivers: dict[int, parallel.Step] = {}
        self._config: Any = None  # of these drivers

    def begin(self, step: int) -> None:
        """Nobody to wait for."""

    def left(self, step: int) -> int | None:
        """Nothing asks for it."""
        return None

    def driver(self, config: Any, count: int, step: int) -> parallel.Step:
        """Those of the stage under way are kept."""
        if config is not self._config:
            self._config, self._drivers = config, {}
        if count not in self._drivers:
            wrap = getattr(parallel, self._experiment.parallel)
            options = {"shard_state": True} if self._experiment.shard_state else {}
            self._drivers[count] = wrap(model_of(config).update, config, steps=count, **options)
        return self._drivers[count]

    def stopped(self) -> AbstractContextManager[signals.Stop]:
        """As this process is told."""
        return signals.noted()
