"""Pictures whose rows are of captions, and the file that keeps the captions beside them: captions.txt, a line a row."""

import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.runs import files

FILE = "captions.txt"


@dataclass(frozen=True)
class OfCaptions:
    """A state to a picture, (height, width, 3) uint8, whose rows are of captions."""

    draw: Callable[[Any], np.ndarray]
    captions: tuple[str, ...]  # of the rows, from the top

    def __call__(self, state: Any) -> np.ndarray:
        """The picture."""
        return self.draw(state)


def write(folder: pathlib.Path, captions: tuple[str, ...]) -> None:
    """Keep the captions of the pictures that are drawn into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files.write(folder / FILE, "".join(f"{' '.join(caption.split())}\n" for caption in captions))


def read(folder: pathlib.Path) -> tuple[str, ...]:
    """The captions of the pictures in a folder; none where no file keeps them."""
    path = folder / FILE
    return tuple(path.read_text(encoding="utf-8", errors="replace").splitlines()) if path.is_file() else ()
