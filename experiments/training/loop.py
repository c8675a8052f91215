"""The one training loop: data -> update -> metrics, pictures, checkpoints."""

import collections
import pathlib
from contextlib import ExitStack
from typing import Any

import jax
import jax.numpy as jnp

from experiments import processes
from experiments.checkpoints.checkpointer import Checkpointer, NotFiniteError
from experiments.command_line import terminal
from experiments.command_line.errors import FolderError
from experiments.data import feeds
from experiments.data.images import ImageSet
from experiments.evaluation import during
from experiments.runs import carrying, frozen, history, restore, run_folder
from experiments.runs.experiment import Experiment
from experiments.runs.initial import Initial
from experiments.training import (
    agreement,
    calendar,
    failures,
    messages,
    reporting,
    signals,
    stages,
    start,
    watch,
    writers,
)
from experiments.training.calendar import Due
from experiments.training.driving import Alone, Driving
from experiments.training.failures import ReplicasError
from experiments.training.showing import Showing
from jaxgen import parallel
from jaxgen.typing import Key

IN_FLIGHT = 8
"""Calls under way at most: XLA on CPU devices can deadlock with more than 32."""

LONG_BLOCK_MS = 1_000
"""A checkpoint that holds the training up for longer than this is told of."""


class Loop:
    """A run in progress, and what it holds on to."""

    def __init__(
        self,
        name: str,
        experiment: Experiment,
        folder: pathlib.Path,
        image_set: ImageSet,
        checkpointer: Checkpointer,
        hold: run_folder.Hold | None,
        driving: Driving | None = None,
    ):
        self.name, self.experiment, self.folder = name, experiment, folder
        self.image_set, self.checkpointer, self.hold = image_set, checkpointer, hold
        self.driving = driving or Alone(experiment)
        self.noted = False  # that there is a checkpoint
        self.stopping = 0  # the signal at which all processes stop, once they know of it
        self.pending: collections.deque[tuple[int, Any, Any]] = collections.deque()  # calls under way
        self.part: Any = None  # the stage under way, a stages.Part
        self.shaped: Any = None  # the segment in whose structure the state is
        self.watch = watch.Watch()
        keys = jax.random.split(jax.random.key(experiment.seed), 3)
        self.key_init, self.key_steps, self.key_samples = keys
        self.showing = Showing(folder, image_set, self.key_samples)

    def run(self, resumed: bool, given: Initial | None = None) -> int:
        """From the newest checkpoint, or from weights that are given, to the last step; the exit code."""
        start.remove_unfinished(self.folder, self.experiment.pictures)
        begun = start.begin(self.experiment, self.folder, self.checkpointer, self.key_init, given)
        step, state, self.means, self.segments, changed = begun
        self.shaped = history.behind(self.segments, step)
        greeting = messages.greeting(self.name, self.folder, step, self.experiment.steps, resumed)
        if step >= self.experiment.steps:
            if processes.first():
                for line in (greeting, *agreement.at_the_end(self.experiment, self.image_set)):
                    terminal.show(line)
            return 0
        if resumed and processes.first():
            run_folder.record_session(self.folder, self.experiment, step, changed)
        self.driving.begin(step)
        with ExitStack() as opened:
            self.reporter = opened.enter_context(self._reporter(step, opened))
            stop = opened.enter_context(self.driving.stopped())
            self.feeding = opened.enter_context(ExitStack())
            self._enter_stage(step)
            for line in (*self._about(), greeting, *messages.changed(step, changed)):
                self.reporter.say(line)
            return self._until_it_ends(step, state, stop)

    def _about(self) -> list[str]:
        """What the first process says of the data and the settings."""
        if not processes.first():
            return []
        experiment, image_set = self.experiment, self.image_set
        about = [*messages.about_data(image_set, experiment), *agreement.lines(experiment, image_set)]
        return about + [f"warning: {line}" for line in during.left_out(experiment, image_set)]

    def _until_it_ends(self, step: int, state: Any, stop: signals.Stop) -> int:
        """The exit code, whatever ends the run. FolderError if its folder cannot be written to any more."""
        try:
            return self._loop(step, state, stop)
        except NotFiniteError as error:
            earlier = self.checkpointer.drain()
            first = earlier if isinstance(earlier, NotFiniteError) else error
            for line in messages.diverged(first, self.checkpointer, self.experiment):
                self.reporter.say(line)
            return 1
        except ReplicasError as error:
            self.checkpointer.drain()
            self.reporter.say(f"{error}: the run stops{messages.kept(self.checkpointer)}")
            return 1
        except (FolderError, OSError) as error:
            self.checkpointer.drain()
            raise messages.stuck(error, self.folder, self.checkpointer) from error

    def _loop(self, step: int, state: Any, stop: signals.Stop) -> int:
        experiment = self.experiment
        if step == 0:
            self.showing.pictures(0, state, self.reporter)
        while True:
            signalled = stop.signal  # read once: a signal that comes while waiting below is for the next round
            self._await(IN_FLIGHT - 1)
            stopping = self.stopping if processes.count() > 1 else signalled
            self._note_checkpoint()
            self._enter_stage(step)
            state = self._carried_over(state)
            ends = experiment.steps - step, self.part.left(step), self.driving.left(step)
            count = min(experiment.steps_per_call, *(left for left in ends if left))
            drive = self.driving.driver(self.part.stage.config, count, step)
            state, metrics = drive(state, self.batches(step, count), self._keys(step, count))
            before, step = step, step + count
            self.pending.append(
                (step, metrics, parallel.max_over_processes(signalled) if processes.count() > 1 else signalled)
            )
            self.reporter.progress(step)
            due = calendar.due(experiment, before, step, stopping=bool(stopping))
            if any(due):
                if self.hold is not None:
                    self.hold.check()
                self._await(0)
                size = self.part.begin.size  # of the updates behind
                self._enter_stage(step)  # whose samples those of this state are
                self._do(due, step, state, size)
            if due.end:
                self.checkpointer.wait()
                self._note_checkpoint()
                return self._farewell(step, stopping)

    def _await(self, in_flight: int) -> None:
        """Wait until at most `in_flight` calls are under way; the metrics of those awaited count, all finite.

        With each call the processes have told of their signals: here all of them learn of one, at the same step.
        """
        while len(self.pending) > in_flight:
            last_step, metrics, signalled = self.pending.popleft()
            values = jax.device_get(metrics)
            self.stopping = max(self.stopping, int(signalled))
            failures.check_finite(last_step, values)
            self.means.add(values)

    def _do(self, due: Due, step: int, state: Any, size: int) -> None:
        """Evaluation, log, picture and checkpoint of a step, as far as they are due; a checkpoint last.

        An evaluation between two log steps has a line of its own.
        """
        found = self.showing.evaluate(state) if due.evaluation else {}
        means = self.means.means() | found
        if due.means and self.experiment.check_replicas:
            failures.check_replicas(step, state)
        if due.line or found:
            self.reporter.log(step, means if due.line else found, size)
        if due.means:
            for line in self.watch.lines(step, means):
                self.reporter.say(line)
            self.means = reporting.Means()
        if due.picture:
            self.showing.pictures(step, state, self.reporter)
        if due.checkpoint:
            self._save(step, state, means)

    def _save(self, step: int, state: Any, means: dict[str, float]) -> None:
        """Start a checkpoint. Of a state that is not finite, `checkpointer` raises at its next use."""
        saved = len(self.checkpointer.blocked_ms)
        self.checkpointer.save(step, frozen.without(state), means, self.means.notes())
        blocked = sum(self.checkpointer.blocked_ms[saved:])
        if blocked > LONG_BLOCK_MS:
            self.reporter.say(
                f"the checkpoint of step {step:,} held the training up for {blocked / 1e3:.1f} s; "
                "a larger --checkpoint-every costs less"
            )

    def _note_checkpoint(self) -> None:
        """Note in config.json that there is a checkpoint, once the first is on disk. Raises what saving raises."""
        if self.checkpointer.settled() and not self.noted and self.checkpointer.newest_step() is not None:
            if processes.first():
                run_folder.record_checkpoint(self.folder)
            self.noted = True

    def _keys(self, step: int, count: int) -> Key:
        """The key of each of `count` steps from `step` on."""
        return _fold_in(self.key_steps, step + jnp.arange(count))

    def _enter_stage(self, step: int) -> None:
        """Batches, pictures and evaluations of the stage that holds the next update, if it is not under way."""
        if self.part is not None and self.part.left(step) != 0:
            return
        self.part = stages.at(self.segments, step)
        own, here = self.part.experiment, (processes.index(), processes.count())
        self.feeding.close()
        feed = feeds.opened(self.image_set, own.model.batch_type, own.seed, self.part.begin, own.storage, here)
        self.batches = self.feeding.enter_context(feed)
        self.showing.enter_stage(own)

    def _carried_over(self, state: Any) -> Any:
        """The state in the structure of the settings that hold now."""
        segment = self.part.segment
        if segment.start == self.shaped.start:
            return state
        self.shaped = segment
        return carrying.carried_over(state, restore.abstract_state(segment.experiment))

    def _reporter(self, step: int, opened: ExitStack) -> reporting.Reporter | reporting.Silent:
        """The first process tells how the run goes."""
        if not processes.first():
            return reporting.Silent()
        places = writers.open_all(self.experiment, self.folder, self.name, step, opened)
        return reporting.Reporter(self.folder, step, self.experiment.steps, places)

    def _farewell(self, step: int, stopping: int) -> int:
        if step < self.experiment.steps:
            self.reporter.say(messages.stopped(step))
            return 128 + stopping
        for line in messages.finished(step, self.checkpointer.blocked_ms, self.experiment, self.folder):
            self.reporter.say(line)
        return 0


_fold_in = jax.jit(jax.vmap(jax.random.fold_in, in_axes=(None, 0)))
