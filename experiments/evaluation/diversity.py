"""How much the images that a model makes of one input differ: the noise of pix2pix, the codes of BicycleGAN.

The mean absolute distance between two images of the same input, drawn with other keys, over pixels in [0, 1]. It tells
nothing of their quality: it belongs beside the distances to the targets.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.evaluation import rows
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Run
from experiments.models import conditions

NAME = "diversity"
"""As --metrics has it."""


def is_there(config: Any) -> bool:
    """Whether a model makes images of images."""
    return conditions.takes_images(config)


def judge(runs: Mapping[str, Run], samples: Mapping[str, np.ndarray], seed: int) -> list[Row]:
    """The row of the runs, whose samples were drawn with a seed; none where no image depends on its key."""
    cells = {
        name: _cell(samples[name], run.draw(len(samples[name]), seed + 1).pixels, seed) for name, run in runs.items()
    }
    if not any(cell.value for cell in cells.values()):
        return []
    interval = f"bootstrap of {rows.DRAWS:,} draws"
    title = "mean absolute distance of two images of one input"
    return [Row(NAME, title, None, "none", better="higher", interval=interval, cells=cells)]


def _cell(images: np.ndarray, others: np.ndarray, seed: int) -> Cell:
    distances = np.abs(images.astype(np.float32) - others.astype(np.float32)).mean(axis=(1, 2, 3)) / np.float32(255)
    return rows.mean_cell(distances, seed)
