"""Checkpoints of a run: orbax behind one class, with a checksum for each array.

Orbax writes atomically and beside the training. A flipped bit in an array would restore silently, so each leaf's crc32
is kept and compared; a checkpoint that is damaged is passed over for the newest good one.
"""

import gc
import pathlib
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from experiments.experiment import UserError


class Checkpointer:
    """Saves and restores one state in `folder`; keeps the newest `keep`. A context manager.

    With `read_only` nothing on disk is touched, so that a run in progress can be read.
    """

    def __init__(self, folder: pathlib.Path, keep: int = 3, read_only: bool = False):
        import orbax.checkpoint as ocp
        from orbax.checkpoint.checkpoint_managers import preservation_policy

        self._ocp = ocp
        self._folder = folder
        self._read_only = read_only
        self._manager = ocp.CheckpointManager(
            folder.absolute(),
            item_handlers={
                "state": ocp.StandardCheckpointHandler(),
                "meta": ocp.JsonCheckpointHandler(),
            },
            options=ocp.CheckpointManagerOptions(
                preservation_policy=preservation_policy.LatestN(keep),
                cleanup_tmp_directories=not read_only,
                create=not read_only,
                read_only=read_only,
            ),
        )

    def __enter__(self) -> "Checkpointer":
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.wait_until_finished()
        self._manager.close()

    def save(self, step: int, state: Any) -> None:
        """Start writing the state of `step`; returns as soon as it has been copied. Nothing to do if it is there."""
        if step in self._manager.all_steps():
            return
        args = self._ocp.args
        meta = {"format": 1, "crc32": checksums(state)}
        saved = self._manager.save(
            step,
            args=args.Composite(state=args.StandardSave(state), meta=args.JsonSave(meta)),
            force=True,
        )
        if not saved:
            raise UserError(f"the checkpoint of step {step} was not written to {self._folder}")

    def newest_step(self) -> int | None:
        """Step of the newest checkpoint, None if there is none."""
        return self._manager.latest_step()

    def wait(self) -> None:
        """Until all that was saved is on disk."""
        self._manager.wait_until_finished()

    def restore(self, like: Any) -> tuple[int, Any, list[str]] | None:
        """Step and state of the newest good checkpoint, and why newer ones were passed over; None if there is none.

        `like` tells shapes, dtypes and shardings. UserError if all checkpoints are damaged or of another model.
        """
        passed = []
        steps = sorted(self._manager.all_steps(), reverse=True)
        for step in steps:
            with _without_leftovers():
                try:
                    state = self._restore(step, like)
                except Exception as error:  # orbax raises errors of many kinds for damaged files
                    passed.append(f"step {step}: {_short(error)}")
                    continue
            if not self._read_only:
                self._put_aside([newer for newer in steps if newer > step])
            return step, state, passed
        if steps:
            raise UserError(f"no checkpoint in {self._folder} can be used: {'; '.join(passed)}")
        return None

    def _restore(self, step: int, like: Any) -> Any:
        args = self._ocp.args
        self._compare(step, like)
        restored = self._manager.restore(
            step, args=args.Composite(state=args.StandardRestore(like), meta=args.JsonRestore())
        )
        wanted = restored["meta"]["crc32"]
        found = checksums(restored["state"])
        damaged = [name for name in wanted if found.get(name) != wanted[name]]
        if damaged:
            raise ValueError(f"damaged arrays {', '.join(damaged[:3])}")
        return restored["state"]

    def _put_aside(self, steps: list[int]) -> None:
        """Move damaged checkpoints out of the way, so that their steps can be saved again."""
        for step in steps:
            aside = self._folder.with_name(f"{self._folder.name}_damaged") / f"{step}-{time.time_ns()}"
            aside.parent.mkdir(exist_ok=True)
            (self._folder / str(step)).rename(aside)
        if steps:
            self._manager.reload()

    def _compare(self, step: int, like: Any) -> None:
        """Raise ValueError unless the checkpoint's arrays have the names and shapes of `like`."""
        tree = self._manager.item_metadata(step)["state"].tree
        found = {_name(path): leaf.shape for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}
        wanted = {_name(path): leaf.shape for path, leaf in jax.tree_util.tree_leaves_with_path(like)}
        for name in sorted(found.keys() | wanted.keys()):
            if found.get(name) != wanted.get(name):
                raise ValueError(f"{name} has shape {found.get(name)} there and {wanted.get(name)} in this model")


@contextmanager
def _without_leftovers() -> Iterator[None]:
    """Collect the tasks that orbax leaves behind after a failed restore, without their complaints on stderr."""
    before = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if "Event loop is closed" not in str(unraisable.exc_value):
            before(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        gc.collect()
        sys.unraisablehook = before


def checksums(state: Any) -> dict[str, int]:
    """crc32 of the bytes of each leaf, by its path."""
    leaves = jax.tree_util.tree_leaves_with_path(jax.device_get(state))
    return {_name(path): zlib.crc32(np.ascontiguousarray(leaf).tobytes()) for path, leaf in leaves}


def _name(path: Any) -> str:
    keys = [getattr(key, "key", getattr(key, "name", getattr(key, "idx", key))) for key in path]
    return "/".join(str(key) for key in keys)


def _short(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return text if len(text) <= 160 else f"{text[:160]}..."
