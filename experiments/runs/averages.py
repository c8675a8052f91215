"""The moving average of another width, put together from those in a run's checkpoints: `--average-width`.

Of a run whose `average` is a `PowerFunction`; the more checkpoints it keeps (`--checkpoint-every`, `--keep`), the
nearer it comes to the average that the run would have kept all along.
"""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

from experiments.checkpoints import arrays
from experiments.command_line.errors import UserError
from experiments.runs import restore
from jaxgen.moving_averages import PowerFunction
from jaxgen.post_hoc_averages import Profile, coefficients, combine, profile_error


def of_width(folder: pathlib.Path, config: Any, step: int, state: Any, width: float) -> Any:
    """The state of a run at `step` with the average of that width in place of the one that it kept.

    Made of the checkpoints up to that step; says of how many, and how far its profile is from the one wanted.
    UserError for a run without averages by power functions.
    """
    average = getattr(config, "average", None)
    if not isinstance(average, PowerFunction):
        raise UserError(
            f"--average-width {width} is of runs whose average is a PowerFunction, but {folder} has {average!r}; "
            "leave it out, or train with --model.average power-function"
        )
    steps = _steps(folder, step)
    widths = (average.width, *average.further)
    snapshots = [Profile(float(one), each) for one in steps for each in widths]
    target = Profile(float(step), width)
    shares = coefficients(snapshots, target)

    def kept() -> Iterator[Any]:
        for one in steps:
            there = state if one == step else restore.at(folder, one)[3]
            yield from (average.of_width(there.ema, each) for each in widths)

    found = arrays.placed(combine(kept(), shares), average.of_width(state.ema, average.width))
    error = profile_error(snapshots, target, shares)
    print(f"width {width} of {len(snapshots)} averages in {len(steps)} checkpoints; the profile is {error:.1%} off")
    return dataclasses.replace(state, ema=found) if dataclasses.is_dataclass(type(state)) else state._replace(ema=found)


def _steps(folder: pathlib.Path, last: int) -> list[int]:
    """Of the checkpoints up to one."""
    experiment = restore.segments(folder)[-1].experiment
    with restore.checkpointer(folder, experiment, read_only=True) as checkpoints:
        return [one for one in checkpoints.steps() if 0 < one <= last]
