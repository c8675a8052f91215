"""Reading a checkpoint: nothing is taken for good before its notes, its shapes and the checksum of each array agree."""

import pathlib
from typing import Any

import jax
import numpy as np

from experiments import processes
from experiments.checkpoints import arrays, checksums, items
from experiments.command_line.errors import UserError
from experiments.runs import files


class NewerError(UserError):
    """A checkpoint that a newer version of this program wrote."""


class Reader:
    """Reads the checkpoints of the run named `run` in `folder`; touches nothing on disk."""

    def __init__(self, folder: pathlib.Path, run: str):
        import orbax.checkpoint as ocp

        self._args = ocp.args
        self._folder, self._run = folder, run
        self._orbax = items.opened(alone=True)  # that one process fails to read must not make the others wait

    def close(self) -> None:
        """Free what orbax holds."""
        self._orbax.close()

    def read(self, step: int, like: Any) -> tuple[Any, dict[str, Any]]:
        """State and notes. ValueError, in a few words, if they are damaged or of another model or run.

        Damaged for one process is damaged for all. UserError if they may not be read, or a newer version wrote them.
        """
        found, damage = None, ""
        with items.without_leftovers():
            try:
                found = self._restore(step, arrays.without_keys(like))
            except (MemoryError, UserError):
                raise
            except Exception as error:  # orbax raises errors of many kinds for damaged files
                if isinstance(error, PermissionError) or "PERMISSION_DENIED" in str(error):
                    raise UserError(f"{self._folder / str(step)} may not be read: {files.reason(error)}") from error
                damage = files.reason(error)
        said = processes.gather(damage)  # by all, also by the one that has found damage: each waits for the others
        damage = damage or next(filter(None, said), "")
        if found is None or damage:
            raise ValueError(damage)
        state, notes = found
        return arrays.placed(state, like), notes

    def metrics(self, step: int) -> dict[str, float]:
        """By which the best is found; none for a checkpoint that cannot be read."""
        try:
            with items.without_leftovers():
                return self._meta(step)["metrics"]
        except Exception:  # orbax raises errors of many kinds for damaged files
            return {}

    def _restore(self, step: int, like: Any) -> tuple[Any, dict[str, Any]]:
        """The arrays in memory, and notes. Each process reads and checks all of them on its own."""
        meta = self._meta(step)
        if meta["run"] != self._run:
            raise ValueError(f"it belongs to another run, {meta['run']}")
        self._compare(step, like)
        empty = jax.tree.map(lambda leaf: np.broadcast_to(np.zeros((), leaf.dtype), leaf.shape), like)
        args = self._args.Composite(state=self._args.StandardRestore(empty))
        state = self._orbax.restore(self._folder / str(step), args=args)["state"]
        if damaged := checksums.damaged(state, meta["crc32"]):
            raise ValueError(f"damaged arrays {', '.join(damaged[:3])}")
        return state, meta["notes"]

    def _meta(self, step: int) -> dict[str, Any]:
        """What is noted of the checkpoint of `step`. ValueError if damaged or of another step; NewerError."""
        args = self._args.Composite(meta=self._args.JsonRestore())
        meta = self._orbax.restore(self._folder / str(step), args=args)["meta"]
        if not isinstance(meta, dict) or meta != checksums.sealed(meta):
            raise ValueError("damaged notes")
        if meta["format"] > items.FORMAT:
            raise NewerError(
                f"{self._folder / str(step)} was written by a newer version (format {meta['format']}, this one reads "
                f"{items.FORMAT}); update jaxgen"
            )
        if meta["step"] != step:
            raise ValueError(f"it holds step {meta['step']}")
        return meta

    def _compare(self, step: int, like: Any) -> None:
        """Raise ValueError unless the checkpoint's arrays have the names, shapes and dtypes of `like`."""
        metadata: Any = self._orbax.metadata(self._folder / str(step)).item_metadata
        found, wanted = checksums.described(metadata["state"].tree), checksums.described(like)
        for name in sorted(found.keys() | wanted.keys()):
            if found.get(name) != wanted.get(name):
                there, here = found.get(name, "missing"), wanted.get(name, "missing")
                raise ValueError(f"{name} is {there} there and {here} in this model")
