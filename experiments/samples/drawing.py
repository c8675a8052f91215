"""The samples that a command asks for: how many, of which run and step, of which classes; drawn in batches."""

import functools
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments.command_line import terminal
from experiments.command_line.errors import UserError
from experiments.data import tokens
from experiments.models import abilities, classes, conditions, progress, samplers, texts
from experiments.models.classes import Labels, Shares
from experiments.models.conditions import Source
from experiments.models.samplers import NONE, Changes
from experiments.runs import averages, restore, run_data, run_folder
from experiments.runs.experiment import Experiment
from experiments.runs.run_data import HERE, Place

USUAL = 64
"""Images that are drawn if no number is asked for."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for, whatever the form."""

    num: int | None
    seed: int
    label: tuple[str, ...]
    shares: Shares
    batch_size: int
    step: int | Literal["newest", "best"]
    texts: tuple[str, ...] = ()  # sentences that a model of texts is asked for, in turn
    embeddings: pathlib.Path | None = None  # a file that holds embeddings of texts, in turn
    same_latents: bool = False  # of a picture: image i has the latents of number i // K and class i mod K, of K classes
    average_width: float | None = None  # of the moving average, where it is not the run's own


@dataclass(frozen=True)
class Drawing:
    """A run's state and what is to be drawn of it."""

    folder: pathlib.Path
    experiment: Experiment
    step: int
    state: Any
    wanted: Wanted
    names: tuple[str, ...]  # of all classes, or the sentences that are asked for; none of a model that is told none
    turn: tuple[int, ...]  # classes or sentences that samples are of in turn; none where they are of others
    labels: Labels | None  # of each sample; None of a model that is told none
    texts: Source | None = None  # of each sample the caption, where sentences are asked for

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return tuple(self.experiment.model.image_shape)

    @property
    def num(self) -> int:
        """Samples in all."""
        return self.wanted.num or max(USUAL, len(self.turn))

    @property
    def record(self) -> dict[str, Any]:
        """What the samples are functions of, as JSON has it."""
        record = run_folder.read_config(self.folder)
        found = {"run": record["run"], "experiment": record["experiment"], "step": self.step, "seed": self.wanted.seed}
        if self.labels is not None:
            found["classes"] = list(self.wanted.label) or self.wanted.shares
        if self.texts is not None:
            found["texts"] = list(self.names)
        if self.wanted.average_width is not None:
            found["average_width"] = self.wanted.average_width
        return found | {name: repr(value) for name, value in samplers.settings(self.experiment.model).items()}

    def all(self) -> np.ndarray:
        """All samples at once, in their order."""
        if not self.wanted.same_latents:
            return np.concatenate(list(self.batches(np.arange(self.num))))
        rows = np.arange(-(-self.num // len(self.turn)))
        of_class = [np.concatenate(list(self.batches(rows, functools.partial(_all_of, label)))) for label in self.turn]
        return np.stack(of_class, axis=1).reshape(-1, *self.shape)[: self.num]

    def batches(self, indices: np.ndarray, labels: Labels | None = None) -> Iterator[np.ndarray]:
        """The samples of these numbers, of other classes if told, with a bar that tells how far it is."""
        source = labels or self.labels or self.texts or conditions.source(self.experiment, terminal.show)
        args = self.experiment.model, self.state, indices, self.wanted.seed, source
        return progress.batches(*args, size=self.wanted.batch_size)


def prepare(folder: pathlib.Path, wanted: Wanted, changes: Changes = NONE, place: Place = HERE) -> Drawing:
    """What is drawn of the run in `folder`, whose data lie in `place`. UserError for classes that it does not know."""
    experiment = run_data.placed(run_folder.read(folder)[1], place)
    abilities.require_images(experiment.model)
    _check_asked(experiment.model, wanted)
    given = wanted.texts or wanted.embeddings
    if (conditions.takes_examples(experiment.model) and not given) or wanted.shares == "data":
        run_data.check(folder, experiment)
    names = classes.names(folder, experiment) if classes.count(experiment.model) else ()
    turn = tuple(classes.number(word, names) for word in wanted.label)
    if wanted.shares == "turn":
        labels, turn = classes.in_turn(experiment.model, turn), turn or tuple(range(len(names)))
    else:
        labels = _as_in_data(experiment, wanted.seed)
    asked, said = _asked(experiment, wanted)
    if asked is not None:
        names, turn = said, tuple(range(len(said)))
    restored, _, step, state = restore.at(folder, wanted.step)
    if wanted.average_width is not None:
        state = averages.of_width(folder, restored.model, step, state, wanted.average_width)
    experiment = samplers.replaced(run_data.placed(restored, place), changes)
    return Drawing(folder, experiment, step, state, wanted, names, turn, labels, asked)


def _check_asked(config: Any, wanted: Wanted) -> None:
    """UserError for classes of a model that is told none, or asked for in two ways."""
    if wanted.label and wanted.shares == "data":
        raise UserError("--label and --classes data ask for different classes; leave one of them out")
    if wanted.same_latents and wanted.shares == "data":
        raise UserError("--same-latents has a column for each class, so not --classes data; leave one of them out")
    for option, given, possible in (
        ("--label", bool(wanted.label), classes.count(config) is not None),
        ("--same-latents", wanted.same_latents, classes.count(config) is not None),
        ("--classes data", wanted.shares == "data", abilities.has_classes(config)),
    ):
        if given and not possible:
            raise UserError(f"{option} is given, but {abilities.name_of(config)} is not told classes; leave it out")
    if wanted.texts and wanted.embeddings is not None:
        raise UserError("--text and --embeddings are given; leave one of them out")
    if wanted.texts and not texts.takes_texts(config):
        raise UserError(f"--text is given, but {abilities.name_of(config)} makes no images of texts; leave it out")


def _asked(experiment: Experiment, wanted: Wanted) -> tuple[Source | None, tuple[str, ...]]:
    """The captions that are asked for, and what they are called; none where none are."""
    config = experiment.model
    if wanted.embeddings is not None:
        rows = texts.of_embeddings(config, wanted.embeddings)
        return texts.in_turn(rows), tuple(f"embedding {number}" for number in range(len(rows)))
    if not wanted.texts:
        return None, ()
    return texts.in_turn(texts.encoded(config, wanted.texts, tokens.of(experiment))), wanted.texts


def _all_of(label: int, places: np.ndarray) -> np.ndarray:
    return np.full(len(places), label, np.int32)


def _as_in_data(experiment: Experiment, seed: int) -> Labels:
    """The class of each sample, as often as the training data have it."""
    from experiments import data

    labels = data.load_for(experiment).labels
    if labels is None:
        raise UserError(f"--classes data needs labels, but {experiment.data} has none; leave it out")
    return classes.as_in_data(labels, seed)
