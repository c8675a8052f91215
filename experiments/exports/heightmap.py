"""One sample as a height map: a 16-bit grey picture, as programs for terrain and for surfaces take it."""

import functools
import pathlib
from typing import Any, Literal

import jax
import numpy as np
from PIL import Image

from experiments.command_line import terminal
from experiments.command_line.errors import UserError
from experiments.exports import folder
from experiments.models import abilities, classes, conditions, samplers, sampling
from experiments.models.samplers import Changes
from experiments.runs import files, restore
from experiments.runs.experiment import Experiment, model_of

FILE = "heightmap.png"

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue: ITU-R BT.601."""

HIGHEST = 2**16 - 1


def write(
    run: pathlib.Path,
    which: int | Literal["newest", "best"],
    changes: Changes,
    sample: tuple[int, int],
    out: pathlib.Path,
) -> pathlib.Path:
    """Write a sample of a checkpoint, given by seed and index, and say where to: `out`, or heightmap.png in a folder.

    UserError for a run on other data than pictures, a checkpoint that cannot be used, a file that cannot be written.
    """
    path = out if out.suffix.lower() == ".png" else out / FILE
    if path is not out:
        folder.require_new(out)
    experiment, _, _, state = restore.at(run, which)
    experiment = samplers.replaced(experiment, changes)
    _check(experiment.model)
    picture = heights(drawn(experiment, state, *sample), experiment.model.value_range)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.replacing(path) as unfinished:
            Image.fromarray(picture).save(unfinished, format="PNG")
    except OSError as error:
        raise UserError(f"cannot write {path}: {files.reason(error)}; choose another --out") from error
    return path


def _check(config: Any) -> None:
    shape = config.image_shape
    if len(shape) != 3 or shape[2] not in (1, 3) or config.value_range is None:
        raise UserError(
            f"{abilities.name_of(config)} makes data of shape {shape} in {config.value_range}, of which there is no "
            "height map; use a run on images"
        )


def drawn(experiment: Experiment, state: Any, seed: int, index: int) -> np.ndarray:
    """Sample `index` of a seed, the one that `sample` draws, before it is rounded to pixels: float32, (h, w, c)."""
    config = experiment.model
    source = conditions.source(experiment, terminal.show) or classes.in_turn(config)
    places = np.array([index], np.uint32)
    given = None if source is None else source(places)
    draw = jax.jit(functools.partial(model_of(config).sample, config), static_argnames="num")
    keys = sampling.keys_of(jax.random.key(seed), places)
    return np.asarray(draw(state, keys, num=1, condition=given)[0], np.float32)


def heights(image: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """The luma of an image, (h, w, 1 or 3), as (h, w) uint16: the ends of the range are 0 and 65,535.

    It is not stretched to the image's own values, so that the heights of two samples are on one scale.
    """
    low, high = value_range
    grey = image[..., 0] if image.shape[-1] == 1 else image @ np.array(LUMA, np.float32)
    return np.clip(np.round((grey - low) / (high - low) * HIGHEST), 0, HIGHEST).astype(np.uint16)
