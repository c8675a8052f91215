"""Stages of a run: settings that change on a schedule, growing networks for one.

A config with stages has a method `stage(step)`. Everything that it may change is static: an update is compiled once for
each stage, whose state has the structure of all others. What changes from step to step inside a stage, a fade for one,
is a function of the step that the update computes (`Mode.step`).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Stage(NamedTuple):
    """The updates from step `start` to the one before `end`."""

    config: Any  # of these updates, and of samples of a state after as many steps
    start: int = 0
    end: int | None = None  # None: it has no end
    batch_size: int | None = None  # examples of a minibatch; None: as the run has it


def until(config: Any, step: int) -> Iterator[Stage]:
    """The stages of a config in order, up to the one that holds `step`.

    Raises:
        ValueError: if they do not follow each other.
    """
    start = 0
    while True:
        stage = config.stage(start)
        if stage.start != start:
            raise ValueError(f"the stage at step {start} begins at {stage.start}, but must begin at {start}")
        if stage.end is not None and stage.end <= start:
            raise ValueError(f"the stage at step {start} ends at {stage.end}, but must end later")
        yield stage
        if stage.end is None or step < stage.end:
            return
        start = stage.end
