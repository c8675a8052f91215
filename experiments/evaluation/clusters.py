"""Clusters that a model finds among held-out images without labels, compared with their classes.

Clusters are those of k-means among the latents of the images, as many as the first categorical code has classes; of a
model without an encoder, the codes themselves. Accuracy is the share of images that are of the class of their cluster,
with no class for two clusters (the best assignment). Mutual information is over the mean of both entropies, and the
Rand index is adjusted for chance. Beside them stand clusters of k-means among the pixels. What a cluster is called
changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from experiments.evaluation import codes, rows, sets
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Examples, Real, Run
from experiments.models import abilities

ACCURACY, INFORMATION, RAND = NAMES = ("cluster_accuracy", "cluster_information", "cluster_rand")
"""As --metrics has them."""

TITLES = {
    ACCURACY: "clusters: accuracy",
    INFORMATION: "clusters: normalised mutual information",
    RAND: "clusters: adjusted Rand index",
}

MOST = 10_000
"""Held-out images, at most."""

STARTS = 10
"""Of k-means, whose best result counts."""


def judge(runs: Mapping[str, Run], real: Real, names: Sequence[str], seed: int) -> list[Row]:
    """The rows of the runs, the first of which `names_codes`; of the metrics of the names, of all for none."""
    wanted = [name for name in NAMES if not names or name in names]
    if not wanted:
        return []
    held_out = None if real.test is None else sets.spread(real.test, MOST)
    if held_out is None or held_out.labels is None:
        return [Row(name, TITLES[name], better="higher", reason="no held-out images with labels") for name in wanted]
    config: Any = next(iter(runs.values())).experiment.model
    num, made = config.codes.categorical[0], {}
    for name, run in runs.items():
        found = _clusters(run, held_out, num, seed)
        made[name] = (
            dict.fromkeys(NAMES, Cell(reason="has no codes")) if found is None else cells(found, held_out, seed)
        )
    made["real"] = cells(k_means(held_out.rows, num, seed), held_out, seed)
    interval = f"bootstrap of {rows.DRAWS:,} draws"
    return [
        Row(
            name,
            TITLES[name],
            None,
            "none",
            better="higher",
            interval=interval if name == ACCURACY else "",
            cells={column: each[name] for column, each in made.items()},
        )
        for name in wanted
    ]


def _clusters(run: Run, images: Examples, num: int, seed: int) -> np.ndarray | None:
    """The cluster of each image; None of a model that has no codes."""
    config = run.experiment.model
    if not abilities.names_codes(config):
        return None
    if not abilities.is_autoencoder(config):
        return abilities.code_namer(config)(run.state, images.pixels)[:, 0]
    return k_means(abilities.encoder(config)(run.state, images.pixels, None), num, seed)


def k_means(points: np.ndarray, num: int, seed: int) -> np.ndarray:
    """The cluster of each point, (num,) from 0 on."""
    found = KMeans(num, n_init=STARTS, random_state=seed)  # pyright: ignore[reportArgumentType]
    return found.fit_predict(points)


def cells(clusters: np.ndarray, images: Examples, seed: int) -> dict[str, Cell]:
    """All values of clusters of images with labels, by name."""
    labels: Any = images.labels
    counts = codes.counted(clusters, labels, int(clusters.max()) + 1, int(labels.max()) + 1)
    right = codes.one_to_one(clusters, labels, counts).astype(np.float32)
    return {
        ACCURACY: rows.mean_cell(right, seed),
        INFORMATION: Cell(float(normalized_mutual_info_score(labels, clusters)), num=len(labels)),
        RAND: Cell(float(adjusted_rand_score(labels, clusters)), num=len(labels)),
    }
