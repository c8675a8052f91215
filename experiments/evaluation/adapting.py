"""Accuracy on target images with and without adaptation: a run of PixelDA beside classifiers of the same form."""

import json
import pathlib
from collections.abc import Callable
from typing import Any, Literal

import jax
import numpy as np

from experiments.command_line.errors import FolderError, UserError
from experiments.data import domains
from experiments.data.images import ImageSet
from experiments.evaluation import classifier, rows, sets
from experiments.models import abilities
from experiments.models.chunks import in_chunks
from experiments.runs import files, run_folder
from experiments.runs.run_data import Place
from jaxgen.images import scale
from jaxgen.losses import cross_entropy
from jaxgen.translation import pixelda

SAID = {
    "source only": "learned from source images",
    "adapted": "the run's",
    "target only": "learned from target labels",
}
"""The classifiers, and what each has learned from."""


def evaluate(
    folder: pathlib.Path,
    step: int | Literal["newest", "best"] = "newest",
    seed: int = 0,
    data_dir: pathlib.Path | None = None,
) -> dict[str, Any]:
    """Accuracy of each of the classifiers on held-out target images; what adaptation.json then holds.

    UserError for a run of another model, or labels that are not those of the source.
    """
    config = run_folder.read(folder)[1].model
    if not isinstance(config, pixelda.Config):
        raise UserError(f"{folder} is a run of {abilities.name_of(config)}; give a run of pixelda")
    run = sets.run(folder, step, place=Place(data_dir=data_dir))
    source, target, test = _sets(run)
    chosen = classifier.Settings(steps=run.step, batch_size=run.experiment.batch_size)

    def fitted(train: ImageSet, domain: int) -> Callable[[Any], Any]:
        state = classifier.fit(
            pixelda.init(config, jax.random.key(seed)).discriminator, _loss(config, domain), train, seed, chosen
        )
        return lambda images: pixelda.predict(config, state.variables, images, domain)[0]

    logits = {
        "source only": fitted(source, pixelda.SOURCE),
        "adapted": lambda images: pixelda.classify(config, run.state, images),
        "target only": fitted(target, pixelda.TARGET),
    }
    found: dict[str, Any] = {name: _accuracy(config, of, test) for name, of in logits.items()}
    found = {"format": 1, "experiment": run.name, "step": run.step, "seed": seed, "num_test": len(test)} | found
    try:
        files.write(folder / "adaptation.json", json.dumps(found, indent=2) + "\n")
    except OSError as error:
        raise FolderError(f"cannot write {folder / 'adaptation.json'}: {error.strerror}") from error
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """For a person."""
    head = f"accuracy on {found['num_test']:,} held-out target images, at step {found['step']:,}:"
    rows = [
        f"  {name:12} {found[name]['accuracy']:7.2%}  [{found[name]['low']:.2%}, {found[name]['high']:.2%}]  {said}"
        for name, said in SAID.items()
    ]
    return [head, *rows]


def _sets(run: sets.Run) -> tuple[ImageSet, ImageSet, ImageSet]:
    """Source and target images with labels to learn from, and the target images that are held out."""
    experiment = run.experiment
    names = domains.names_of(experiment.data.partition(":")[2])
    parts = ((0, "train"), (1, "train"), (1, "test"))
    loaded = [sets.of_domain(experiment, which, split) for which, split in parts]
    for one in loaded:
        if one.labels is None:
            raise UserError(f"{one.name} has no labels, by which accuracy could be taken")
    if loaded[0].classes != loaded[1].classes:
        raise UserError(f"{names[0]} and {names[1]} have other classes: {loaded[0].classes}, {loaded[1].classes}")
    source, target, test = loaded
    return source, target, test


def _loss(config: pixelda.Config, domain: int) -> Callable[..., Any]:
    def loss(variables: Any, images: Any, labels: Any) -> Any:
        logits, variables = pixelda.predict(config, variables, scale(images, config.value_range), domain)
        return cross_entropy(logits, labels).mean(), ({}, variables)

    return loss


def _accuracy(config: pixelda.Config, logits: Callable[[Any], Any], test: ImageSet) -> dict[str, float]:
    pixels: Any = np.asarray(test.batch(np.arange(len(test))))
    found = in_chunks(jax.jit(lambda images: logits(scale(images, config.value_range))), pixels)
    right = int((found.argmax(1) == test.labels).sum())
    low, high = rows.wilson_interval(right, len(test))
    return {"accuracy": right / len(test), "low": low, "high": high}
