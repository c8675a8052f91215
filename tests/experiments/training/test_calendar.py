import dataclasses

import pytest

from experiments.runs import experiment
from experiments.training.calendar import Due, due

CHOSEN = dataclasses.replace(
    experiment.load("wgan_gp_digits"), steps=10, log_every=2, sample_every=3, checkpoint_every=5, eval_every=4
)


def at(step, before=None, **options):
    """Names of what is due at a step."""
    found = due(CHOSEN, step - 1 if before is None else before, step, **({"stopping": False} | options))
    return {name for name, one in found._asdict().items() if one}


@pytest.mark.parametrize("call", [1, 2, 3, 5, 10])
def test_each_interval_is_due_once_at_the_first_call_that_ends_on_or_after_it(call):
    counts = dict.fromkeys(Due._fields, 0)
    for step in range(call, CHOSEN.steps + 1, call):
        for name in at(step, step - call):
            counts[name] += 1
    intervals = {"means": 2, "picture": 3, "evaluation": 4, "checkpoint": 5}
    for name, every in intervals.items():
        ends = {-(-multiple // call) * call for multiple in range(every, CHOSEN.steps + 1, every)}
        ends = {end for end in ends if end <= CHOSEN.steps}
        at_the_end = {10} if name in ("picture", "checkpoint") and 10 % call == 0 else set()
        assert counts[name] == len(ends | at_the_end), name


def test_the_last_step_has_a_line_a_picture_and_a_checkpoint_but_ends_no_interval():
    assert at(7) == set()
    last = dataclasses.replace(CHOSEN, steps=7)
    assert {name for name, one in due(last, 6, 7, stopping=False)._asdict().items() if one} == {
        *("line", "picture", "checkpoint", "end")
    }


def test_a_run_that_is_to_stop_saves_at_once_and_shows_nothing_of_it():
    assert at(7, stopping=True) == {"checkpoint", "end"}


def test_without_evaluations_none_is_due():
    never = dataclasses.replace(CHOSEN, eval_every=None)
    assert not any(due(never, step - 1, step, stopping=False).evaluation for step in range(1, 11))
