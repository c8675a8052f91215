"""Checkpoints of a run: orbax behind one class, with a checksum for each array.

A checkpoint is a folder named by its step. Orbax writes it under another name and renames it when it is whole; it is
renamed again before it is deleted, so that no kill leaves half of one under its step. A flipped bit in an array would
restore silently, so each leaf's crc32 is kept and compared; a checkpoint that is damaged is passed over for the newest
good one, and put aside.

Several processes write one checkpoint together, each what lies on its devices, and all take the same ones for good. A
leaf that is cut over them has a checksum for each piece; whatever number of processes and devices reads it checks all.

Beside the state, `meta` holds the metrics by which the best one is found, and notes: whatever else the next step needs.
"""

import copy
import gc
import json
import pathlib
import shutil
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import processes
from experiments.command_line import quiet
from experiments.command_line.errors import FolderError, UserError
from experiments.runs import files

FORMAT = 1
"""Of what `meta` says."""


class NotFiniteError(Exception):
    """A metric or a weight is NaN or infinite."""


class NewerError(UserError):
    """A checkpoint that a newer version of this program wrote."""


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
    """Saves states of one run in `folder` and restores them; keeps the newest `keep` and the best. A context manager.

    `run` names the run: a checkpoint of another one is not restored. With `read_only` nothing on disk is touched, so
    that a run in progress can be read.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        keep: int = 3,
        best: Best | None = None,
        run: str = "",
        read_only: bool = False,
    ):
        import orbax.checkpoint as ocp

        self._args = ocp.args
        self._folder = folder.absolute()
        self._keep, self._best, self._run, self._read_only = keep, best, run, read_only
        self._orbax = self._reader = ocp.Checkpointer(_handler())
        if processes.count() > 1:  # that one fails to read must not make the others wait
            alone = ocp.options.MultiprocessingOptions(processes.index(), {processes.index()})
            self._reader = ocp.Checkpointer(_handler(), multiprocessing_options=alone)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._saving: Future[None] | None = None
        self._buffers: Any = None
        self.blocked_ms: list[float] = []
        """How long each `save` has held its caller up."""
        self._writes = processes.first() and not read_only  # what all have in common
        if self._writes:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._remove_leftovers()
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
        meta = {"format": FORMAT, "step": step, "run": self._run, "metrics": metrics or {}, "notes": notes or {}}
        meta = copy.deepcopy(meta)  # the caller may change its own while this is being written
        if processes.count() > 1:  # which must all be at the same place when they write together
            self._write(step, _plain(state), meta)
        else:
            self._buffers = _copied(_plain(state), self._buffers)
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
        if not self._folder.is_dir():
            return []
        return sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdigit() and path.is_dir())

    def newest_step(self) -> int | None:
        """Step of the newest checkpoint, None if there is none."""
        return max(self.steps(), default=None)

    def best_step(self) -> int | None:
        """Step of the best checkpoint; None if there is none with that metric, or no metric was chosen."""
        return self._best.of({step: self._metrics(step) for step in self.steps()}) if self._best else None

    def restore(self, like: Any) -> Restored | None:
        """The newest good checkpoint, and why newer ones were passed over; None if there is none.

        `like` tells shapes, dtypes and shardings: those of this process, whatever devices have saved the state.
        UserError if all checkpoints are damaged or of another model, or if they may not be read.
        """
        passed = []
        steps = self.steps()[::-1]
        for step in steps:
            try:
                state, notes = self._read(step, like)
            except ValueError as error:
                passed.append(f"step {step}: {error}")
                continue
            if self._writes:
                self._put_aside([newer for newer in steps if newer > step])
            return Restored(step, state, notes, passed)
        if steps:
            raise UserError(f"no checkpoint in {self._folder} can be used: {'; '.join(passed)}")
        return None

    def restore_step(self, step: int, like: Any) -> Restored:
        """The checkpoint of one step. UserError if it is missing or damaged."""
        if step not in self.steps():
            there = ", ".join(map(str, self.steps())) or "none"
            raise UserError(f"{self._folder} has no checkpoint of step {step}; there are: {there}")
        try:
            return Restored(step, *self._read(step, like), [])
        except ValueError as error:
            raise UserError(f"the checkpoint of step {step} in {self._folder} cannot be used: {error}") from error

    def _write(self, step: int, arrays: Any, meta: dict[str, Any]) -> None:
        """In the saving thread: check the arrays, write them, delete what is not to be kept."""
        said = processes.gather(json.dumps({"finite": _all_finite(arrays), "crc32": checksums(arrays)}))
        each = [json.loads(text) for text in said]
        if not all(one["finite"] for one in each):
            raise NotFiniteError(f"weights or optimiser are not finite after step {step:,}")
        meta = _sealed(meta | {"crc32": {name: value for one in each for name, value in one["crc32"].items()}})
        try:
            if not self._folder.is_dir():
                raise FileNotFoundError(2, "the folder is gone")
            args = self._args.Composite(state=self._args.StandardSave(arrays), meta=self._args.JsonSave(meta))
            with _without_leftovers():
                self._orbax.save(self._folder / str(step), args=args)
            if self._writes:
                files.sync(self._folder / str(step))
                self._delete_old()
        except Exception as error:  # orbax raises errors of many kinds for a full disk
            if self._writes:
                self._remove_leftovers()
            raise FolderError(
                f"the checkpoint of step {step:,} cannot be written to {self._folder}: {files.reason(error)}"
            ) from error

    def _delete_old(self) -> None:
        steps = self.steps()
        kept = {*steps[-self._keep :], self.best_step()}
        for step in (step for step in steps if step not in kept):
            deleted = self._folder / f".deleted-{step}-{time.time_ns()}"
            (self._folder / str(step)).rename(deleted)
            shutil.rmtree(deleted, ignore_errors=True)

    def _remove_leftovers(self) -> None:
        """What a kill or a full disk has left of unfinished saves and deletions."""
        for pattern in ("*.orbax-checkpoint-tmp*", ".deleted-*"):
            for path in self._folder.glob(pattern):
                shutil.rmtree(path, ignore_errors=True)

    def _put_aside(self, steps: list[int]) -> None:
        """Move damaged checkpoints out of the way, so that their steps can be saved again."""
        for step in steps:
            aside = self._folder.with_name(f"{self._folder.name}_damaged") / f"{step}-{time.time_ns()}"
            aside.parent.mkdir(exist_ok=True)
            (self._folder / str(step)).rename(aside)

    def _read(self, step: int, like: Any) -> tuple[Any, dict[str, Any]]:
        """State and notes. ValueError, in a few words, if they are damaged or of another model or run.

        Damaged for one process is damaged for all.
        """
        found, damage = None, ""
        with _without_leftovers():
            try:
                found = self._restore(step, _plain(like))
            except (MemoryError, UserError):
                raise
            except Exception as error:  # orbax raises errors of many kinds for damaged files
                if isinstance(error, PermissionError) or "PERMISSION_DENIED" in str(error):
                    raise UserError(f"{self._folder / str(step)} may not be read: {files.reason(error)}") from error
                damage = files.reason(error)
        damage = damage or next(filter(None, processes.gather(damage)), "")
        if found is None or damage:
            raise ValueError(damage)
        state, notes = found
        return _as(jax.tree.map(_placed, state, _plain(like)), like), notes

    def _restore(self, step: int, like: Any) -> tuple[Any, dict[str, Any]]:
        """The arrays in memory, and notes. Each process reads and checks all of them on its own."""
        meta = self._meta(step)
        if meta["run"] != self._run:
            raise ValueError(f"it belongs to another run, {meta['run']}")
        self._compare(step, like)
        empty = jax.tree.map(lambda leaf: np.broadcast_to(np.zeros((), leaf.dtype), leaf.shape), like)
        args = self._args.Composite(state=self._args.StandardRestore(empty))
        state = self._reader.restore(self._folder / str(step), args=args)["state"]
        leaves = {_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state)}
        damaged = [name for name, crc in meta["crc32"].items() if not _is_whole(leaves, name, crc)]
        if damaged:
            raise ValueError(f"damaged arrays {', '.join(damaged[:3])}")
        return state, meta["notes"]

    def _meta(self, step: int) -> dict[str, Any]:
        """What is noted of the checkpoint of `step`. ValueError if damaged or of another step; NewerError."""
        args = self._args.Composite(meta=self._args.JsonRestore())
        meta = self._reader.restore(self._folder / str(step), args=args)["meta"]
        if not isinstance(meta, dict) or meta != _sealed(meta):
            raise ValueError("damaged notes")
        if meta["format"] > FORMAT:
            raise NewerError(
                f"{self._folder / str(step)} was written by a newer version (format {meta['format']}, this one reads "
                f"{FORMAT}); update jaxgen"
            )
        if meta["step"] != step:
            raise ValueError(f"it holds step {meta['step']}")
        return meta

    def _metrics(self, step: int) -> dict[str, float]:
        """By which the best is found; none for a checkpoint that cannot be read."""
        try:
            return self._meta(step)["metrics"]
        except Exception:  # orbax raises errors of many kinds for damaged files
            return {}

    def _compare(self, step: int, like: Any) -> None:
        """Raise ValueError unless the checkpoint's arrays have the names, shapes and dtypes of `like`."""
        items: Any = self._reader.metadata(self._folder / str(step)).item_metadata
        tree = items["state"].tree
        found, wanted = _described(tree), _described(like)
        for name in sorted(found.keys() | wanted.keys()):
            if found.get(name) != wanted.get(name):
                there, here = found.get(name, "missing"), wanted.get(name, "missing")
                raise ValueError(f"{name} is {there} there and {here} in this model")


def _handler() -> Any:
    import orbax.checkpoint as ocp

    return ocp.CompositeCheckpointHandler(state=ocp.StandardCheckpointHandler(), meta=ocp.JsonCheckpointHandler())


@contextmanager
def _without_leftovers() -> Iterator[None]:
    """Collect the tasks that orbax leaves behind after a failure, without their complaints on stderr."""
    with quiet.closed_loops():
        try:
            yield
        except BaseException:
            gc.collect()
            raise


def checksums(state: Any) -> dict[str, int]:
    """crc32 of the bytes of each leaf, by its path; of one cut over several processes, of each piece that lies here.

    The name of a piece ends with its place, as in `params/kernel[0:8,4:8]`.
    """
    found: dict[str, int] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        if not isinstance(leaf, jax.Array) or leaf.is_fully_addressable or leaf.is_fully_replicated:
            found[_name(path)] = zlib.crc32(_bytes(jax.device_get(leaf)))
            continue
        for shard in leaf.addressable_shards:
            bounds = (place.indices(size) for place, size in zip(shard.index, leaf.shape, strict=True))
            where = ",".join(f"{start}:{stop}" for start, stop, _ in bounds)
            found[f"{_name(path)}[{where}]"] = zlib.crc32(_bytes(jax.device_get(shard.data)))
    return found


def _is_whole(leaves: dict[str, np.ndarray], name: str, crc: int) -> bool:
    """Whether the leaf, or the piece of one, of that name has that crc32."""
    name, _, where = name.partition("[")
    bounds = (place.split(":") for place in where.rstrip("]").split(",") if place)
    leaf = leaves.get(name)
    return leaf is not None and crc == zlib.crc32(_bytes(leaf[tuple(slice(int(a), int(b)) for a, b in bounds)]))


def _placed(leaf: np.ndarray, like: Any) -> jax.Array:
    """A leaf that is in memory where `like` has it."""
    sharding = getattr(like, "sharding", None)
    if sharding is None or sharding.is_fully_addressable:
        return jax.device_put(leaf, sharding)
    return jax.make_array_from_callback(leaf.shape, sharding, leaf.__getitem__)


def _bytes(leaf: Any) -> memoryview:
    return np.ascontiguousarray(leaf).reshape(-1).view(np.uint8).data


def _sealed(meta: dict[str, Any]) -> dict[str, Any]:
    """`meta` with the crc32 of all the rest."""
    rest = {key: value for key, value in meta.items() if key != "checksum"}
    return rest | {"checksum": zlib.crc32(json.dumps(rest, sort_keys=True).encode())}


def _plain(state: Any) -> Any:
    """The state, or its shapes, with keys as the integers behind them."""
    return jax.tree.map(_key_data, state)


def _key_data(leaf: Any) -> Any:
    if not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return leaf
    if isinstance(leaf, jax.Array):
        return jax.random.key_data(leaf)
    data = jax.eval_shape(jax.random.key_data, leaf)
    return jax.ShapeDtypeStruct(data.shape, data.dtype, sharding=leaf.sharding)


def _as(state: Any, like: Any) -> Any:
    """The state with keys where `like` has them."""

    def typed(leaf: Any, wanted: Any) -> Any:
        if not jnp.issubdtype(wanted.dtype, jax.dtypes.prng_key):
            return leaf
        impl: list[Any] = []
        jax.eval_shape(lambda key: impl.append(jax.random.key_impl(key)), wanted)
        return jax.random.wrap_key_data(leaf, impl=impl[0])

    return jax.tree.map(typed, state, like)


def _copied(state: Any, buffers: Any) -> Any:
    """The arrays in buffers of their own on the host: the state may be donated as soon as this returns.

    `buffers` of an earlier call are used again where they fit: new memory costs several times the copy.
    """
    for leaf in jax.tree.leaves(state):
        if isinstance(leaf, jax.Array):
            leaf.copy_to_host_async()
    if buffers is None or _described(buffers) != _described(state):
        buffers = jax.tree.map(lambda leaf: np.empty(leaf.shape, leaf.dtype), state)
    jax.tree.map(np.copyto, buffers, state)
    return buffers


def _all_finite(arrays: Any) -> bool:
    """Of all leaves, or of what of them lies in this process."""
    floats = (leaf for leaf in jax.tree.leaves(arrays) if jnp.issubdtype(leaf.dtype, jnp.floating))
    return all(bool(np.isfinite(piece).all()) for leaf in floats for piece in _pieces(leaf))


def _pieces(leaf: Any) -> list[Any]:
    if not isinstance(leaf, jax.Array) or leaf.is_fully_addressable or leaf.is_fully_replicated:
        return [leaf]
    return [shard.data for shard in leaf.addressable_shards]


def _described(tree: Any) -> dict[str, str]:
    """Dtype and shape of each leaf, by its path."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {_name(path): f"{np.dtype(leaf.dtype).name}{list(leaf.shape)}" for path, leaf in leaves}


def _name(path: Any) -> str:
    keys = [getattr(key, "key", getattr(key, "name", getattr(key, "idx", key))) for key in path]
    return "/".join(str(key) for key in keys)
