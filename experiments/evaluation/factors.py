"""What the latents of an encoder say of the factors that pictures were drawn from: of models on `sprites`.

10,000 pictures of the whole set, drawn at random, are encoded (of a variational autoencoder the means of q(z|x)), and
5,000 others, for what is fitted to the first. A row for each measure of `jaxgen.metrics.disentanglement`; colour, which
does not vary, is left out.

- SAP takes the squared correlation of factors whose values have an order, and of the shape the accuracy of a linear
  support vector machine of one latent.
- DCI takes the importances of random forests, one a factor, as its authors do beside the lasso; their accuracy on the
  other pictures is its informativeness.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import LinearSVC

from experiments import data
from experiments.data import sprites
from experiments.evaluation import encodings
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Run
from experiments.models import abilities
from experiments.runs.experiment import Experiment
from jaxgen import metrics

TITLES = {
    "mig": "mutual information gap (MIG)",
    "factor_vae": "FactorVAE score",
    "sap": "attribute predictability gap (SAP)",
    "modularity": "modularity",
    "dci_disentanglement": "DCI: disentanglement",
    "dci_completeness": "DCI: completeness",
    "dci_informativeness": "DCI: informativeness",
}
NAMES = tuple(TITLES)
"""As --metrics has them."""

FITTED, HELD_OUT = 10_000, 5_000
"""Pictures."""

TREES = 50
"""Of a random forest."""

VARYING = slice(1, None)
"""The factors that take more than one value, of which the first is the shape."""


def are_there(experiment: Experiment) -> bool:
    """Whether a model encodes pictures to vectors, of the set whose factors are known."""
    return experiment.data == sprites.NAME and encodings.gives_vectors(experiment.model)


def judge(runs: Mapping[str, Run], names: Sequence[str], seed: int) -> list[Row]:
    """The rows of the runs, by name, of which another than the first may have no encoder; all metrics for no names."""
    wanted = [name for name in NAMES if not names or name in names]
    if not wanted:
        return []
    pictures = data.load_for(next(iter(runs.values())).experiment, "all")
    numbers = np.random.default_rng(seed).choice(len(pictures), FITTED + HELD_OUT, replace=False)
    pixels, known = np.asarray(pictures.batch(numbers)), sprites.factors(numbers)[:, VARYING]
    found = {name: _cells(run, pixels, known, wanted, seed) for name, run in runs.items()}
    return [
        Row(name, TITLES[name], None, "none", better="higher", cells={run: each[name] for run, each in found.items()})
        for name in wanted
    ]


def _cells(run: Run, pixels: np.ndarray, known: np.ndarray, wanted: Sequence[str], seed: int) -> dict[str, Cell]:
    config = run.experiment.model
    if not encodings.gives_vectors(config):
        return dict.fromkeys(wanted, Cell(reason=encodings.NO_VECTORS))
    values = measured(abilities.encoder(config)(run.state, pixels, None), known, wanted, seed)
    return {name: Cell(value, num=FITTED) for name, value in values.items()}


def measured(codes: np.ndarray, known: np.ndarray, wanted: Sequence[str], seed: int) -> dict[str, float]:
    """The value of each metric that is wanted.

    Args:
        codes: (num, codes), the last `HELD_OUT` for what is fitted to the others.
        known: (num, 5) numbers of the values of the factors that vary.
        wanted: names of metrics.
        seed: of votes and forests.
    """
    fitted, sizes = slice(0, -HELD_OUT), sprites.SIZES[VARYING]
    x, v = jnp.asarray(codes[fitted]), jnp.asarray(known[fitted], jnp.int32)
    found: dict[str, Any] = {}
    if "mig" in wanted:
        found["mig"] = metrics.mutual_information_gap(x, v, num_values=sizes)
    if "factor_vae" in wanted:
        found["factor_vae"] = jax.jit(metrics.factor_vae_score)(x, v, jax.random.key(seed))
    if "sap" in wanted:
        of_shape = [_accuracy_of_one(codes[:, [code]], known[:, 0], seed) for code in range(codes.shape[1])]
        scores = metrics.squared_correlations(x, v).at[:, 0].set(jnp.asarray(of_shape, jnp.float32))
        found["sap"] = metrics.predictability_gap(scores)
    if "modularity" in wanted:
        found["modularity"] = metrics.modularity(metrics.mutual_information(x, v, num_values=sizes))
    if any(name.startswith("dci") for name in wanted):
        importances, accuracies = zip(*(_forest(codes, one, seed) for one in known.T), strict=True)
        table = jnp.asarray(np.stack(importances, axis=1), jnp.float32)
        found["dci_disentanglement"] = metrics.disentanglement(table)
        found["dci_completeness"] = metrics.completeness(table) if len(table) > 1 else 1.0
        found["dci_informativeness"] = np.mean(accuracies)
    return {name: float(found[name]) for name in wanted}


def _accuracy_of_one(code: np.ndarray, values: np.ndarray, seed: int) -> float:
    """Of a linear classifier of one code, (num, 1), on the pictures that it is not fitted to."""
    scaled = code / max(float(code[:-HELD_OUT].std()), 1e-6)
    fitted = LinearSVC(class_weight="balanced", random_state=seed).fit(scaled[:-HELD_OUT], values[:-HELD_OUT])
    return float(fitted.score(scaled[-HELD_OUT:], values[-HELD_OUT:]))


def _forest(codes: np.ndarray, values: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """How much each code counts in predicting a factor, and how often it is right of other pictures."""
    forest = RandomForestClassifier(TREES, random_state=seed).set_params(max_features=None)
    forest.fit(codes[:-HELD_OUT], values[:-HELD_OUT])
    return forest.feature_importances_, float(forest.score(codes[-HELD_OUT:], values[-HELD_OUT:]))
