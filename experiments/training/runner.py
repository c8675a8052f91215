"""The one training loop: data -> update -> metrics, pictures, checkpoints; and going on where a run stopped.

What happens at a step depends on the seed, the settings and the step alone: the key of a step is folded from the run's
key, and its batch is a pure function of (seed, step). So a run that stopped and goes on is the same run.
"""

import collections
import dataclasses
import functools
import importlib.util
import json
import pathlib
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments import data, processes
from experiments.command_line.errors import FolderError, UserError
from experiments.data import card, feeds
from experiments.data.images import ImageSet
from experiments.evaluation import during
from experiments.pictures import figures, kinds
from experiments.runs import files, restore, run_folder, settings
from experiments.runs.checkpoints import Checkpointer, NotFiniteError, checksums
from experiments.runs.experiment import Experiment, model_of
from experiments.training import compilation, limits, reporting, watch
from jaxgen import parallel
from jaxgen.typing import Key, Labelled

IN_FLIGHT = 8
"""Calls under way at most: XLA on CPU devices can deadlock with more than 32."""

LONG_BLOCK_MS = 1_000
"""A checkpoint that holds the training up for longer than this is told of."""


def train(name: str, experiment: Experiment, folder: pathlib.Path) -> int:
    """Run the experiment in `folder` to its last step, from its newest checkpoint if there is one.

    Returns:
        0 at the end; 128 + signal number after SIGINT, SIGTERM or SIGHUP, everything saved; 1 if a metric was not
        finite.

    Raises:
        UserError: for settings, data or a folder that do not fit, before anything is compiled.
        FolderError: if the folder cannot be written to any more, the last good checkpoint kept.
    """
    limits.check_numbers(experiment)
    compilation.keep(experiment.compilation_cache)
    with processes.joined(experiment):
        return _train(name, experiment, folder)


def _train(name: str, experiment: Experiment, folder: pathlib.Path) -> int:
    check_alike(experiment)
    image_set = data.load_for(experiment)
    experiment = fit_to_data(experiment, image_set, name)
    check_batch(experiment)
    check_model(experiment, image_set)
    check_log(experiment)
    kinds.check(experiment)
    aside = None if experiment.resume or not processes.first() else run_folder.move_aside(folder)
    if aside:
        reporting.show(f"moved the earlier run to {aside}")
    with run_folder.locked(folder) if processes.first() else nullcontext() as hold, _told_where(folder):
        resumed = _begin(folder, name, experiment)
        with restore.checkpointer(folder, experiment) as checkpointer:
            return _Loop(name, experiment, folder, image_set, checkpointer, hold).run(resumed)


def _begin(folder: pathlib.Path, name: str, experiment: Experiment) -> bool:
    """`run_folder.begin` in the first process; the others see that they have come to the same folder."""
    resumed = run_folder.begin(folder, name, experiment) if processes.first() else False
    resumed = bool(processes.gather("resumed" if resumed else "")[0])
    there = (folder / "config.json").exists()
    found = processes.gather(run_folder.read_config(folder)["run"] if there else "")
    if len(set(found)) > 1:
        raise UserError(f"{folder} is not the same folder in every process; choose an --out that all hosts share")
    return resumed


@contextmanager
def _told_where(folder: pathlib.Path) -> Iterator[None]:
    """An error of the system becomes a FolderError that names the folder."""
    try:
        yield
    except OSError as error:
        file = f" ({error.filename})" if error.filename else ""
        raise FolderError(f"cannot go on in {folder}: {files.reason(error)}{file}") from error


def fit_to_data(experiment: Experiment, image_set: ImageSet, name: str) -> Experiment:
    """The experiment with the image shape, and number of classes, of its data. UserError if others were asked for."""
    from experiments.runs.experiment import load

    asked, usual = experiment.model, load(name).model
    follows: dict[str, Any] = {"image_shape": image_set.image_shape}
    if asked.batch_type is Labelled and image_set.labels is not None:
        follows["num_classes"] = image_set.num_classes
    for field, value in follows.items():
        wanted = getattr(asked, field)
        if wanted not in (value, getattr(usual, field)):
            raise UserError(
                f"--model.{field.replace('_', '-')} is {wanted}, but {image_set.name} has {value}; "
                "leave it out, it follows the data"
            )
    return dataclasses.replace(experiment, model=dataclasses.replace(asked, **follows))


OF_EACH_PROCESS = ("process_id", "data_dir", "out")
"""Settings that need not be the same in all processes."""


def check_alike(experiment: Experiment) -> None:
    """UserError unless all processes have the same settings."""
    mine = {key: value for key, value in settings.to_json(experiment).items() if key not in OF_EACH_PROCESS}
    first, *others = map(json.loads, processes.gather(json.dumps(mine)))
    for number, other in enumerate(others, 1):
        changed = settings.differences(first, other)
        if changed:
            raise UserError(f"process {number} was given other settings than process 0: {'; '.join(changed)}")


def check_batch(experiment: Experiment) -> None:
    """UserError unless the devices divide the batch."""
    num_devices = len(jax.devices())
    if experiment.batch_size % num_devices:
        raise UserError(
            f"--batch-size {experiment.batch_size} does not divide over {num_devices} devices; "
            f"use a multiple of {num_devices}"
        )


def check_model(experiment: Experiment, image_set: ImageSet) -> None:
    """UserError if the model refuses its settings or its data; traces shapes only, compiles nothing."""
    config, model = experiment.model, model_of(experiment.model)
    size = experiment.batch_size * config.minibatches
    try:
        example = image_set.batch([0], config.batch_type)
    except UserError as error:
        raise UserError(f"{type(config).__module__.rpartition('.')[2]} {error}; choose another --data") from error
    batch = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((size, *leaf.shape[1:]), leaf.dtype), example)
    try:
        state = restore.abstract_state(experiment)
        limits.check_memory(experiment, state)
        _, metrics = jax.eval_shape(
            lambda state, batch: model.update(config, state, batch, jax.random.key(0)), state, batch
        )
    except (ValueError, OverflowError) as error:
        raise UserError(str(error)) from error
    during.check(experiment)
    limits.check_best(experiment, [*metrics, *during.names(experiment, image_set)])


def check_log(experiment: Experiment) -> None:
    """UserError unless the packages are there that --log needs."""
    for place, package in (("tensorboard", "tensorboardX"), ("wandb", "wandb")):
        if place in experiment.log and importlib.util.find_spec(package) is None:
            raise UserError(f"--log {place} needs {package}: pip install -e '.[{place}]'")


class _Loop:
    """What a run in progress holds on to."""

    def __init__(
        self,
        name: str,
        experiment: Experiment,
        folder: pathlib.Path,
        image_set: ImageSet,
        checkpointer: Checkpointer,
        hold: run_folder.Hold | None,
    ):
        self.name, self.experiment, self.folder = name, experiment, folder
        self.image_set, self.checkpointer, self.hold = image_set, checkpointer, hold
        self.noted = False  # that there is a checkpoint
        self.stopping = 0  # the signal at which all processes stop, once they know of it
        self.config, self.model = experiment.model, model_of(experiment.model)
        self.images_per_step = experiment.batch_size * self.config.minibatches
        self.drivers: dict[int, parallel.Step] = {}
        self.watch = watch.Watch()
        keys = jax.random.split(jax.random.key(experiment.seed), 3)
        self.key_init, self.key_steps, self.key_samples = keys
        self.drawings = kinds.drawings(experiment, image_set, self.key_samples) if processes.first() else {}
        judges = experiment.eval_every and processes.first()
        self.evaluate = during.evaluator(experiment, image_set) if judges else None

    def run(self, resumed: bool) -> int:
        step, state = self._start()
        end = self.experiment.steps
        greeting = _greeting(self.name, self.folder, step, end, resumed)
        if step >= end:
            self._show(greeting)
            return 0
        if resumed and processes.first():
            run_folder.record_session(self.folder, self.experiment, step)
        with ExitStack() as opened:
            self.reporter = opened.enter_context(self._reporter(step, opened))
            stop = opened.enter_context(_stop_signals())
            self.batches = opened.enter_context(
                feeds.opened(
                    self.image_set,
                    self.config.batch_type,
                    self.experiment.seed,
                    self.images_per_step,
                    self.experiment.storage,
                    (processes.index(), processes.count()),
                )
            )
            for line in self._about_data():
                self.reporter.say(line)
            self.reporter.say(greeting)
            try:
                return self._loop(step, state, stop)
            except NotFiniteError as error:
                return self._diverged(error)
            except ReplicasError as error:
                self.checkpointer.drain()
                self.reporter.say(f"{error}: the run stops{self._what_is_kept()}")
                return 1
            except (FolderError, OSError) as error:
                raise self._stuck(error) from error

    def _start(self) -> tuple[int, Any]:
        """Step and state of the newest good checkpoint, or step 0 and a fresh state."""
        if processes.first():
            files.remove_unfinished(self.folder)
        for kind in self.drawings:
            files.remove_unfinished(self.folder / kind)
        spread = processes.count() > 1 or self.experiment.shard_state
        like = restore.spread_state(self.experiment) if spread else restore.abstract_state(self.experiment)
        restored = self.checkpointer.restore(like)
        if restored is None:
            if run_folder.read_config(self.folder)["has_checkpoint"]:
                raise UserError(
                    f"{self.folder} has lost its checkpoints; put them back, or --no-resume to move it aside and begin "
                    "anew"
                )
            self.means = reporting.Means()
            if self.experiment.shard_state:
                return 0, parallel.initial(self.model.init, self.config, self.key_init, shard_state=True)
            return 0, jax.jit(functools.partial(self.model.init, self.config))(self.key_init)
        for reason in restored.passed_over:
            self._show(f"passed over a damaged checkpoint, {reason}")
        self.means = reporting.Means(restored.notes)
        return restored.step, restored.state

    def _reporter(self, step: int, opened: ExitStack) -> reporting.Reporter | reporting.Silent:
        """The first process tells how the run goes."""
        if not processes.first():
            return reporting.Silent()
        writers = _writers(self.experiment, self.folder, self.name, step, opened)
        return reporting.Reporter(self.folder, step, self.experiment.steps, writers)

    def _show(self, text: str) -> None:
        if processes.first():
            reporting.show(text)

    def _loop(self, step: int, state: Any, stop: "_Stop") -> int:
        experiment, end = self.experiment, self.experiment.steps
        pending: collections.deque[tuple[int, Any, Any]] = collections.deque()
        if step == 0:
            self._save_picture(0, state)
        while True:
            signalled = stop.signal  # read once: a signal that comes while waiting below is for the next round
            self._await(pending, IN_FLIGHT - 1)
            stopping = self.stopping if processes.count() > 1 else signalled
            self._note_checkpoint()
            count = min(experiment.steps_per_call, end - step)
            state, metrics = self._driver(count)(state, self.batches(step, count), self._keys(step, count))
            before, step = step, step + count
            pending.append((step, metrics, parallel.largest(signalled) if processes.count() > 1 else signalled))
            self.reporter.progress(step)
            due, draws, saves, judges = (
                every is not None and step // every > before // every
                for every in (
                    *(experiment.log_every, experiment.sample_every, experiment.checkpoint_every),
                    experiment.eval_every,
                )
            )
            ends = bool(stopping) or step >= end
            if due or draws or saves or judges or ends:
                if self.hold is not None:
                    self.hold.check()
                self._await(pending, 0)
                judged = self._judge(state) if judges else {}
                self._show_and_save(step, state, due, draws or step >= end, saves or ends, judged)
            if ends:
                self.checkpointer.wait()
                self._note_checkpoint()
                return self._farewell(step, stopping)

    def _await(self, pending: collections.deque[tuple[int, Any, Any]], in_flight: int) -> None:
        """Wait until at most `in_flight` calls are under way; the metrics of those awaited count, all finite.

        With each call the processes have told of their signals: here all of them learn of one, at the same step.
        """
        while len(pending) > in_flight:
            last_step, metrics, signalled = pending.popleft()
            values = jax.device_get(metrics)
            self.stopping = max(self.stopping, int(signalled))
            _check_finite(last_step, values)
            self.means.add(values)

    def _show_and_save(
        self, step: int, state: Any, due: bool, draws: bool, saves: bool, judged: dict[str, float]
    ) -> None:
        """Log, picture and checkpoint of a step, as far as they are due; a checkpoint last, when the others are there.

        The last step is logged in any case, but the interval goes on: a longer run logs what it would have logged.
        An evaluation between two log steps (`judged`) has a line of its own.
        """
        means = self.means.means() | judged
        if due and self.experiment.check_replicas:
            _check_replicas(step, state)
        if due or step >= self.experiment.steps:
            self.reporter.log(step, means, self.images_per_step)
        elif judged:
            self.reporter.log(step, judged, self.images_per_step)
        if due:
            for line in self.watch.lines(step, means):
                self.reporter.say(line)
            self.means = reporting.Means()
        if draws:
            self._save_picture(step, state)
        if saves:
            self._save(step, state, means)

    def _driver(self, count: int) -> parallel.Step:
        """`count` updates in one dispatch, compiled at the first call."""
        if count not in self.drivers:
            wrap = getattr(parallel, self.experiment.parallel)
            options = {"shard_state": True} if self.experiment.shard_state else {}
            self.drivers[count] = wrap(self.model.update, self.config, steps=count, **options)
        return self.drivers[count]

    def _save(self, step: int, state: Any, means: dict[str, float]) -> None:
        """Start a checkpoint. Of a state that is not finite, `checkpointer` raises at its next use."""
        saved = len(self.checkpointer.blocked_ms)
        self.checkpointer.save(step, state, means, self.means.notes())
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

    def _diverged(self, error: NotFiniteError) -> int:
        """Say what was not finite, what is kept and what may help."""
        earlier = self.checkpointer.drain()
        first = earlier if isinstance(earlier, NotFiniteError) else error
        self.reporter.say(f"{first}: the run stops{self._what_is_kept()}")
        self.reporter.say("to try, each with --no-resume to move this run aside and begin anew, or with another --out:")
        self.reporter.say("  a tenth of the learning rates; float32 where a network computes in 16 bits;")
        self.reporter.say(f"  larger batches: --batch-size {2 * self.experiment.batch_size}")
        return 1

    def _stuck(self, error: FolderError | OSError) -> FolderError:
        """What to say when the folder cannot be written to any more."""
        self.checkpointer.drain()
        if isinstance(error, FolderError):
            what = str(error)
        else:
            what = f"cannot read or write {error.filename or self.folder}: {files.reason(error)}"
        if not self.folder.is_dir():
            return FolderError(f"{what}: the run stops")
        return FolderError(
            f"{what}: the run stops{self._what_is_kept()}; once that is mended, the same command goes on from there"
        )

    def _what_is_kept(self) -> str:
        step = self.checkpointer.newest_step()
        return " before its first checkpoint" if step is None else f"; its checkpoint of step {step:,} is kept"

    def _farewell(self, step: int, stopping: int) -> int:
        if step < self.experiment.steps:
            self.reporter.say(f"stopped at step {step:,}, saved; the same command goes on from here")
            return 128 + stopping
        blocked = self.checkpointer.blocked_ms
        self.reporter.say(
            f"finished {step:,} steps; {len(blocked)} checkpoints held it up for {sum(blocked) / 1e3:.2f} s; "
            f"its pictures are in {self.folder}"
        )
        self.reporter.say(f"draw more with: python -m experiments.sample {self.folder} --num 64 --out digits.png")
        return 0

    def _about_data(self) -> list[str]:
        """The data set's card and what is likely a mistake."""
        config = self.config
        warnings = card.warnings(self.image_set, config.batch_type, config.value_range, self.images_per_step)
        return card.card(self.image_set, self.experiment.images) + [f"warning: {warning}" for warning in warnings]

    def _keys(self, step: int, count: int) -> Key:
        """The key of each of `count` steps from `step` on."""
        return _fold_in(self.key_steps, step + jnp.arange(count))

    def _judge(self, state: Any) -> dict[str, float]:
        """Metrics of the samples, found by the first process and known to all: they may choose the best checkpoint."""
        here = parallel.whole(state)
        found = self.evaluate(here) if self.evaluate else {}
        return json.loads(processes.gather(json.dumps(found))[0])

    def _save_picture(self, step: int, state: Any) -> None:
        """Draw the same latents and images as at every other step."""
        here = parallel.whole(state)
        for kind, draw in self.drawings.items():
            figures.save_png(self.folder / kind / f"step_{step:06d}.png", draw(here))


_fold_in = jax.jit(jax.vmap(jax.random.fold_in, in_axes=(None, 0)))


class ReplicasError(Exception):
    """Devices hold copies of the state that are not the same."""


def _check_replicas(step: int, state: Any) -> None:
    """Raise, naming the arrays, unless all devices of all processes hold the same state."""
    names = set(parallel.differing(state))
    each = [json.loads(text) for text in processes.gather(json.dumps([sorted(names), checksums(state)]))]
    for here, there in each:
        names |= {*here, *(name for name, crc in there.items() if each[0][1].get(name, crc) != crc)}
    if names:
        raise ReplicasError(f"devices hold different copies of {', '.join(sorted(names)[:3])} after step {step:,}")


class _Stop:
    signal = 0


@contextmanager
def _stop_signals() -> Iterator[_Stop]:
    """Note the first SIGINT, SIGTERM or SIGHUP, acted upon after the call under way; a second SIGINT interrupts.

    A SIGHUP that is ignored already (`nohup`) stays so.
    """
    stop = _Stop()

    def note(number: int, _frame: Any) -> None:
        stop.signal = number
        signal.signal(signal.SIGINT, signal.default_int_handler)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check_finite(last_step: int, metrics: dict[str, np.ndarray]) -> None:
    """Raise, naming metric and step, unless all are finite; `metrics` are those of the steps up to `last_step`."""
    for name, values in metrics.items():
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            step = last_step - len(values) + 1 + int(bad[0])
            raise NotFiniteError(f"{name} is {values[bad[0]]} at step {step:,}")


def _greeting(name: str, folder: pathlib.Path, step: int, end: int, resumed: bool) -> str:
    devices = jax.devices()
    where = f"{len(devices)} {devices[0].platform} device{'s' if len(devices) > 1 else ''}"
    if processes.count() > 1:
        where += f" of {processes.count()} processes"
    if step >= end:
        return f"{name} in {folder} has already reached step {step:,}; give a larger --steps to go on"
    if resumed:
        return f"resuming {name} in {folder} at step {step:,} of {end:,}, on {where}"
    return f"training {name} in {folder} for {end:,} steps, on {where}"


def _writers(
    experiment: Experiment, folder: pathlib.Path, name: str, step: int, opened: ExitStack
) -> list[reporting.Writer]:
    """Where metrics go besides metrics.jsonl; to be closed with `opened`."""
    writers = []
    for place in experiment.log:
        if place == "tensorboard":
            writer = reporting.tensorboard(folder / "tensorboard", step)
        else:
            writer = reporting.wandb(folder, name, settings.to_json(experiment))
        writers.append(opened.enter_context(writer))
    return writers
