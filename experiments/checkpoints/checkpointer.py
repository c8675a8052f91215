"""Saving and restoring the states of a run: in a thread beside the training, the newest and the best kept.

A checkpoint that is damaged is passed over for the newest good one, and put aside. Several processes write one
checkpoint together, each what lies on its devices, and all take the same ones for good. A leaf that is cut over them
has a checksum for each piece; whatever number of processes and devices reads it checks all.

What orbax's own CheckpointManager lacks: its `save` needs the checksums before it starts, which holds the training up
for several times as long, and it saves nothing before the step of its newest checkpoint, damaged or not.

Beside the state, `meta` holds the metrics by which the best one is found, and notes: whatever else the next step needs.
"""

import copy
import json
import pathlib
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from experiments import processes
from experiments.checkpoints import arrays, folder, items
from experiments.checkpoints.checksums import checksums, sealed
from experiments.checkpoints.reading import Reader
from experiments.command_line.errors import FolderError, UserError
from experiments.runs import files


class NotFiniteError(Exception):
    """A metric or a weight is NaN or infinite."""


@dataclass(frozen=True)
class Best:
    """Which checkpoint is the best one."""

    metric: str
    mode: Literal["min", "max"] = "min"

    def of(self, metrics: dict[int, dict[str, float]]) -> int | None:
        """The step with the best value, the earliest of equals; None if none has that metric."""
        values = {step: found[self.metric] for step, found in metrics.items() if self.metric in found}
        sign = 1 if self.mode == "min" else -1
        return min(values, key=lambda step: (sign * values[step], step), default=None)


class Restored(NamedTuple):
    """What a checkpoint held."""

    step: int
    state: Any
    notes: dict[str, Any]
    passed_over: list[str]  # why newer checkpoints could not be used


class Checkpointer:
    """Saves states of one run in a folder and restores them; keeps the newest `keep` and the best. A context manager.

    `run` names the run: a checkpoint of another one is not restored. With `read_only` nothing on disk is touched, so
    that a run in progress can be read.
    """

    def __init__(
        self,
        path: pathlib.Path,
        keep: int = 3,
        best: Best | None = None,
        run: str = "",
        read_only: bool = False,
    ):
        import orbax.checkpoint as ocp

        self._args = ocp.args
        self._folder = path.absolute()
        self._keep, self._best, self._run = keep, best, run
        self._orbax, self._reader = items.opened(), Reader(self._folder, run)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._saving: Future[None] | None = None
        self._buffers: Any = None
        self.blocked_ms: list[float] = []
        """How long each `save` has held its caller up."""
        self._writes = processes.first() and not read_only  # what all have in common
        if self._writes:
            self._folder.mkdir(parents=True, exist_ok=True)
            folder.remove_leftovers(self._folder)
        if not read_only:
            processes.gather()

    def __enter__(self) -> "Checkpointer":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.wait()
        finally:
            self._thread.shutdown()
            self._orbax.close()
            self._reader.close()

    def save(
        self, step: int, state: Any, metrics: dict[str, float] | None = None, notes: dict[str, Any] | None = None
    ) -> None:
        """Copy the state of `step` to the host and start writing it, beside the training; nothing to do if it is there.

        `metrics` are those that tell the best; `notes`, as JSON, come back with the state. Waits for the save before.

        Raises:
            FolderError: if that save could not be written.
            NotFiniteError: if that state was not finite; it has not been written.
        """
        start = time.perf_counter()
        self.wait()
        if step in self.steps():
            return
        meta = {"format": items.FORMAT, "step": step, "run": self._run, "metrics": metrics or {}, "notes": notes or {}}
        meta = copy.deepcopy(meta)  # the caller may change its own while this is being written
        if processes.count() > 1:  # which must all be at the same place when they write together
            self._write(step, arrays.without_keys(state), meta)
        else:
            self._buffers = arrays.copied(arrays.without_keys(state), self._buffers)
            self._saving = self._thread.submit(self._write, step, self._buffers, meta)
        self.blocked_ms.append(1e3 * (time.perf_counter() - start))

    def wait(self) -> None:
        """Until all that was saved is on disk. Raises what `save` raises, once."""
        saving, self._saving = self._saving, None
        if saving is not None:
            saving.result()

    def drain(self) -> FolderError | NotFiniteError | None:
        """Wait for the save under way, and return what `save` raises: for one who stops for another reason."""
        try:
            self.wait()
        except (FolderError, NotFiniteError) as error:
            return error
        return None

    def settled(self) -> bool:
        """Whether no save is under way, without waiting. Raises what `save` raises, once."""
        if self._saving is not None and self._saving.done():
            self.wait()
        return self._saving is None

    def steps(self) -> list[int]:
        """Steps of all checkpoints, in order."""
        return folder.steps(self._folder)

    def newest_step(self) -> int | None:
        """Step of the newest checkpoint, None if there is none."""
        return max(self.steps(), default=None)

    def best_step(self) -> int | None:
        """Step of the best checkpoint; None if there is none with that metric, or no metric was chosen."""
        return self._best.of({step: self._reader.metrics(step) for step in self.steps()}) if self._best else None

    def restore(self, like: Any) -> Restored | None:
        """The newest good checkpoint, and why newer ones were passed over; None if there is none.

        `like` tells shapes, dtypes and shardings, or is a function from a step to what tells them: those of this
        process, whatever devices have saved the state.
        UserError if all checkpoints are damaged or of another model, or if they may not be read.
        """
        passed = []
        steps = self.steps()[::-1]
        for step in steps:
            try:
                state, notes = self._reader.read(step, like(step) if callable(like) else like)
            except ValueError as error:
                passed.append(f"step {step}: {error}")
                continue
            if self._writes:
                folder.put_aside(self._folder, [newer for newer in steps if newer > step])
            return Restored(step, state, notes, passed)
        if steps:
            raise UserError(
                f"no checkpoint in {self._folder} can be used: {'; '.join(passed)}; put back what was saved there, use "
                "the version of jaxgen that saved it, or begin anew with train --no-resume"
            )
        return None

    def restore_step(self, step: int, like: Any) -> Restored:
        """The checkpoint of one step. UserError if it is missing or damaged."""
        if step not in self.steps():
            there = ", ".join(map(str, self.steps())) or "none"
            raise UserError(f"{self._folder} has no checkpoint of step {step}; there are: {there}")
        try:
            return Restored(step, *self._reader.read(step, like), [])
        except ValueError as error:
            raise UserError(f"the checkpoint of step {step} in {self._folder} cannot be used: {error}") from error

    def _write(self, step: int, state: Any, meta: dict[str, Any]) -> None:
        """In the saving thread: check the arrays, write them, delete what is not to be kept."""
        said = processes.gather(json.dumps({"finite": arrays.all_finite(state), "crc32": checksums(state)}))
        each = [json.loads(text) for text in said]
        if not all(one["finite"] for one in each):
            raise NotFiniteError(f"weights or optimiser are not finite after step {step:,}")
        meta = sealed(meta | {"crc32": {name: value for one in each for name, value in one["crc32"].items()}})
        try:
            if not self._folder.is_dir():
                raise FileNotFoundError(2, "the folder is gone")
            args = self._args.Composite(state=self._args.StandardSave(state), meta=self._args.JsonSave(meta))
            with items.without_leftovers():
                self._orbax.save(self._folder / str(step), args=args)
            if self._writes:
                files.sync(self._folder / str(step))
                self._delete_old()
        except Exception as error:  # orbax raises errors of many kinds for a full disk
            if self._writes:
                folder.remove_leftovers(self._folder)
            raise FolderError(
                f"the checkpoint of step {step:,} cannot be written to {self._folder}: {files.reason(error)}"
            ) from error

    def _delete_old(self) -> None:
        steps = self.steps()
        kept = {*steps[-self._keep :], self.best_step()}
        for step in (step for step in steps if step not in kept):
            folder.delete(self._folder, step)
