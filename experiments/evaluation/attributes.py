"""Whether samples show what their text asks for, on the set where that can be known: `shapes_captions`.

A classifier of all combinations, fitted to pictures of its own, says of each sample its shape, colour, place and size.
A row for each of them, and for all four at once, of the texts of combinations that the model has trained on and of
those that it has not; beside them real pictures with their own captions, and with those of others, which is chance.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments import data
from experiments.data import shapes_captions
from experiments.data.images import ImageSet
from experiments.evaluation import classifier, rows
from experiments.evaluation.extractors import Cache
from experiments.evaluation.rows import Row
from experiments.evaluation.sets import Run
from experiments.models import conditions, progress, sampling, texts
from experiments.runs.experiment import Experiment

NAME = "attributes"
"""As --metrics has it."""

MOST = 1_000
"""Samples of each part, at most."""

HELD_OUT = "test"
"""The part whose captions samples are drawn for."""

PARTS = {HELD_OUT: "texts of known combinations", "unseen": "texts of combinations never trained on"}
"""Whose captions are asked for, and what is said of them."""


def are_there(experiment: Experiment) -> bool:
    """Whether a model makes images of texts, of the set whose labels say what they ask for."""
    return texts.takes_texts(experiment.model) and experiment.data == shapes_captions.NAME


def judge(runs: Mapping[str, Run], samples: Mapping[str, np.ndarray], seed: int, cache: Cache) -> list[Row]:
    """The rows of the runs. May train the classifier, once.

    Args:
        runs: by name.
        samples: of each run, for the first captions of the held-out examples in their order; as many are drawn for
            combinations never trained on. Of each at most 1,000 are judged.
        seed: of what is drawn.
        cache: of the classifier.
    """
    experiment = next(iter(runs.values())).experiment
    parts = {name: data.load_for(experiment, name) for name in PARTS}
    judge = classifier.obtain(
        data.load_for(experiment, "judge"), parts["test"], cache.images, seed=cache.seed, folder=cache.folder
    )
    found = []
    for part, image_set in parts.items():
        places = np.arange(min(MOST, len(image_set), *map(len, samples.values())))
        labels: Any = image_set.labels
        asked = labels[places]
        if part == HELD_OUT:
            pixels = {name: each[places] for name, each in samples.items()}
        else:
            pixels = {name: _drawn(run, image_set, places, seed) for name, run in runs.items()}
        pixels["real"] = np.asarray(image_set.batch(places))
        right = {name: _right(judge, some, asked) for name, some in pixels.items()}
        right["shuffled"] = _right(judge, pixels["real"], np.roll(asked, 1))
        found += _rows(part, right, judge.accuracy, seed)
    return found


def _rows(part: str, right: Mapping[str, np.ndarray], accuracy: float, seed: int) -> list[Row]:
    titles = [*(one.name for one in shapes_captions.ATTRIBUTES), "all four"]
    return [
        Row(
            NAME,
            f"{title} as asked, {PARTS[part]}",
            "classifier",
            "none",
            accuracy,
            better="higher",
            interval=f"bootstrap of {rows.DRAWS:,} draws",
            cells={name: rows.mean_cell(values[:, place], seed) for name, values in right.items()},
        )
        for place, title in enumerate(titles)
    ]


def _right(judge: classifier.Classifier, pixels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(num, 5) float32: whether each attribute of each picture is the one asked for, and whether all are."""
    logits: Any = judge.outputs(pixels).logits
    seen, wanted = (shapes_captions.COMBINATIONS[labels] for labels in (logits.argmax(axis=1), asked))
    same = seen == wanted
    return np.concatenate([same, same.all(axis=1, keepdims=True)], axis=1).astype(np.float32)


def _drawn(run: Run, image_set: ImageSet, places: np.ndarray, seed: int) -> np.ndarray:
    """A sample for the first caption of each example."""
    config = run.experiment.model

    def source(indices: np.ndarray) -> Any:
        return conditions.of_batch(config, image_set.batch(indices, config.batch_type))

    return np.concatenate(list(progress.batches(config, run.state, places, seed, source, size=sampling.BATCH)))
