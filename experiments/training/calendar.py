"""What is due at a step: a line of metrics, a picture, an evaluation, a checkpoint, the end."""

from typing import NamedTuple

from experiments.runs.experiment import Experiment


class Due(NamedTuple):
    """What is to be done at a step."""

    means: bool  # an interval of the log ends: its means are complete, and new ones begin
    line: bool  # the metrics are logged
    picture: bool
    evaluation: bool
    checkpoint: bool
    end: bool  # the run ends here


def due(experiment: Experiment, before: int, step: int, *, stopping: bool) -> Due:
    """What is due at `step`, after a call that began at `before`.

    The last step has a line, a picture and a checkpoint in any case, but an interval of the log goes on past it: a
    longer run logs what it would have logged.
    """

    def passed(every: int | None) -> bool:
        return every is not None and step // every > before // every

    last = step >= experiment.steps
    return Due(
        means=passed(experiment.log_every),
        line=passed(experiment.log_every) or last,
        picture=passed(experiment.sample_every) or last,
        evaluation=passed(experiment.eval_every),
        checkpoint=passed(experiment.checkpoint_every) or last or stopping,
        end=last or stopping,
    )
