"""The stages of a run: which settings hold at a step, how many examples an update takes, and how many came before."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from experiments.data.order import Position
from experiments.runs.experiment import Experiment
from experiments.runs.history import Segment
from jaxgen import stages
from jaxgen.stages import Stage


class Part(NamedTuple):
    """A stage as the loop needs it, or the piece of one between two changes of the settings."""

    stage: Stage
    segment: Segment
    experiment: Experiment  # with the settings of this stage
    begin: Position  # of its first batch

    def left(self, step: int) -> int | None:
        """How many updates are left in it; None for one without an end."""
        return None if self.stage.end is None else self.stage.end - step


def parts(segments: Sequence[Segment], step: int) -> Iterator[Part]:
    """The stages of a run in order, up to the one that holds the update after `step` others."""
    examples = 0
    for segment, stage in _pieces(segments, step):
        experiment = segment.experiment
        batch_size = experiment.batch_size if stage.batch_size is None else stage.batch_size
        own = dataclasses.replace(experiment, model=stage.config, batch_size=batch_size)
        size = own.batch_size * own.model.minibatches
        yield Part(stage, segment, own, Position(stage.start, examples, size))
        examples += size * ((stage.end or 0) - stage.start)


def _pieces(segments: Sequence[Segment], step: int) -> Iterator[tuple[Segment, Stage]]:
    """The stages of each segment, cut where it begins and ends."""
    ends = [segment.start for segment in segments[1:]]
    for segment, end in zip(segments, [*ends, None], strict=True):
        if segment.start > step:
            return
        last = step if end is None else min(step, end - 1)
        for stage in stages.until(segment.experiment.model, last):
            if stage.end is None or stage.end > segment.start:
                until = min((one for one in (stage.end, end) if one is not None), default=None)
                yield segment, stage._replace(start=max(stage.start, segment.start), end=until)


def at(segments: Sequence[Segment], step: int) -> Part:
    """The stage that holds the update after `step` others."""
    return list(parts(segments, step))[-1]
