"""What the codes of an encoder keep of held-out images; intervals of 95 %.

- How far an image is from its reconstruction, what is decoded from its code.
- How far the features of all reconstructions are from those of the images.
- How often a classifier sees in a reconstruction the class of the image. Beside it stands the classifier's accuracy on
  the images.
- How often the training image whose latent is the nearest is of the class of the image: the classes are as far apart in
  the latents as this tells. Beside it stands the same with pixels in the place of latents.

Models that are given nothing but the image have these rows; the last is of those alone that encode to vectors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.evaluation import measures, rows, sets
from experiments.evaluation.extractors import Extractor
from experiments.evaluation.rows import Cell, Plan, Row, Sets
from experiments.evaluation.sets import Examples, Real, Run
from experiments.models import abilities
from jaxgen.metrics import nearest_neighbors

OF_IMAGES = ERROR, DISTANCE, CLASS = "reconstruction_error", "reconstruction_frechet", "reconstructed_class"
"""Of reconstructions, as --metrics has them."""

NEAREST = "latent_class"
"""Of vectors, as --metrics has it."""

TITLES = {
    ERROR: "mean squared error of reconstructions",
    DISTANCE: "Frechet distance of reconstructions",
    CLASS: "reconstructions of the class of their image",
    NEAREST: "nearest training latent is of the class",
}

MOST = 10_000
"""Held-out images, and training images among which the nearest is looked for."""

NO_VECTORS = "has no encoder to vectors of images alone"
"""Why a model has no row of vectors."""

_nearest = jax.jit(nearest_neighbors)


def names_of(config: Any) -> tuple[str, ...]:
    """The metrics that a model has."""
    return (*(OF_IMAGES if reconstructs(config) else ()), *((NEAREST,) if gives_vectors(config) else ()))


def reconstructs(config: Any) -> bool:
    """Whether a model decodes a picture from its own code, and is given nothing else: none that goes there in steps."""
    if abilities.condition_of(config) is not None or abilities.offers(abilities.trajectory_model, config):
        return False
    return abilities.offers(abilities.reconstruction, config)


def gives_vectors(config: Any) -> bool:
    """Whether a model encodes pictures to vectors, and is given nothing else."""
    if abilities.condition_of(config) is not None or not abilities.is_autoencoder(config):
        return False
    return len(abilities.latent_shape(config)) == 1


def judge(runs: Mapping[str, Run], real: Real, made: Sequence[Extractor], names: Sequence[str], seed: int) -> list[Row]:
    """The rows of the runs.

    Args:
        runs: by name, of which another than the first may have no encoder.
        real: training and held-out images.
        made: extractors, of which the classifier of the data's classes judges reconstructions.
        names: of the metrics; all for none.
        seed: of the intervals.
    """
    there = names_of(runs["samples"].experiment.model)
    wanted = [name for name in there if not names or name in names]
    if real.test is None:
        return [Row(name, TITLES[name], reason="no held-out images") for name in wanted]
    images = sets.spread(real.test, MOST)
    decoded = {} if wanted == [NEAREST] else _reconstructions(runs, images)
    given = Sets(real, {"real": images} | decoded, Plan(seed=seed))
    rows_of = {
        ERROR: lambda: [_errors(runs, given)],
        DISTANCE: lambda: _distances(runs, given, made),
        CLASS: lambda: [_classes(runs, given, made)],
        NEAREST: lambda: [_neighbors(runs, given)],
    }
    return [row for name in wanted for row in rows_of[name]()]


def _reconstructions(runs: Mapping[str, Run], images: Examples) -> dict[str, Examples]:
    """Of the runs that have any, by name."""
    able = {name: run for name, run in runs.items() if reconstructs(run.experiment.model)}
    return {
        name: Examples(abilities.reconstruction(run.experiment.model)(run.state, images.pixels, None))
        for name, run in able.items()
    }


def _errors(runs: Mapping[str, Run], given: Sets) -> Row:
    images = given.candidates["real"].rows

    def cell(name: str) -> Cell:
        return rows.mean_cell(((given.candidates[name].rows - images) ** 2).mean(axis=1), given.plan.seed)

    return _row(ERROR, _cells(runs, given, cell))


def _distances(runs: Mapping[str, Run], given: Sets, made: Sequence[Extractor]) -> list[Row]:
    """One for each extractor, from the same images as they are."""
    frechet = measures.named("frechet")

    def row(extractor: Extractor) -> Row:
        images = given.seen(extractor, "real")
        reference = rows.Prepared(frechet.prepare(images), len(images))

        def cell(name: str) -> Cell:
            try:
                (value,) = rows.cells(
                    frechet, reference, given.seen(extractor, name), given.plan.seed, given.plan.num_halves
                )
            except ValueError as error:  # too few images
                return Cell(num=len(images), reason=str(error))
            return value

        found = _row(DISTANCE, _cells(runs, given, cell), extractor)
        return replace(found, interval=rows.of_halves(given.plan.num_halves), num_reference=len(images))

    return [row(extractor) for extractor in made] or [Row(DISTANCE, TITLES[DISTANCE], reason="needs --extractor")]


def _classes(runs: Mapping[str, Run], given: Sets, made: Sequence[Extractor]) -> Row:
    judge, labels = next((one for one in made if one.classes), None), given.candidates["real"].labels
    if judge is None or labels is None:
        return Row(CLASS, TITLES[CLASS], reason="needs --extractor classifier, for which a set must have labels")

    def cell(name: str) -> Cell:
        logits: Any = given.seen(judge, name).logits
        return rows.mean_cell((logits.argmax(axis=1) == labels).astype(np.float32), given.plan.seed)

    return _row(CLASS, _cells(runs, given, cell) | {"real": cell("real")}, judge)


def _cells(runs: Mapping[str, Run], given: Sets, cell: Callable[[str], Cell]) -> dict[str, Cell]:
    lacking = Cell(reason="decodes no image from its code alone")
    return {name: cell(name) if name in given.candidates else lacking for name in runs}


def _neighbors(runs: Mapping[str, Run], given: Sets) -> Row:
    images, known = given.candidates["real"], sets.spread(given.real.train, MOST)
    if images.labels is None or known.labels is None:
        return Row(NEAREST, TITLES[NEAREST], reason="the images have no labels")
    labels = known.labels

    def cell(among: np.ndarray, of: np.ndarray) -> Cell:
        places = np.asarray(_nearest(jnp.asarray(of), jnp.asarray(among)).indices)
        return rows.mean_cell((labels[places] == images.labels).astype(np.float32), given.plan.seed)

    def of_run(run: Run) -> Cell:
        if not gives_vectors(run.experiment.model):
            return Cell(reason=NO_VECTORS)
        encode = abilities.encoder(run.experiment.model)
        return cell(*(encode(run.state, each.pixels, None) for each in (known, images)))

    cells = {name: of_run(run) for name, run in runs.items()}
    return replace(_row(NEAREST, cells | {"real": cell(known.rows, images.rows)}), num_reference=len(known))


def _row(name: str, cells: dict[str, Cell], judge: Extractor | None = None) -> Row:
    judged = (None, "none", None) if judge is None else (judge.name, judge.resize, judge.accuracy)
    return Row(
        name,
        TITLES[name],
        *judged,
        better="lower" if name in (ERROR, DISTANCE) else "higher",
        interval=f"bootstrap of {rows.DRAWS:,} draws",
        cells=cells,
    )
