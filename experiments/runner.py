"""The one training loop: data -> update -> metrics, pictures, checkpoints; and going on where a run stopped.

What happens at a step depends on the seed, the settings and the step alone: the key of a step is folded from the run's
key, and its batch is a pure function of (seed, step). So a run that stopped and goes on is the same run.
"""

import collections
import dataclasses
import functools
import importlib.util
import pathlib
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments import data, figures, pictures, reporting, restore, runs, settings
from experiments.checkpoints import Checkpointer
from experiments.data import card, feeds
from experiments.data.images import ImageSet
from experiments.experiment import Experiment, UserError, model_of
from jaxgen import parallel
from jaxgen.typing import Key, Labelled

IN_FLIGHT = 8
"""Calls under way at most: XLA on CPU devices can deadlock with more than 32."""


def train(name: str, experiment: Experiment, folder: pathlib.Path) -> int:
    """Run the experiment in `folder` to its last step, from its newest checkpoint if there is one.

    Returns:
        0 at the end; 128 + signal number after SIGINT or SIGTERM, everything saved; 1 if a metric was not finite.

    Raises:
        UserError: for settings, data or a folder that do not fit, before anything is compiled.
    """
    image_set = data.load_for(experiment)
    experiment = fit_to_data(experiment, image_set, name)
    check_batch(experiment)
    check_model(experiment, image_set)
    check_log(experiment)
    pictures.check(experiment)
    aside = None if experiment.resume else runs.move_aside(folder)
    if aside:
        print(f"moved the earlier run to {aside}")
    with runs.locked(folder):
        resumed = runs.begin(folder, name, experiment)
        with Checkpointer(folder / "checkpoints", experiment.keep) as checkpointer:
            return _Loop(name, experiment, folder, image_set, checkpointer).run(resumed)


def fit_to_data(experiment: Experiment, image_set: ImageSet, name: str) -> Experiment:
    """The experiment with the image shape, and number of classes, of its data. UserError if others were asked for."""
    from experiments.experiment import load

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
        jax.eval_shape(lambda state, batch: model.update(config, state, batch, jax.random.key(0)), state, batch)
    except ValueError as error:
        raise UserError(str(error)) from error


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
    ):
        self.name, self.experiment, self.folder = name, experiment, folder
        self.image_set, self.checkpointer = image_set, checkpointer
        self.config, self.model = experiment.model, model_of(experiment.model)
        self.images_per_step = experiment.batch_size * self.config.minibatches
        self.drivers: dict[int, parallel.Step] = {}
        keys = jax.random.split(jax.random.key(experiment.seed), 3)
        self.key_init, self.key_steps, self.key_samples = keys
        self.drawings = pictures.drawings(experiment, image_set, self.key_samples)

    def run(self, resumed: bool) -> int:
        step, state = self._start()
        end = self.experiment.steps
        greeting = _greeting(self.name, self.folder, step, end, resumed)
        if step >= end:
            print(greeting)
            return 0
        if resumed:
            runs.record_session(self.folder, self.experiment, step)
        with ExitStack() as opened:
            writers = _writers(self.experiment, self.folder, self.name, step, opened)
            self.reporter = opened.enter_context(reporting.Reporter(self.folder, step, end, writers))
            stop = opened.enter_context(_stop_signals())
            self.batches = opened.enter_context(
                feeds.opened(
                    self.image_set,
                    self.config.batch_type,
                    self.experiment.seed,
                    self.images_per_step,
                    self.experiment.storage,
                )
            )
            for line in self._about_data():
                self.reporter.say(line)
            self.reporter.say(greeting)
            try:
                return self._loop(step, state, stop)
            except _NotFiniteError as error:
                self.checkpointer.wait()
                self.reporter.say(f"{error}: the run stops{self._what_is_kept()}")
                self.reporter.say("try a smaller learning rate, with --no-resume to begin anew")
                return 1

    def _start(self) -> tuple[int, Any]:
        """Step and state of the newest good checkpoint, or step 0 and a fresh state."""
        restored = self.checkpointer.restore(restore.abstract_state(self.experiment))
        if restored is None:
            return 0, jax.jit(functools.partial(self.model.init, self.config))(self.key_init)
        step, state, passed_over = restored
        for reason in passed_over:
            print(f"passed over a damaged checkpoint, {reason}")
        return step, state

    def _loop(self, step: int, state: Any, stop: "_Stop") -> int:
        experiment, end = self.experiment, self.experiment.steps
        pending: collections.deque[tuple[int, Any]] = collections.deque()
        if step == 0:
            self._save_picture(0, state)
        while True:
            stopping = stop.signal  # read once: a signal that comes while waiting below is for the next round
            count = min(experiment.steps_per_call, end - step)
            state, metrics = self._driver(count)(state, self.batches(step, count), self._keys(step, count))
            before, step = step, step + count
            pending.append((step, metrics))
            self.reporter.progress(step)
            logs, draws, saves = (
                step >= end or step // every > before // every
                for every in (experiment.log_every, experiment.sample_every, experiment.checkpoint_every)
            )
            saves = saves or bool(stopping)
            values = _awaited(pending, in_flight=0 if logs or draws or saves else IN_FLIGHT)
            if logs:
                means = {key: float(np.mean(value)) for key, value in values.items()}
                self.reporter.log(step, means, self.images_per_step)
            if draws:
                self._save_picture(step, state)
            if saves:
                self._save(step, state)
            if stopping or step >= end:
                self.checkpointer.wait()
                return self._farewell(step, stopping)

    def _driver(self, count: int) -> parallel.Step:
        """`count` updates in one dispatch, compiled at the first call."""
        if count not in self.drivers:
            wrap = getattr(parallel, self.experiment.parallel)
            self.drivers[count] = wrap(self.model.update, self.config, steps=count)
        return self.drivers[count]

    def _save(self, step: int, state: Any) -> None:
        """Start a checkpoint; a state that is not finite raises instead."""
        if not _all_finite(state):
            raise _NotFiniteError(f"weights or optimiser are not finite after step {step:,}")
        self.checkpointer.save(step, state)

    def _what_is_kept(self) -> str:
        step = self.checkpointer.newest_step()
        return " before its first checkpoint" if step is None else f"; its checkpoint of step {step:,} is kept"

    def _farewell(self, step: int, stopping: int) -> int:
        if step < self.experiment.steps:
            self.reporter.say(f"stopped at step {step:,}, saved; the same command goes on from here")
            return 128 + stopping
        self.reporter.say(f"finished {step:,} steps; its pictures are in {self.folder}")
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

    def _save_picture(self, step: int, state: Any) -> None:
        """Draw the same latents and images as at every other step."""
        for kind, draw in self.drawings.items():
            figures.save_png(self.folder / kind / f"step_{step:06d}.png", draw(state))


_fold_in = jax.jit(jax.vmap(jax.random.fold_in, in_axes=(None, 0)))


class _NotFiniteError(Exception):
    """A metric or a weight is NaN or infinite."""


class _Stop:
    signal = 0


@contextmanager
def _stop_signals() -> Iterator[_Stop]:
    """Note the first SIGINT or SIGTERM, acted upon after the call under way; a second SIGINT interrupts."""
    stop = _Stop()

    def note(number: int, _frame: Any) -> None:
        stop.signal = number
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _awaited(pending: collections.deque[tuple[int, Any]], in_flight: int) -> dict[str, np.ndarray]:
    """Wait until at most `in_flight` calls are under way; the metrics of the last one awaited, all finite."""
    values: dict[str, np.ndarray] = {}
    while len(pending) > in_flight:
        last_step, metrics = pending.popleft()
        values = jax.device_get(metrics)
        _check_finite(last_step, values)
    return values


def _check_finite(last_step: int, metrics: dict[str, np.ndarray]) -> None:
    """Raise, naming metric and step, unless all are finite; `metrics` are those of the steps up to `last_step`."""
    for name, values in metrics.items():
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            step = last_step - len(values) + 1 + int(bad[0])
            raise _NotFiniteError(f"{name} is {values[bad[0]]} at step {step:,}")


@jax.jit
def _all_finite(state: Any) -> jax.Array:
    floats = (leaf for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jnp.floating))
    return jnp.stack([jnp.isfinite(leaf).all() for leaf in floats]).all()


def _greeting(name: str, folder: pathlib.Path, step: int, end: int, resumed: bool) -> str:
    devices = jax.devices()
    where = f"{len(devices)} {devices[0].platform} device{'s' if len(devices) > 1 else ''}"
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
