"""The folder of a run: what it holds, whether a command may go on in it, and how later commands read it.

config.json      the experiment's name and every setting, versions and devices; enough to repeat the run
.lock            held by the process that trains
metrics.jsonl    one line for each log step
tokenizer.json   the vocabulary with which captions are read, where that is not bytes
frozen/          pretrained parts of the model, one file each
samples/         pictures, the same latents at each step; reconstructions/, codes/, code_grid/ likewise; captions.txt
                 where the rows of pictures are of captions
checkpoints/     orbax
"""

import dataclasses
import json
import os
import pathlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from experiments.command_line import system
from experiments.command_line.errors import FolderError, UserError
from experiments.data.request import OWN
from experiments.runs import files, former, history, sessions, settings, tokenizer
from experiments.runs.experiment import Experiment

FREE = (
    *("steps", "out", "parallel", "steps_per_call", "log_every", "sample_every", "checkpoint_every"),
    *(
        "keep",
        "best",
        "best_mode",
        "num_samples",
        "pictures",
        "log",
        "wandb",
        "resume",
        "change",
        "data_dir",
        "storage",
    ),
    "init_from",  # only what a run begins with; `checks.initial` refuses another one
    "tokenizer",  # a run keeps its own
    *("eval_every", "eval_samples"),
    *("shard_state", "check_replicas", "compilation_cache"),
    *("distributed", "coordinator", "num_processes", "process_id", "start_timeout", "heartbeat_timeout"),
)
"""Settings that may differ when a run goes on: they do not change what is computed, only how long and how it shows."""

FORMAT = 2
"""Of config.json; `former.upgraded` reads format 1."""


class Hold:
    """A run's folder, held by this process."""

    def __init__(self, folder: pathlib.Path, lock: TextIO, unlocked: str | None = None):
        self._folder, self._lock = folder, lock
        self.unlocked = unlocked  # why others are not kept out, None if they are

    def check(self) -> None:
        """Raise FolderError if the folder is not the one that was locked: if it has been deleted or moved."""
        try:
            there = os.path.samestat((self._folder / ".lock").stat(), os.fstat(self._lock.fileno()))
        except OSError:
            there = False
        if not there:
            raise FolderError(f"{self._folder} was deleted or moved while it was trained in")


@contextmanager
def locked(folder: pathlib.Path) -> Iterator[Hold]:
    """Make the folder and hold it, so that no second process trains in it. UserError if that cannot be.

    Where a file system has no locks the folder is not held, and `Hold.unlocked` says why.
    """
    try:
        (folder / "samples").mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("a")
    except OSError as error:
        raise UserError(
            f"cannot write to {folder}: {error.strerror} ({error.filename}); choose another --out"
        ) from error
    with file:
        try:
            unlocked = system.lock(file)
        except BlockingIOError as error:
            raise UserError(f"another process trains in {folder}; wait for it or choose another --out") from error
        except OSError as error:
            raise UserError(f"cannot lock {folder / '.lock'}: {error.strerror}; choose another --out") from error
        yield Hold(folder, file, unlocked)


def move_aside(folder: pathlib.Path) -> pathlib.Path | None:
    """Rename a folder that holds a run to the first free FOLDER.1, FOLDER.2, ...; None if it holds none.

    UserError while another process trains in it, or if it cannot be renamed.
    """
    folder = folder.resolve()
    if not (folder / "config.json").exists():
        return None
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    with locked(folder):
        if not system.KEEPS_OPEN_FOLDERS:
            return _renamed(folder, aside)
    return _renamed(folder, aside)


def _renamed(folder: pathlib.Path, aside: pathlib.Path) -> pathlib.Path:
    try:
        return folder.rename(aside)
    except OSError as error:
        raise UserError(f"cannot rename {folder}: {error.strerror}; choose another --out") from error


def begin(folder: pathlib.Path, name: str, experiment: Experiment, data: dict[str, Any] | None = None) -> bool:
    """Write config.json, or check that the one there is of this very run. True if there was one.

    `data` is the fingerprint of its data. UserError for the folder of another experiment, with other settings, or with
    checkpoints of unknown origin.
    """
    path = folder / "config.json"
    if not path.exists():
        if (folder / "checkpoints").exists():
            raise UserError(f"{folder} has checkpoints but no config.json that says of what; choose another --out")
        record = {"format": FORMAT, "run": uuid.uuid4().hex, "experiment": name, "has_checkpoint": False}
        record |= {"data": data, "settings": settings.to_json(experiment), "sessions": [sessions.session(0)]}
        _write(folder, record)
        return False
    there, earlier = read(folder)
    if there != name:
        raise UserError(f"{folder} holds a run of {there}, not of {name}; choose another --out")
    before, now = _fixed(earlier), _fixed(experiment)
    if moved(before["data"], now["data"]):
        before["data"] = now["data"]
    record = read_config(folder)
    if not record["has_checkpoint"]:  # what a run is given at its beginning may still be put right
        before["pretrained"] = now["pretrained"]
    if "profiles" not in record["settings"].get("images", ()):  # of a version that knew none: either may be given
        before["images"]["profiles"] = now["images"]["profiles"]
    history.require_change(folder, before, now, asked=experiment.change)
    return True


def moved(before: str, now: str) -> bool:
    """Whether two names of data differ in the place of a person's own data alone; `run_data` compares what is there."""
    scheme = before.partition(":")[0]
    return before != now and scheme in OWN and now.partition(":")[0] == scheme


def _fixed(experiment: Experiment) -> dict[str, Any]:
    return {key: value for key, value in settings.to_json(experiment).items() if key not in FREE}


def record_session(
    folder: pathlib.Path, experiment: Experiment, step: int, changed: dict[str, Any] | None = None
) -> None:
    """Note in config.json that the run goes on from `step`, with which settings, versions and devices; what changed."""
    record = read_config(folder)
    session = sessions.session(step) | ({} if changed is None else {"changed": changed})
    _write(folder, record | {"settings": settings.to_json(experiment), "sessions": [*record["sessions"], session]})


def record_data(folder: pathlib.Path, fingerprint: dict[str, Any]) -> None:
    """Note in config.json what identifies the run's data, unless it has trained on what is noted there."""
    record = read_config(folder)
    if not record.get("data") or not record["has_checkpoint"]:
        _write(folder, record | {"data": fingerprint})


def record_initial(folder: pathlib.Path, source: dict[str, Any]) -> None:
    """Note in config.json whose weights the run began with."""
    _write(folder, read_config(folder) | {"init_from": source})


def record_frozen(folder: pathlib.Path, checksums: dict[str, int]) -> None:
    """Note in config.json the checksums of the frozen parts that the run keeps."""
    _write(folder, read_config(folder) | {"frozen": checksums})


def record_tokenizer(folder: pathlib.Path, checksum: int) -> None:
    """Note in config.json the checksum of the vocabulary that the run keeps."""
    _write(folder, read_config(folder) | {"tokenizer": checksum})


def record_checkpoint(folder: pathlib.Path) -> None:
    """Note in config.json that the run has had a checkpoint: one without any has lost them."""
    record = read_config(folder)
    if not record["has_checkpoint"]:
        _write(folder, record | {"has_checkpoint": True})


def read_config(folder: pathlib.Path) -> dict[str, Any]:
    """What config.json says, in today's format.

    UserError if it is missing, damaged, not of this program or of a newer version.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise UserError(f"{folder} is not the folder of a run: it has no config.json")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}); put back what train wrote there") from error
    wrong = _wrong(record)
    if wrong:
        raise UserError(f"{path} was not written by train: {wrong}; put back what train wrote there")
    if record["format"] > FORMAT:
        raise UserError(
            f"{path} was written by a newer version of jaxgen (format {record['format']}, this one reads {FORMAT}); "
            "update jaxgen"
        )
    if record["format"] == 1:
        return record | {"format": FORMAT, "settings": former.upgraded(record["settings"])}
    return record


def _wrong(record: Any) -> str:
    """What `record` lacks of a config.json, in a few words; nothing if it has all."""
    if not isinstance(record, dict):
        return f"it holds a {type(record).__name__}, not an object"
    kinds = {"format": int, "run": str, "experiment": str, "has_checkpoint": bool, "settings": dict, "sessions": list}
    bad = [name for name, kind in kinds.items() if not isinstance(record.get(name), kind)]
    return f"its {bad[0]!r} is missing or of a wrong kind" if bad else ""


def read(folder: pathlib.Path) -> tuple[str, Experiment]:
    """Name and settings of the run in `folder`. UserError if they cannot be read."""
    record = read_config(folder)
    try:
        found = settings.from_json(record["settings"])
    except ValueError as error:
        raise UserError(f"{folder / 'config.json'} cannot be used: {error}") from error
    if not isinstance(found, Experiment):
        raise UserError(f"{folder / 'config.json'} cannot be used: its settings are a {type(found).__name__}")
    own = tokenizer.kept(folder, record)
    return record["experiment"], found if own is None else dataclasses.replace(found, tokenizer=own)


def _write(folder: pathlib.Path, record: dict[str, Any]) -> None:
    path = folder / "config.json"
    try:
        files.write(path, json.dumps(record, indent=2) + "\n")
    except OSError as error:
        raise FolderError(f"cannot write {path}: {error.strerror}") from error
