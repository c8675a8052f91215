"""Rank-1 recognition of enlarged faces, by an embedding that was trained on other people."""

import json
import pathlib
from collections.abc import Callable
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from experiments import data
from experiments.command_line.errors import FolderError, UserError
from experiments.data import held_out
from experiments.data.images import ImageSet
from experiments.data.options import ImageOptions
from experiments.evaluation import baselines, classifier, rows, sets
from experiments.models import abilities
from experiments.runs import files, run_folder
from experiments.runs.run_data import Place
from jaxgen.batches import LabelledPaired
from jaxgen.losses import unit_length
from jaxgen.metrics import retrieval_accuracy
from jaxgen.translation import sigan

SAID = {"bicubic": "bicubic interpolation", "samples": "the run", "real": "real faces"}
"""What is looked up."""


def evaluate(
    folder: pathlib.Path,
    people: str,
    step: int | Literal["newest", "best"] = "newest",
    seed: int = 0,
    data_dir: pathlib.Path | None = None,
) -> dict[str, Any]:
    """Rank-1 of each set of faces; what identity.json then holds.

    UserError for a run of another model, without held-out faces, or a set of people that has no labels or is the run's.
    """
    config = run_folder.read(folder)[1].model
    if not isinstance(config, sigan.Config):
        raise UserError(f"{folder} is a run of {abilities.name_of(config)}; give a run of sigan")
    run = sets.run(folder, step, place=Place(data_dir=data_dir))
    _check_people(people, run.experiment.data)
    train, test = data.load_for(run.experiment), held_out.load_for(run.experiment)
    if test is None or test.labels is None or train.labels is None:
        raise UserError(f"{run.experiment.data} has no held-out faces with identities; add pictures, a folder a person")
    embed = _embedding(people, run, seed)
    gallery, wanted = (
        train.batch(np.arange(len(train)), LabelledPaired),
        test.batch(np.arange(len(test)), LabelledPaired),
    )
    faces = baselines.of_inputs(config, np.asarray(wanted.inputs))
    faces |= {"samples": run.draw(len(test), seed).pixels, "real": np.asarray(wanted.targets)}
    known = embed.features(np.asarray(gallery.targets))
    right = _same_people(np.asarray(wanted.labels), np.asarray(gallery.labels), run.experiment.data)
    found: dict[str, Any] = {"format": 1, "experiment": run.name, "step": run.step, "seed": seed}
    found |= {
        "people": people,
        "embedding": embed.said,
        "num_gallery": len(train),
        "num_people": train.num_classes,
    }
    found |= {name: rank_1(embed.features(pixels), known, right) for name, pixels in faces.items()}
    try:
        files.write(folder / "identity.json", json.dumps(found, indent=2) + "\n")
    except OSError as error:
        raise FolderError(f"cannot write {folder / 'identity.json'}: {error.strerror}") from error
    return found


def rank_1(features: np.ndarray, known: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """The share of features whose nearest known one, by the cosine, is right, with its interval; of those with any.

    Args:
        features: (Q, d).
        known: (C, d).
        right: bool, (Q, C).
    """
    there = right.any(axis=1)
    one, other = (unit_length(jnp.asarray(each)) for each in (features[there], known))
    hits = int(np.asarray(retrieval_accuracy(one @ other.T, jnp.asarray(right[there]))).sum())
    low, high = rows.wilson_interval(hits, int(there.sum()))
    return {"rank_1": hits / int(there.sum()), "low": low, "high": high, "num": int(there.sum())}


def lines(found: dict[str, Any]) -> list[str]:
    """For a person."""
    head = f"rank-1 among {found['num_gallery']:,} training faces of {found['num_people']:,} people, at step "
    rows = [
        f"  {SAID[name]:21} {found[name]['rank_1']:7.2%}  [{found[name]['low']:.2%}, {found[name]['high']:.2%}]"
        for name in SAID
        if name in found
    ]
    return [f"{head}{found['step']:,}, {found['samples']['num']:,} held-out faces:", *rows, f"by {found['embedding']}"]


class _Embedding:
    """Features of uint8 faces."""

    def __init__(self, outputs: Callable[[np.ndarray], Any], said: str):
        self._outputs, self.said = outputs, said

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """(num, d)."""
        return self._outputs(pixels).features


def _embedding(people: str, run: sets.Run, seed: int) -> _Embedding:
    """The last hidden layer of a classifier of the people of another set."""
    height, width, channels = run.experiment.model.image_shape
    options, place = ImageOptions(size=(height, width), channels=1 if channels == 1 else 3), run.experiment.data_dir
    loaded: list[ImageSet] = [data.load(people, split, place, options) for split in ("train", "test")]
    for reason in (classifier.why_not(loaded[0]), classifier.why_not_judged(loaded[1])):
        if reason:
            raise UserError(f"--people: {reason}; give a set with a folder for each person")
    made = classifier.obtain(loaded[0], loaded[1], options, seed=seed)
    return _Embedding(made.outputs, f"the features of a {made.describe()} of {people}")


def _same_people(held_out: np.ndarray, known: np.ndarray, name: str) -> np.ndarray:
    """Whether each held-out face (rows) and each training face (columns) show one person. UserError if none do."""
    same = held_out[:, None] == known[None]
    if not same.any():
        raise UserError(f"nobody of the held-out faces of {name} is among its training faces; add more faces a person")
    return same


def _check_people(people: str, trained_on: str) -> None:
    if not people:
        raise UserError("--people is not given: name a labelled set of faces of other people, such as folder:PATH")
    if people == trained_on.partition(":")[2]:
        raise UserError(f"--people {people} are those of the run; give a set of others")
