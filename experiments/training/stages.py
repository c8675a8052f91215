"""The stages of a run: which settings hold at a step, how many examples an update takes, and how many came before."""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

from experiments.data.order import Position
from experiments.runs.experiment import Experiment
from jaxgen import stages
from jaxgen.stages import Stage


class Part(NamedTuple):
    """A stage as the loop needs it."""

    stage: Stage
    experiment: Experiment  # with the settings of this stage
    begin: Position  # of its first batch

    def left(self, step: int) -> int | None:
        """How many updates are left in it; None for one without an end."""
        return None if self.stage.end is None else self.stage.end - step


def parts(experiment: Experiment, step: int) -> Iterator[Part]:
    """The stages of a run in order, up to the one that holds the update after `step` others."""
    examples = 0
    for stage in stages.until(experiment.model, step):
        batch_size = experiment.batch_size if stage.batch_size is None else stage.batch_size
        own = dataclasses.replace(experiment, model=stage.config, batch_size=batch_size)
        size = own.batch_size * own.model.minibatches
        yield Part(stage, own, Position(stage.start, examples, size))
        examples += size * ((stage.end or 0) - stage.start)


def at(experiment: Experiment, step: int) -> Part:
    """The stage that holds the update after `step` others."""
    return list(parts(experiment, step))[-1]
