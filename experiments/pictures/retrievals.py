"""What a model that matches images and captions finds: held-out captions beside their image and the nearest ones."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.data import held_out
from experiments.data.images import ImageSet
from experiments.models import matching
from experiments.pictures import figures
from experiments.pictures.captioned import OfCaptions
from experiments.runs.experiment import Experiment

NEAREST = 5
"""Images that are shown of those found."""

CANDIDATES = 200
"""Held-out images among which they are found, at most."""


def drawing(experiment: Experiment, image_set: ImageSet) -> Callable[[Any], np.ndarray]:
    """What draws the picture of a state, (height, width, 3) uint8: a row for each of the same captions."""
    unseen = held_out.load_for(experiment) or image_set
    pairs = matching.pairs_of(experiment.model, unseen, CANDIDATES)
    num = min(max(1, experiment.num_samples // (1 + NEAREST)), len(pairs.captions))
    queries = np.linspace(0, len(pairs.captions) - 1, num).astype(np.int64)
    draw = functools.partial(sheet, experiment.model, pairs=pairs, queries=queries)
    return OfCaptions(draw, tuple(pairs.text(pairs.captions[query]) for query in queries))


def sheet(config: Any, state: Any, pairs: matching.Pairs, queries: np.ndarray) -> np.ndarray:
    """Rows of a caption, its image, and the images of the highest scores, the highest first."""
    found = np.argsort(-matching.scores(config, state, pairs)[queries], axis=1, kind="stable")[:, :NEAREST]
    places = np.concatenate([queries[:, None], found], axis=1)
    tiles = pairs.pixels[places.reshape(-1)]
    texts = [pairs.text(pairs.captions[query]) for query in queries]
    columns = ("its image", *(str(1 + place) for place in range(found.shape[1])))
    return figures.labelled(figures.grid(tiles, places.shape[1]), texts, columns)
