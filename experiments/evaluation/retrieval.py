"""How often a model that matches images and captions finds the right one: both ways, among ten and among all.

The candidates are held-out images, each with its first caption; what scores them is the model. Values are means over
queries with a bootstrap interval of 95 %: over the queries, among candidates that stay the same. Beside them stands
what chance would reach.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.images import ImageSet
from experiments.evaluation import rows
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Run
from experiments.models import abilities, matching
from jaxgen import metrics

NAME = "retrieval"
"""As --metrics has it."""

AMONG = 10
"""Candidates of the first of each two rows, a right one and nine wrong ones."""

JUDGED = "pairs of an image and a caption"
"""What stands in the place of samples."""

DIRECTIONS = ("text to image", "image to text")


def values(config: Any, state: Any, pairs: matching.Pairs) -> dict[str, np.ndarray]:
    """`text to image among 10` and the like: a value for each query, those with too few wrong candidates left out."""
    scored, right = matching.scores(config, state, pairs), pairs.right
    found = {}
    for title, ways in zip(DIRECTIONS, ((scored, right), (scored.T, right.T)), strict=True):
        for among, name in _names(title, right).items():
            each = np.asarray(_accuracy(jnp.asarray(ways[0]), jnp.asarray(ways[1]), among))
            found[name] = each if np.isnan(scored).any() else each[~np.isnan(each)]
    return found


def chances(pairs: matching.Pairs) -> dict[str, float]:
    """What scores drawn at random would reach, by the names of `values`."""
    of = {None: float(pairs.right.mean()), AMONG: 1 / AMONG}
    return {name: of[among] for title in DIRECTIONS for among, name in _names(title, pairs.right).items()}


def names(pairs: matching.Pairs) -> list[str]:
    """Of the values."""
    return [name for title in DIRECTIONS for name in _names(title, pairs.right).values()]


def judge(runs: Sequence[Run], num: int, seed: int) -> list[Row]:
    """The rows of a run and of the one that it is compared with. UserError for one that matches nothing."""
    for other in runs:
        abilities.matcher(other.experiment.model)
    pairs = pairs_for(runs[0].experiment.model, runs[0].given, num)
    named = zip(("samples", "against"), runs, strict=False)
    found = {name: values(one.experiment.model, one.state, pairs) for name, one in named}
    by_chance, made = chances(pairs), []
    for title in names(pairs):
        cells = {name: rows.mean_cell(of[title], seed) for name, of in found.items()}
        cells["chance"] = Cell(by_chance[title], num=len(pairs.captions))
        interval = f"bootstrap of {rows.DRAWS:,} draws"
        made.append(Row(NAME, title, None, "none", better="higher", interval=interval, cells=cells))
    return made


def pairs_for(config: Any, image_set: ImageSet, num: int) -> matching.Pairs:
    """Pairs to be judged by. UserError for a model that matches nothing, or for one pair alone."""
    abilities.matcher(config)
    pairs = matching.pairs_of(config, image_set, num)
    if pairs.right.all():
        raise UserError(f"{image_set.name} has no two different captions to tell apart; choose other data")
    return pairs


def _names(title: str, right: np.ndarray) -> dict[int | None, str]:
    """By the number of candidates, None for all; without the few where no query has so many wrong ones."""
    enough = ((~right).sum(axis=1) >= AMONG - 1).any()
    return ({AMONG: f"{title} among {AMONG}"} if enough else {}) | {None: f"{title} among all"}


_accuracy = jax.jit(
    lambda scored, right, among: metrics.retrieval_accuracy(scored, right, among=among), static_argnums=2
)
