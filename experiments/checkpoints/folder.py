"""The folder of a run's checkpoints: one folder for each, named by its step.

Orbax writes a checkpoint under another name and renames it when it is whole; it is renamed again before it is deleted,
so that no kill leaves half of one under its step.
"""

import pathlib
import shutil
import time
from collections.abc import Iterable


def steps(folder: pathlib.Path) -> list[int]:
    """Steps of all checkpoints, in order."""
    if not folder.is_dir():
        return []
    return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit() and path.is_dir())


def delete(folder: pathlib.Path, step: int) -> None:
    """Delete one checkpoint."""
    deleted = folder / f".deleted-{step}-{time.time_ns()}"
    (folder / str(step)).rename(deleted)
    shutil.rmtree(deleted, ignore_errors=True)


def remove_leftovers(folder: pathlib.Path) -> None:
    """What a kill or a full disk has left of unfinished saves and deletions."""
    for pattern in ("*.orbax-checkpoint-tmp*", ".deleted-*"):
        for path in folder.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


def put_aside(folder: pathlib.Path, damaged: Iterable[int]) -> None:
    """Move the checkpoints of these steps out of the way, so that their steps can be saved again."""
    for step in damaged:
        aside = folder.with_name(f"{folder.name}_damaged") / f"{step}-{time.time_ns()}"
        aside.parent.mkdir(exist_ok=True)
        (folder / str(step)).rename(aside)
