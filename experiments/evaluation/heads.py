"""Accuracy of models that name classes beside what they make of images: of held-out images, intervals of 95 %.

Beside a model that learns from few labels stands its own classifier, trained on those labels alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.evaluation import labels_alone, rows
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Real, Run
from experiments.models.chunks import in_chunks
from experiments.runs.experiment import model_of
from jaxgen.abilities import Classifier
from jaxgen.images import scale

NAME = "class_accuracy"
"""As --metrics has it."""


def are_there(config: Any) -> bool:
    """Whether a model names classes of the images that it is compared with."""
    compared = config.batch_type is not None and config.batch_type.TARGET is not None
    return compared and isinstance(model_of(config), Classifier)


def judge(runs: Mapping[str, Run], real: Real, names: Sequence[str], seed: int) -> list[Row]:
    """The row of the runs; none of a model that names no classes, or where another metric is asked for."""
    config = runs["samples"].experiment.model
    if not are_there(config) or (names and NAME not in names):
        return []
    title = "classes named of held-out images"
    if real.test is None or real.test.labels is None:
        return [Row(NAME, title, better="higher", reason="no held-out images with labels")]
    pixels, labels = real.test.batch(np.arange(len(real.test))), real.test.labels
    cells = {name: _cell(run, np.asarray(pixels), np.asarray(labels), seed) for name, run in runs.items()}
    if labels_alone.are_there(config):
        named = labels_alone.fitted(runs["samples"].experiment, runs["samples"].step, seed)
        cells[labels_alone.NAME] = _share(named, config.value_range, np.asarray(pixels), np.asarray(labels), seed)
    return [Row(NAME, title, None, "none", better="higher", interval=f"bootstrap of {rows.DRAWS:,} draws", cells=cells)]


def _cell(run: Run, pixels: np.ndarray, labels: np.ndarray, seed: int) -> Cell:
    config, model = run.experiment.model, model_of(run.experiment.model)
    if not isinstance(model, Classifier):
        return Cell(num=len(pixels), reason="names no classes")

    def named(images: Any) -> Any:
        return model.classify(config, run.state, images)

    return _share(named, config.value_range, pixels, labels, seed)


def _share(classify: Callable[[Any], Any], value_range: Any, pixels: np.ndarray, labels: np.ndarray, seed: int) -> Cell:
    """The share of images whose class has the largest logit."""

    @jax.jit
    def named(images: Any) -> Any:
        return classify(scale(images, value_range)).argmax(axis=1)

    right = (in_chunks(lambda images: named(jnp.asarray(images)), pixels) == labels).astype(np.float32)
    return rows.mean_cell(right, seed)
