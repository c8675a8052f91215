"""Samples as one array in FILE.npz, in the form of published sample files; written in bounded memory.

arr_0: images, (num, height, width, channels) uint8, or points, (num, dimensions) float32
arr_1: the class of each, (num,) int64; of models that are told classes alone
"""

import math
import pathlib
import shutil
import zipfile
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.runs import files
from experiments.samples.drawing import Drawing


def write(path: pathlib.Path, drawn: Drawing) -> str:
    """Draw and write the array as it comes, whole or not at all; what was written, in words.

    UserError, before anything is drawn, for a file that is there already, or for too little space on its disk.
    """
    images = len(drawn.shape) == 3
    dtype, indices = np.dtype(np.uint8 if images else np.float32), np.arange(drawn.num)
    _check(path, drawn.num * math.prod(drawn.shape) * dtype.itemsize)
    header: Any = {"descr": dtype.str, "fortran_order": False, "shape": (drawn.num, *drawn.shape)}
    with files.replacing(path) as unfinished, zipfile.ZipFile(unfinished, "w") as archive:
        with archive.open("arr_0.npy", "w", force_zip64=True) as entry:
            np.lib.format.write_array_header_1_0(entry, header)
            for batch in drawn.batches(indices):
                entry.write(np.ascontiguousarray(batch, dtype).tobytes())
        if drawn.labels is not None:
            with archive.open("arr_1.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, drawn.labels(indices).astype(np.int64))
    kind, and_classes = "images" if images else "points", ", their classes as arr_1" if drawn.labels else ""
    return f"{drawn.num:,} {kind} of step {drawn.step:,} as arr_0{and_classes},"


def _check(path: pathlib.Path, needed: int) -> None:
    if path.exists():
        raise UserError(f"{path} is there already; remove it or choose another --out")
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise UserError(f"{path} takes {needed / 1e9:,.1f} GB, but {free / 1e9:,.1f} GB are free; choose another --out")
