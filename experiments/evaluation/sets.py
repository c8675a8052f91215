"""What is compared: real training images (the reference), held-out ones (the floor), and a run's samples."""

import dataclasses
import functools
import pathlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments import data
from experiments.data import domains, held_out
from experiments.data.images import ImageSet
from experiments.models import abilities, classes, conditions, progress, samplers, sampling
from experiments.models.classes import Labels, Shares
from experiments.models.samplers import NONE, Changes
from experiments.runs import restore, run_data
from experiments.runs.experiment import Experiment
from experiments.runs.run_data import HERE, Place


@dataclass(frozen=True)
class Examples:
    """Arrays with one row for each example, and what an extractor has made of them."""

    pixels: np.ndarray  # (num, height, width, channels) uint8, or (num, dimensions) float32 points
    labels: np.ndarray | None = None  # (num,) classes: their own, or those that a model was asked for
    features: np.ndarray | None = None  # (num, d) float32
    logits: np.ndarray | None = None  # (num, classes) float32

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, places: np.ndarray) -> "Examples":
        """Those at the places."""
        values = (getattr(self, field.name) for field in dataclasses.fields(self))
        return Examples(*(None if value is None else value[places] for value in values))  # pyright: ignore

    def first(self, num: int) -> "Examples":
        """The first ones."""
        return self.take(np.arange(min(num, len(self))))

    @property
    def rows(self) -> np.ndarray:
        """Images in [0, 1], or points, each in a row: (num, d) float32."""
        flat = self.pixels.reshape(len(self), -1)
        return flat.astype(np.float32) / np.float32(255) if flat.dtype == np.uint8 else flat.astype(np.float32)


@dataclass(frozen=True)
class Real:
    """The sets of an experiment, loaded."""

    train: ImageSet
    test: ImageSet | None  # None where too few are left to hold out

    @property
    def kind(self) -> Literal["images", "points"]:
        """What an example is."""
        return "images" if len(self.train.image_shape) == 3 else "points"


def real(experiment: Experiment) -> Real:
    """What samples of an experiment are compared with. UserError if its data are not there."""
    return of_sets(experiment.model, data.load_for(experiment), held_out.load_for(experiment))


def of_sets(config: Any, train: ImageSet, test: ImageSet | None) -> Real:
    """What samples of a model are compared with, of training and held-out examples."""
    return Real(compared(config, train), None if test is None else compared(config, test))


def compared(config: Any, image_set: ImageSet) -> ImageSet:
    """The images of a set that samples should be like: targets, where there are none the second domain, or all."""
    kind = config.batch_type
    if kind is None:
        return image_set
    fields = zip(kind._fields, kind.COLUMNS, strict=True)
    wanted = {
        column.name
        for name, column in fields
        if name == kind.TARGET or (kind.TARGET is None and column.rows == "other")
    }
    if "others" in wanted and image_set.others is not None:
        labels = image_set.other_labels if kind.TARGET is not None else None
        own = {"others": None, "other_labels": None, "classes": () if labels is None else image_set.classes}
        return dataclasses.replace(image_set, images=image_set.others, labels=labels, **own)
    if "targets" not in wanted or image_set.targets is None:
        return image_set
    factor, window = image_set.targets.shape[1] // image_set.images.shape[1], image_set.window
    if window is not None:
        window = window._replace(height=factor * window.height, width=factor * window.width, pad=factor * window.pad)
    return dataclasses.replace(image_set, images=image_set.targets, targets=None, window=window)


def of_domain(experiment: Experiment, which: int, split: str) -> ImageSet:
    """The first or the second set of `unpaired:A,B`, with its own labels. UserError for other data."""
    names = domains.names_of(experiment.data.partition(":")[2])
    options = dataclasses.replace(experiment.images, channels=experiment.model.image_shape[2])
    return data.load(names[which], split, experiment.data_dir, options, experiment.storage)


def spread(image_set: ImageSet, num: int) -> Examples:
    """`num` examples, or all there are, at even distances through the set, which may be sorted."""
    return Examples(*held_out.spread(image_set, min(num, len(image_set))))


@dataclass(frozen=True)
class Run:
    """A run's settings and one of its states."""

    folder: pathlib.Path
    name: str
    experiment: Experiment
    step: int
    state: Any

    def draw(self, num: int, seed: int, labels: Labels | None = None) -> Examples:
        """Samples, and the classes that they were asked for; `labels`, or all classes in turn."""
        config = self.experiment.model
        labels = labels or classes.in_turn(config)
        args = config, self.state, np.arange(self.most(num)), seed, labels or conditions.source(self.experiment)
        drawn = np.concatenate(list(progress.batches(*args, size=sampling.BATCH)))
        if abilities.has_domains(config):
            return Examples(drawn, conditions.domains_in_turn(config, np.arange(len(drawn))))
        if labels is None or not abilities.has_classes(config):
            return Examples(drawn)
        return Examples(drawn, labels(np.arange(num)))

    def most(self, num: int) -> int:
        """`num`, or of a model that is given images as many as there are to give: each once."""
        return min(num, len(self.given)) if conditions.takes_images(self.experiment.model) else num

    @functools.cached_property
    def given(self) -> ImageSet:
        """The examples that a model is given parts of: held-out ones, or training ones where there are none."""
        return held_out.load_for(self.experiment) or data.load_for(self.experiment)


def run(
    folder: pathlib.Path, which: int | Literal["newest", "best"], changes: Changes = NONE, place: Place = HERE
) -> Run:
    """The run in a folder, from one of its checkpoints, to draw with `changes` of its settings.

    `place` is where its data lie now.

    UserError if that cannot be read.
    """
    from experiments.runs import run_folder

    name, _ = run_folder.read(folder)
    experiment, _, step, state = restore.at(folder, which)
    experiment = run_data.placed(experiment, place)
    run_data.check(folder, experiment)
    return Run(folder, name, samplers.replaced(experiment, changes), step, state)


def shares_of(config: Any, train: ImageSet, wanted: Shares | None = None) -> Shares | None:
    """How often a conditional model draws each class; None for another.

    If it is not said, as often as the training examples have it where they are `classes.unequal`, since a distance of
    two sets tells how their classes are spread, too.
    """
    if not abilities.has_classes(config) or train.labels is None:
        return None
    return wanted or ("data" if classes.unequal(train.labels, config.num_classes) else "turn")


def labels_of(config: Any, train: ImageSet, seed: int, wanted: Shares | None = None) -> Labels | None:
    """The classes that a conditional model draws, as `shares_of` has it; None for another."""
    if shares_of(config, train, wanted) == "data":
        return classes.as_in_data(np.asarray(train.labels), seed)
    return classes.in_turn(config) if abilities.has_classes(config) else None
