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
from jaxgen.typing import Shape

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
        raise UserError(f"{folder} is a run of {abilities.name_of(config)}; give a run of sigan or tp_gan")
    run = sets.run(folder, step, place=Place(data_dir=data_dir))
    check_people(people, run.experiment.data)
    train, test = data.load_for(run.experiment), held_out.load_for(run.experiment)
    if test is None or test.labels is None or train.labels is None:
        raise UserError(f"{run.experiment.data} has no held-out faces with identities; add pictures, a folder a person")
    embed = embedding(people, config.image_shape, seed, run.experiment.data_dir)
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
    write(folder, found)
    return found


def write(folder: pathlib.Path, found: dict[str, Any]) -> None:
    """To identity.json. FolderError if it cannot be written."""
    try:
        files.write(folder / "identity.json", json.dumps(found, indent=2) + "\n")
    except OSError as error:
        raise FolderError(f"cannot write {folder / 'identity.json'}: {error.strerror}") from error


def rank_1(features: np.ndarray, known: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """The share of features whose nearest known one, by the cosine, is right, with its interval; of those with any.

    Args:
        features: (Q, d).
        known: (C, d).
        right: bool, (Q, C).
    """
    there = right.any(axis=1)
    return share(recognised(features[there], known, right[there]))


def recognised(
    features: np.ndarray, known: np.ndarray, right: np.ndarray, barred: np.ndarray | None = None
) -> np.ndarray:
    """Whether the nearest known feature, by the cosine, is right: (Q,) of 1 and 0.

    Args:
        features: (Q, d).
        known: (C, d).
        right: bool, (Q, C), at least one of a row.
        barred: bool, (Q, C), those that a feature is not compared with, none of them right; all are if not given.
    """
    one, other = (unit_length(jnp.asarray(each)) for each in (features, known))
    cosines = one @ other.T
    if barred is not None:
        cosines = jnp.where(jnp.asarray(barred), -jnp.inf, cosines)
    return np.asarray(retrieval_accuracy(cosines, jnp.asarray(right)))


def share(hits: np.ndarray) -> dict[str, float]:
    """Of hits, (Q,) of 1 and 0, with its interval."""
    low, high = rows.wilson_interval(int(hits.sum()), len(hits))
    return {"rank_1": int(hits.sum()) / len(hits), "low": low, "high": high, "num": len(hits)}


def lines(found: dict[str, Any]) -> list[str]:
    """For a person."""
    head = f"rank-1 among {found['num_gallery']:,} training faces of {found['num_people']:,} people, at step "
    rows = [
        f"  {SAID[name]:21} {found[name]['rank_1']:7.2%}  [{found[name]['low']:.2%}, {found[name]['high']:.2%}]"
        for name in SAID
        if name in found
    ]
    return [f"{head}{found['step']:,}, {found['samples']['num']:,} held-out faces:", *rows, f"by {found['embedding']}"]


class Embedding:
    """Features of uint8 faces."""

    def __init__(self, outputs: Callable[[np.ndarray], Any], said: str, file: pathlib.Path):
        self._outputs, self.said, self.file = outputs, said, file

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """(num, d)."""
        return self._outputs(pixels).features


def embedding(people: str, image_shape: Shape, seed: int, data_dir: pathlib.Path | None) -> Embedding:
    """The last hidden layer of a classifier of the people of a set, whose faces become as large as `image_shape`.

    UserError for a set without labels.
    """
    height, width, channels = image_shape
    options = ImageOptions(size=(height, width), channels=1 if channels == 1 else 3)
    loaded: list[ImageSet] = [data.load(people, split, data_dir, options) for split in ("train", "test")]
    for reason in (classifier.why_not(loaded[0]), classifier.why_not_judged(loaded[1])):
        if reason:
            raise UserError(f"--people: {reason}; give a set with a folder for each person")
    made = classifier.obtain(loaded[0], loaded[1], options, seed=seed)
    return Embedding(made.outputs, f"the features of a {made.describe()} of {people}", made.file)


def _same_people(held_out: np.ndarray, known: np.ndarray, name: str) -> np.ndarray:
    """Whether each held-out face (rows) and each training face (columns) show one person. UserError if none do."""
    same = held_out[:, None] == known[None]
    if not same.any():
        raise UserError(f"nobody of the held-out faces of {name} is among its training faces; add more faces a person")
    return same


def check_people(people: str, trained_on: str) -> None:
    """UserError for no set of people, or that of the run."""
    if not people:
        raise UserError("--people is not given: name a labelled set of faces of other people, such as folder:PATH")
    if people == trained_on.partition(":")[2]:
        raise UserError(f"--people {people} are those of the run; give a set of others")
