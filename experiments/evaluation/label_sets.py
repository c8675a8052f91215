"""How well a model tells which of several labels an image has: F1, of held-out images.

Beside the run stand its own network trained by the cross-entropy of independent labels alone, after as many steps, and
for each label what most training images have. Intervals are the middle 95 % of the bootstrap over images.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data.images import ImageSet
from experiments.evaluation import classifier, rows
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Run
from experiments.models import abilities
from experiments.models.chunks import in_chunks
from experiments.runs.experiment import model_of
from jaxgen.abilities import MultiLabelClassifier
from jaxgen.batches import Labelled, MultiLabelled
from jaxgen.gans import multi_label
from jaxgen.images import scale
from jaxgen.metrics import bootstrap, macro_f1, micro_f1, percentile_interval
from jaxgen.mode import Mode
from jaxgen.parallel import example_keys

NAME = "f1"
"""As --metrics has it."""

JUDGED = "images whose labels are named"
"""What stands in the place of samples."""

SCORES: dict[str, Callable[[Any, Any], Any]] = {
    "F1 over all labels (micro)": micro_f1,
    "F1 averaged over labels (macro)": macro_f1,
}
"""By the name of their row."""


def are_there(config: Any) -> bool:
    """Whether a model tells which of several labels an image has."""
    return isinstance(model_of(config), MultiLabelClassifier)


def judge(runs: Sequence[Run], num: int, seed: int) -> list[Row]:
    """The rows of a run and of the one that it is compared with. UserError for one that names no labels.

    May train the network of the first run by cross-entropy.
    """
    for one in runs:
        if not are_there(one.experiment.model):
            raise UserError(
                f"{one.folder} is a run of {abilities.name_of(one.experiment.model)}, which names no labels"
            )
    first = runs[0]
    pixels, there = held_out_labels(first.given, num)
    named = zip(("samples", "against"), runs, strict=False)
    logits = {name: logits_of(one.experiment.model, one.state, pixels) for name, one in named}
    config, train = first.experiment.model, data.load_for(first.experiment)
    if isinstance(config, multi_label.Config):
        alone = independent(config, train, first.step, first.experiment.batch_size, seed)
        logits["cross_entropy"] = logits_of(config, alone, pixels)
    shares = np.asarray(_batch(train, np.arange(len(train))).attributes).mean(axis=0)
    logits["prior"] = np.broadcast_to((shares - 0.5).astype(np.float32), there.shape)
    interval = f"bootstrap of {rows.DRAWS:,} draws"
    return [
        Row(
            NAME,
            title,
            None,
            "none",
            better="higher",
            interval=interval,
            cells={name: _cell(score, each, there, seed) for name, each in logits.items()},
        )
        for title, score in SCORES.items()
    ]


def values(config: Any, state: Any, image_set: ImageSet, num: int) -> dict[str, float]:
    """The scores of a state, by the names of their rows."""
    pixels, there = held_out_labels(image_set, num)
    logits = jnp.asarray(logits_of(config, state, pixels))
    return {title: float(score(logits, jnp.asarray(there))) for title, score in SCORES.items()}


def held_out_labels(image_set: ImageSet, num: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 images at even distances through a set, and (num, attributes) bool."""
    places = np.linspace(0, len(image_set) - 1, min(num, len(image_set))).astype(np.int64)
    batch = _batch(image_set, places)
    return np.asarray(batch.images), np.asarray(batch.attributes).astype(bool)


def logits_of(config: Any, state: Any, pixels: np.ndarray) -> np.ndarray:
    """(num, attributes) float32, of uint8 images."""
    model: Any = model_of(config)
    named = jax.jit(lambda images: model.label_logits(config, state, scale(images, config.value_range)))
    return in_chunks(named, pixels)


def independent(
    config: multi_label.Config, train: ImageSet, steps: int, batch_size: int, seed: int
) -> multi_label.State:
    """The generator, fresh, after its own optimiser's steps down the cross-entropy of each label alone."""
    key = jax.random.key(seed)
    state = multi_label.init(config, key)

    def prepared(batch: Labelled, step: Any) -> tuple[Any, Any, Mode]:
        keys = example_keys(jax.random.fold_in(key, step), len(batch.labels))
        return scale(batch.images, config.value_range), batch.labels.astype(jnp.float32), Mode(keys, step, train=True)

    attributes: Any = _batch(train, np.arange(len(train))).attributes
    given: Any = ImageSet(train.name, train.images, attributes, window=train.window)  # `fit` takes them for labels
    chosen = classifier.Settings(steps=steps, batch_size=batch_size)
    loss = functools.partial(multi_label.cross_entropy, config)
    return state._replace(generator=classifier.fit(state.generator, loss, given, seed, chosen, prepared))


def _batch(image_set: ImageSet, places: np.ndarray) -> MultiLabelled:
    return image_set.batch(places, MultiLabelled)


def _cell(score: Callable[[Any, Any], Any], logits: np.ndarray, there: np.ndarray, seed: int) -> Cell:
    """A score with its interval."""
    both = jnp.asarray(logits), jnp.asarray(there)
    draws = jax.jit(lambda pair, key: bootstrap(lambda one: score(*one), pair, key, num=rows.DRAWS))
    low, high = percentile_interval(draws(both, jax.random.key(seed)))
    return Cell(float(score(*both)), float(low), float(high), num=len(there))
