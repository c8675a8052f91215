"""The folder of a run: what it holds, whether a command may go on in it, and how later commands read it.

config.json      the experiment's name and every setting, versions and devices; enough to repeat the run
metrics.jsonl    one line for each log step
samples/         pictures, the same latents at each step; reconstructions/, codes/, code_grid/ likewise
checkpoints/     orbax
"""

import fcntl
import json
import os
import pathlib
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Any

import jaxgen
from experiments import settings
from experiments.experiment import Experiment, UserError

FREE = (
    *("steps", "out", "parallel", "steps_per_call", "log_every", "sample_every", "checkpoint_every"),
    *("keep", "num_samples", "pictures", "log", "resume", "data_dir", "storage"),
)
"""Settings that may differ when a run goes on: they do not change what is computed, only how long and how it shows."""

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")


@contextmanager
def locked(folder: pathlib.Path) -> Iterator[None]:
    """Make the folder and hold it, so that no second process trains in it. UserError if that cannot be."""
    try:
        (folder / "samples").mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("a")
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}; choose another --out") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(f"another process trains in {folder}; wait for it or choose another --out") from error
        yield


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
        try:
            folder.rename(aside)
        except OSError as error:
            raise UserError(f"cannot rename {folder}: {error.strerror}; choose another --out") from error
    return aside


def begin(folder: pathlib.Path, name: str, experiment: Experiment) -> bool:
    """Write config.json, or check that the one there is of this very run. True if there was one.

    UserError for the folder of another experiment, with other settings, or with checkpoints of unknown origin.
    """
    described = settings.to_json(experiment)
    path = folder / "config.json"
    if not path.exists():
        if (folder / "checkpoints").exists():
            raise UserError(f"{folder} has checkpoints but no config.json that says of what; choose another --out")
        _write_json(path, {"experiment": name, "settings": described, "sessions": [_session(0)]})
        return False
    record = read_config(folder)
    if record["experiment"] != name:
        raise UserError(f"{folder} holds a run of {record['experiment']}, not of {name}; choose another --out")
    fixed_old = {key: value for key, value in record["settings"].items() if key not in FREE}
    fixed_new = {key: value for key, value in described.items() if key not in FREE}
    changed = settings.differences(fixed_old, fixed_new)
    if changed:
        raise UserError(
            f"{folder} holds a run with other settings ({'; '.join(changed)}); "
            "choose another --out, or --no-resume to move it aside and begin anew"
        )
    return True


def record_session(folder: pathlib.Path, experiment: Experiment, step: int) -> None:
    """Note in config.json that the run goes on from `step`, with which settings, versions and devices."""
    record = read_config(folder)
    record["settings"] = settings.to_json(experiment)
    record["sessions"].append(_session(step))
    _write_json(folder / "config.json", record)


def read_config(folder: pathlib.Path) -> dict[str, Any]:
    """What config.json says. UserError if it is missing or not of this program."""
    path = folder / "config.json"
    if not path.is_file():
        raise UserError(f"{folder} is not the folder of a run: it has no config.json")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {key: record[key] for key in ("experiment", "settings", "sessions")}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} cannot be read ({error!r}); it was not written by train") from error


def read(folder: pathlib.Path) -> tuple[str, Experiment]:
    """Name and settings of the run in `folder`. UserError if they cannot be read."""
    record = read_config(folder)
    try:
        return record["experiment"], settings.from_json(record["settings"])
    except ValueError as error:
        raise UserError(f"{folder / 'config.json'} cannot be used: {error}") from error


def _session(step: int) -> dict[str, Any]:
    import jax

    return {
        "from_step": step,
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": sys.argv[1:],
        "python": platform.python_version(),
        "versions": {"jaxgen": jaxgen.__version__} | {name: metadata.version(name) for name in PACKAGES},
        "devices": [str(device) for device in jax.devices()],
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores",
    }


def _write_json(path: pathlib.Path, data: Any) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)
