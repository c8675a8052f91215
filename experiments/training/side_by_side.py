"""Several runs that differ by their seeds alone, at once: one program makes the updates of all.

Each run has a thread with the loop that it has alone, and its own folder, data order, pictures and checkpoints. Where
the loop asks for an update, the thread waits until all others ask too; the last one makes the updates of all. Runs that
are behind after a kill catch up first.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

from experiments.command_line import terminal
from experiments.command_line.errors import UserError
from experiments.runs.experiment import model_of
from experiments.training import signals
from jaxgen import parallel


class Call(NamedTuple):
    """What a run asks for."""

    config: Any
    count: int  # updates
    step: int  # from which on
    inputs: tuple[Any, Any, Any]  # state, batches, keys

    def same_updates(self, other: "Call") -> bool:
        """Whether one program makes both."""
        return (self.step, self.count, self.config) == (other.step, other.count, other.config)


@dataclass(frozen=True)
class Failure:
    """Why a call was answered by nothing."""

    error: BaseException


class Group:
    """The runs, by number, and the program that they share."""

    def __init__(self, num: int, stop: signals.Stop):
        self._turn = threading.Condition()
        self._active = set(range(num))
        self._begun: dict[int, int] = {}  # the step at which each run begins
        self._asked: dict[int, Call] = {}
        self._answers: dict[int, Any] = {}
        self._signal, self.stop = stop, signals.Stop()
        self._steps: dict[int, parallel.Steps] = {}  # of the config below, by number of updates
        self._config: Any = None

    def begin(self, run: int, step: int) -> None:
        """Wait until it is known where each run begins."""
        with self._turn:
            self._begun[run] = step
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._active <= self._begun.keys())

    def left(self, step: int) -> int | None:
        """A call ends where another run begins, so that the two go on together."""
        return min((begun - step for begun in self._begun.values() if begun > step), default=None)

    def leave(self, run: int) -> None:
        """The run is over, whatever ended it."""
        with self._turn:
            self._active.discard(run)
            self._turn.notify_all()

    def ask(self, run: int, call: Call) -> Any:
        """The call's state and metrics, once all runs ask; what went wrong is raised in each of them."""
        with self._turn:
            self._asked[run] = call
            self._turn.notify_all()
            while run not in self._answers:
                if self._active <= self._asked.keys():
                    self._answer()
                    self._turn.notify_all()
                else:
                    self._turn.wait()
            answer = self._answers.pop(run)
        if isinstance(answer, Failure):
            raise answer.error
        return answer

    def _answer(self) -> None:
        """Make the updates of the runs that are the furthest behind; settings changed in one run alone set it apart."""
        self.stop.signal = self._signal.signal  # all runs read the same until the next call
        first = min(self._asked.values(), key=lambda call: call.step)
        together = sorted(run for run, call in self._asked.items() if call.same_updates(first))
        calls = [self._asked.pop(run) for run in together]
        try:
            found = self._program(first.config, first.count)(
                *map(list, zip(*(call.inputs for call in calls), strict=True))
            )
            self._answers |= dict(zip(together, zip(*found, strict=True), strict=True))
        except Exception as error:
            self._answers |= dict.fromkeys(together, Failure(error))

    def _program(self, config: Any, count: int) -> parallel.Steps:
        if config != self._config:
            self._config, self._steps = config, {}
        if count not in self._steps:
            self._steps[count] = parallel.runs(model_of(config).update, config, steps=count)
        return self._steps[count]


class Member:
    """What makes the updates of one run of a group: a `driving.Driving`."""

    def __init__(self, group: Group, run: int):
        self._group, self._run = group, run

    def begin(self, step: int) -> None:
        """Wait until it is known where each run begins."""
        self._group.begin(self._run, step)

    def left(self, step: int) -> int | None:
        """Updates until the step at which another run begins."""
        return self._group.left(step)

    def driver(self, config: Any, count: int, step: int) -> parallel.Step:
        """Of the program that all runs share."""
        return lambda *inputs: self._group.ask(self._run, Call(config, count, step, inputs))

    def stopped(self) -> AbstractContextManager[signals.Stop]:
        """The signal that this process was told, at the same call in each run."""
        return nullcontext(self._group.stop)


Run = Callable[[Member], int]
"""Trains to the end, its updates made by the member; the exit code."""


def together(runs: Sequence[tuple[str, Run]]) -> int:
    """The first exit code of the runs that is not 0, each run with the name before its lines.

    A run that ends, or fails, leaves the others to go on.

    Raises:
        UserError: that a run has raised, once all have ended; a line has told of it before.
    """
    ended: dict[int, int | BaseException] = {}
    with signals.noted() as stop:
        group = Group(len(runs), stop)

        def work(number: int, name: str, run: Run) -> None:
            terminal.NAME.set(name)
            try:
                ended[number] = run(Member(group, number))
            except BaseException as error:
                ended[number] = error
                if isinstance(error, UserError):
                    terminal.show(f"error: {error}")
            finally:
                group.leave(number)

        threads = [
            threading.Thread(target=work, args=(number, *of), name=of[0], daemon=True) for number, of in enumerate(runs)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    codes = []
    for _, outcome in sorted(ended.items()):
        if isinstance(outcome, BaseException):
            raise outcome
        codes.append(outcome)
    return next(filter(None, codes), 0)
