"""Which settings a run had at each step: a few may change when it goes on, and config.json says from which step on.

What may change leaves the state as it is: values of the optimisers, of moving averages and of the noise on a
discriminator's inputs, and the batch size. Each session of config.json that changed some holds, as `changed`, what
changed and the settings before. The updates before its step keep those, also where they are done again because a
checkpoint was damaged: so the run stays a function of what config.json says.
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from experiments.command_line.errors import UserError
from experiments.runs import settings
from experiments.runs.experiment import Experiment

SETTINGS = ("model", "batch_size")
"""Of an experiment: those in which something may change."""

OPTIMIZER = "jaxgen.optimizers:Optimizer"

CHANGEABLE: dict[str, tuple[str, ...]] = {
    "experiments.runs.experiment:Experiment": ("batch_size",),
    OPTIMIZER: (
        "learning_rate",
        "rule",
        "schedule",
        "warm_up",
        "clip_norm",
        "weight_decay",
        "orthogonality",
        "normalized",
    ),
    "jaxgen.moving_averages:Exponential": ("decay",),
    "jaxgen.moving_averages:HalfLife": ("half_life", "ramp_up"),
    "jaxgen.moving_averages:RampedHalfLife": ("half_life",),
    "jaxgen.nets.instance_noise:InstanceNoise": ("std", "end"),
}
"""By type, what may change. A rule must keep the same moments as before: `carrying.carried_over` says so."""


class Segment(NamedTuple):
    """Updates with the same settings: those from step `start` on, up to the start of the next segment."""

    start: int
    experiment: Experiment


def segments(record: dict[str, Any], experiment: Experiment) -> tuple[Segment, ...]:
    """The segments of a run in order, from its config.json and today's settings, which are those of the last one.

    UserError if settings before a change cannot be read.
    """
    changes = [(session["from_step"], session["changed"]) for session in record["sessions"] if "changed" in session]
    if not changes:
        return (Segment(0, experiment),)
    found = [Segment(0, _before(changes[0][1], experiment))]
    after = [_before(changed, experiment) for _, changed in changes[1:]]
    for (step, _), now in zip(changes, [*after, experiment], strict=True):
        found = [*_until(found, step), Segment(step, now)]
    return tuple(found)


def _before(changed: dict[str, Any], experiment: Experiment) -> Experiment:
    try:
        before = {name: settings.from_json(changed["before"][name]) for name in SETTINGS}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"the settings before a change in config.json cannot be used: {error}") from error
    return dataclasses.replace(experiment, **before)


def _until(found: Sequence[Segment], step: int) -> list[Segment]:
    return [segment for segment in found if segment.start < step]


def holding(found: Sequence[Segment], step: int) -> Segment:
    """The segment of the update after `step` others."""
    return [segment for segment in found if segment.start <= step][-1]


def behind(found: Sequence[Segment], step: int) -> Segment:
    """The segment of the last of `step` updates, in whose structure a checkpoint of that step is."""
    return holding(found, max(step - 1, 0))


def gone_on(found: Sequence[Segment], step: int, experiment: Experiment) -> tuple[Segment, ...]:
    """The segments of a run that goes on from `step` with settings that may have changed.

    Without a change it goes on as it went before, up to today's settings.
    """
    same = not differences(found[-1].experiment, experiment)
    earlier = found[:-1] if same else _until(found, step)
    begin = found[-1].start if same else step
    return (*(Segment(one.start, _as_of(one.experiment, experiment)) for one in earlier), Segment(begin, experiment))


def _as_of(before: Experiment, experiment: Experiment) -> Experiment:
    """Today's experiment with the earlier ones of `SETTINGS`."""
    return dataclasses.replace(experiment, model=before.model, batch_size=before.batch_size)


def differences(before: Experiment, now: Experiment) -> list[str]:
    """`path: old -> new` for each of `SETTINGS` that differs."""
    return settings.differences(_plain(before), _plain(now))


def changed(found: Sequence[Segment], step: int, experiment: Experiment) -> dict[str, Any] | None:
    """What a session notes whose settings have changed at `step`; None if they have not."""
    last = found[-1].experiment
    if not differences(last, experiment):
        return None
    before = behind(found, step).experiment if step else last
    return {"settings": differences(before, experiment), "before": _plain(before)}


def changes(record: dict[str, Any]) -> list[tuple[int, list[str]]]:
    """Steps from which settings were others, and which, in the order in which config.json has them."""
    return [
        (session["from_step"], session["changed"]["settings"]) for session in record["sessions"] if "changed" in session
    ]


def _plain(experiment: Experiment) -> dict[str, Any]:
    return {name: settings.to_json(getattr(experiment, name)) for name in SETTINGS}


def require_change(folder: pathlib.Path, before: Any, now: Any, *, asked: bool) -> None:
    """UserError unless all that differs between two settings, as JSON, may change, and a change was asked for."""
    differing, refused = settings.differences(before, now), unchangeable(before, now)
    if not differing or (asked and not refused):
        return
    anew = "choose another --out, or --no-resume to move it aside and begin anew"
    if asked:
        raise UserError(f"{folder} holds a run in which {'; '.join(refused)} cannot change; {anew}")
    cure = anew if refused else f"--change goes on with them; or {anew}"
    raise UserError(f"{folder} holds a run with other settings ({'; '.join(differing)}); {cure}")


def unchangeable(before: Any, now: Any, path: str = "") -> list[str]:
    """`path: old -> new` for each place where two settings, as JSON, differ and must not."""
    if before == now:
        return []
    if not (isinstance(before, dict) and isinstance(now, dict)) or before.get("type") != now.get("type"):
        return settings.differences(before, now, path)
    free = CHANGEABLE.get(str(before.get("type")), ())
    return [
        line
        for key in sorted((before.keys() | now.keys()) - set(free))
        for line in unchangeable(before.get(key), now.get(key), f"{path}.{key}".lstrip("."))
    ]
