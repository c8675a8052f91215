"""What the latents of an encoder keep of held-out images; intervals of 95 %.

- How far an image is from what is decoded from its latent.
- How often a classifier sees in that the class of the image. Beside it stands the classifier's accuracy on the images.
- How often the training image whose latent is the nearest is of the class of the image: the classes are as far apart in
  the latents as this tells. Beside it stands the same with pixels in the place of latents.

Models that encode to vectors, and are given nothing but the image, have these rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.evaluation import rows, sets
from experiments.evaluation.extractors import Extractor
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Examples, Real, Run
from experiments.models import abilities
from jaxgen.metrics import nearest_neighbors

ERROR, CLASS, NEAREST = NAMES = ("reconstruction_error", "reconstructed_class", "latent_class")
"""As --metrics has them."""

TITLES = {
    ERROR: "mean squared error of reconstructions",
    CLASS: "reconstructions of the class of their image",
    NEAREST: "nearest training latent is of the class",
}

MOST = 10_000
"""Held-out images, and training images among which the nearest is looked for."""

_nearest = jax.jit(nearest_neighbors)


def are_there(config: Any) -> bool:
    """Whether a model encodes images to vectors, and is given nothing else."""
    if abilities.condition_of(config) is not None or not abilities.is_autoencoder(config):
        return False
    return len(abilities.latent_shape(config)) == 1


def judge(runs: Mapping[str, Run], real: Real, made: Sequence[Extractor], names: Sequence[str], seed: int) -> list[Row]:
    """The rows of the runs.

    Args:
        runs: by name; another model than the first one's may have no encoder.
        real: training and held-out images.
        made: extractors, of which the classifier of the data's classes judges reconstructions.
        names: of the metrics; all for none.
        seed: of the intervals.
    """
    wanted = [name for name in NAMES if not names or name in names]
    if real.test is None:
        return [Row(name, TITLES[name], reason="no held-out images") for name in wanted]
    held_out, judges = sets.spread(real.test, MOST), {ERROR: _errors, CLASS: _classes, NEAREST: _neighbors}
    return [judges[name](runs, held_out, real, made, seed) for name in wanted]


def _errors(runs: Mapping[str, Run], images: Examples, real: Real, made: Sequence[Extractor], seed: int) -> Row:
    def values(run: Run) -> np.ndarray:
        return ((Examples(_reconstructed(run, images)).rows - images.rows) ** 2).mean(axis=1)

    return _row(ERROR, _cells(runs, values, seed))


def _classes(runs: Mapping[str, Run], images: Examples, real: Real, made: Sequence[Extractor], seed: int) -> Row:
    judge = next((one for one in made if one.classes), None)
    if judge is None or images.labels is None:
        return Row(CLASS, TITLES[CLASS], reason="needs --extractor classifier, for which a set must have labels")

    def right(pixels: np.ndarray) -> np.ndarray:
        logits: Any = judge(Examples(pixels)).logits
        return (logits.argmax(axis=1) == images.labels).astype(np.float32)

    cells = _cells(runs, lambda run: right(_reconstructed(run, images)), seed)
    return _row(CLASS, cells | {"real": rows.mean_cell(right(images.pixels), seed)}, judge)


def _neighbors(runs: Mapping[str, Run], images: Examples, real: Real, made: Sequence[Extractor], seed: int) -> Row:
    known = sets.spread(real.train, MOST)
    if images.labels is None or known.labels is None:
        return Row(NEAREST, TITLES[NEAREST], reason="the images have no labels")
    labels = known.labels

    def right(among: np.ndarray, of: np.ndarray) -> np.ndarray:
        places = np.asarray(_nearest(jnp.asarray(of), jnp.asarray(among)).indices)
        return (labels[places] == images.labels).astype(np.float32)

    def values(run: Run) -> np.ndarray:
        encode = abilities.encoder(run.experiment.model)
        return right(*(encode(run.state, each.pixels, None) for each in (known, images)))

    cells = _cells(runs, values, seed)
    return _row(
        NEAREST, cells | {"real": rows.mean_cell(right(known.rows, images.rows), seed)}, num_reference=len(known)
    )


def _reconstructed(run: Run, images: Examples) -> np.ndarray:
    return abilities.reconstruction(run.experiment.model)(run.state, images.pixels, None)


def _cells(runs: Mapping[str, Run], values: Any, seed: int) -> dict[str, Cell]:
    return {
        name: rows.mean_cell(values(run), seed)
        if are_there(run.experiment.model)
        else Cell(reason="has no encoder to vectors of images alone")
        for name, run in runs.items()
    }


def _row(name: str, cells: dict[str, Cell], judge: Extractor | None = None, num_reference: int = 0) -> Row:
    judged = (None, "none", None) if judge is None else (judge.name, judge.resize, judge.accuracy)
    return Row(
        name,
        TITLES[name],
        *judged,
        better="lower" if name == ERROR else "higher",
        interval=f"bootstrap of {rows.DRAWS:,} draws",
        num_reference=num_reference,
        cells=cells,
    )
