"""Pairs of a model that makes of a latent an image of each of two domains: how often both are of one class.

A classifier of each domain, fitted to its real training images, names the classes. Beside the share stand those of real
images, where the domains are two forms of the same images, and of images of two different latents, which is chance.
"""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.images import ImageSet
from experiments.evaluation import classifier, rows, sets
from experiments.evaluation.classifier import Classifier
from experiments.evaluation.extractors import Cache
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Run
from experiments.models import coupled

NAME = "pairs_of_one_class"
"""As --metrics has it."""

TITLE = "pairs of one class"

MOST = 10_000
"""Held-out images whose classes are compared, at most."""


def are_there(config: Any) -> bool:
    """Whether a model makes images of two domains of one latent."""
    return coupled.makes_pairs(config)


def judge(runs: Mapping[str, Run], num: int, seed: int, cache: Cache) -> list[Row]:
    """The row of the runs, over `num` pairs. May train a classifier of each domain, once."""
    experiment = next(iter(runs.values())).experiment
    try:
        train, test = ([sets.of_domain(experiment, which, split) for which in range(2)] for split in ("train", "test"))
        judges = [_fitted(*both, cache) for both in zip(train, test, strict=True)]
    except UserError as error:
        return [Row(NAME, TITLE, better="higher", reason=str(error))]
    cells = {}
    for name, run in runs.items():
        config: Any = run.experiment.model
        if not are_there(config):
            cells[name] = Cell(num=num, reason="makes images of one domain")
            continue
        latents = np.asarray(config.prior.draw(jax.random.key(seed), num))
        made = coupled.pair_decoder(config)(run.state, latents)
        named = [_classes(one, made[:, which]) for which, one in enumerate(judges)]
        cells[name] = _cell(named[0] == named[1], seed)
        cells.setdefault("chance", _cell(named[0] == np.roll(named[1], 1), seed))
    if _same_labels(*test):
        named = [_classes(one, sets.spread(held_out, MOST).pixels) for one, held_out in zip(judges, test, strict=True)]
        cells["real"] = _cell(named[0] == named[1], seed)
    accuracy, interval = min(one.accuracy for one in judges), f"bootstrap of {rows.DRAWS:,} draws"
    return [Row(NAME, TITLE, "classifier", "none", accuracy, better="higher", interval=interval, cells=cells)]


def _fitted(train: ImageSet, test: ImageSet, cache: Cache) -> Classifier:
    """The classifier of a domain. UserError if there can be none."""
    if reason := classifier.why_not(train) or classifier.why_not_judged(test):
        raise UserError(reason)
    return classifier.obtain(train, test, cache.images, seed=cache.seed, folder=cache.folder)


def _classes(judge: Classifier, pixels: np.ndarray) -> np.ndarray:
    logits: Any = judge.outputs(pixels).logits
    return logits.argmax(axis=1)


def _same_labels(a: ImageSet, b: ImageSet) -> bool:
    """Whether image i of one domain may be image i of the other."""
    return len(a) == len(b) and np.array_equal(np.asarray(a.labels), np.asarray(b.labels))


def _cell(same: np.ndarray, seed: int) -> Cell:
    values = same.astype(np.float32)
    return rows.mean_cell(values, seed)
