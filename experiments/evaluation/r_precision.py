"""R-precision of a model of texts: how often the caption that a sample was made for is found among ten.

The judge is a run that matches images and captions, `--matcher RUN`; the nine wrong captions are drawn at random from
the held-out ones, over all draws (Xu et al. 2017, arXiv 1711.10485, who take the best R of a hundred). Beside it stand
the held-out images themselves, and chance.
"""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import tokens
from experiments.evaluation import retrieval, rows, sets
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Run
from experiments.models import abilities, matching, texts

NAME = "r_precision"
"""As --metrics has it."""


def matcher(folder: pathlib.Path, run: Run) -> Run:
    """The run that judges. UserError if it matches nothing, or reads other captions or images than the run makes."""
    config = run.experiment.model
    if not texts.reads_texts(config):
        raise UserError(f"--matcher is given, but {run.name} makes no images of texts; leave it out")
    found = sets.run(folder, "newest")
    judge: Any = found.experiment.model
    abilities.matcher(judge)
    if judge.caption_length != config.caption_length:
        lengths = f"{judge.caption_length} bytes of a caption, but {run.name} {config.caption_length}"
        raise UserError(f"--matcher {folder} reads {lengths}; choose one that reads as many")
    vocabularies = [None if one is None else one.checksum for one in map(tokens.of, (run.experiment, found.experiment))]
    if vocabularies[0] != vocabularies[1]:
        raise UserError(f"--matcher {folder} reads captions with another vocabulary than {run.name}; choose another")
    fitted(np.zeros((1, *config.image_shape), np.uint8), judge.image_shape)
    return found


def fitted(pixels: np.ndarray, image_shape: tuple[int, ...]) -> np.ndarray:
    """uint8 images as large as `image_shape`: as they are, or the means of blocks. UserError for other sizes."""
    num, height, width, channels = pixels.shape
    rows_, columns, wanted = image_shape
    if height % rows_ or width % columns or channels != wanted:
        raise UserError(
            f"--matcher judges images of {rows_}x{columns}x{wanted}, of which {height}x{width}x{channels} is no "
            "multiple; choose another"
        )
    blocks = pixels.reshape(num, rows_, height // rows_, columns, width // columns, channels)
    return np.round(blocks.mean(axis=(2, 4))).astype(np.uint8)


def judge(by: Run, runs: Mapping[str, Run], samples: Mapping[str, np.ndarray], seed: int) -> list[Row]:
    """The row of the runs, whose samples are of the first captions of the held-out examples in their order."""
    run = next(iter(runs.values()))
    num = min(len(run.given), *map(len, samples.values()))
    batch = run.given.batch(np.arange(num), run.experiment.model.batch_type)
    sets_ = {name: each[:num] for name, each in samples.items()} | {"real": np.asarray(batch.images)}
    captions = np.asarray(batch.captions)
    cells = {name: _cell(by, pixels, captions, seed) for name, pixels in sets_.items()}
    cells["chance"] = Cell(1 / retrieval.AMONG, num=num)
    title = f"right caption among {retrieval.AMONG} found for an image (R-precision)"
    interval = f"bootstrap of {rows.DRAWS:,} draws"
    return [Row(NAME, title, by.name, "none", better="higher", interval=interval, cells=cells)]


def _cell(by: Run, pixels: np.ndarray, captions: np.ndarray, seed: int) -> Cell:
    config: Any = by.experiment.model
    pairs = matching.Pairs(fitted(pixels, config.image_shape), captions)
    found = retrieval.values(config, by.state, pairs).get(f"image to text among {retrieval.AMONG}")
    if found is None:
        return Cell(num=len(pixels), reason=f"there are fewer than {retrieval.AMONG - 1} other captions")
    return rows.mean_cell(found, seed)
