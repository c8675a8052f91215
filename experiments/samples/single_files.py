"""Samples as single files in a folder, each named by its number.

000123.png      sample 123
labels.csv      file, class number and class name of each; of models that are told classes alone
captions.csv    file and sentence of each, where sentences are asked for
samples.json    what was drawn: the same command goes on where it stopped, another one is refused
"""

import csv
import io
import json
import pathlib
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.card import printable
from experiments.pictures import figures
from experiments.runs import files
from experiments.samples.drawing import Drawing

RECORD = "samples.json"


def write(folder: pathlib.Path, drawn: Drawing) -> str:
    """Draw and write the samples that the folder lacks, each whole or not at all; what was written, in words.

    UserError, before anything is drawn, for a folder that holds anything but samples of the same draw.
    """
    if len(drawn.shape) != 3 or drawn.shape[2] not in (1, 3):
        raise UserError(f"samples of shape {drawn.shape} are no pictures; give --out FILE.npz")
    _check(folder, drawn.record)
    missing = [index for index in range(drawn.num) if not (folder / _name(index)).exists()]
    _begin(folder, drawn)
    places = iter(missing)
    for batch in drawn.batches(np.array(missing, np.int64)):
        for image in batch:
            figures.save_png(folder / _name(next(places)), image)
    there = drawn.num - len(missing)
    return f"{len(missing):,} images of step {drawn.step:,}" + (f", beside {there:,} that were there," if there else "")


def _name(index: int) -> str:
    return f"{index:06d}.png"


def _check(folder: pathlib.Path, record: dict[str, Any]) -> None:
    """UserError unless the folder is empty, new, or of these samples."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    try:
        there = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        there = None
    if not isinstance(there, dict):
        raise UserError(f"{folder} is not empty; choose another --out")
    other = [name for name in (record | there) if there.get(name) != record.get(name)]
    if other:
        said = "; ".join(f"{name} is {there.get(name)}, not {record.get(name)}" for name in other)
        raise UserError(f"{folder} holds other samples ({said}); choose another --out")


def _begin(folder: pathlib.Path, drawn: Drawing) -> None:
    """Write what is drawn, and the class of each sample, before the samples themselves."""
    folder.mkdir(parents=True, exist_ok=True)
    files.remove_unfinished(folder)
    files.write(folder / RECORD, json.dumps(drawn.record, indent=2) + "\n")
    num = max([drawn.num, *(int(path.stem) + 1 for path in folder.glob("[0-9]*.png"))])  # of an earlier, longer draw
    if drawn.labels is not None:
        labels = drawn.labels(np.arange(num))
        rows = [(_name(index), label, printable(drawn.names[label])) for index, label in enumerate(labels)]
        _write_table(folder / "labels.csv", ("file", "label", "class"), rows)
    if drawn.texts is not None:
        rows = [(_name(index), drawn.names[index % len(drawn.names)]) for index in range(num)]
        _write_table(folder / "captions.csv", ("file", "caption"), rows)


def _write_table(path: pathlib.Path, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(head)
    table.writerows(rows)
    files.write(path, text.getvalue())
