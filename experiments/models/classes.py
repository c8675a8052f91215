"""Which class each sample of a conditional model is of: a function of the sample's number alone, and the names.

In turn, sample i is of class i mod the number of classes, or of the i-th of the classes that are asked for, over and
over. As the data have them, the labels of the training examples are taken in one random order, so that as many samples
as there are examples have their very counts. The first categorical code of InfoGAN counts as a class here.
"""

import pathlib
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.request import nearest
from experiments.models import abilities
from experiments.runs.experiment import Experiment

Labels: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""Numbers of samples, (num,), to their classes, (num,) int32."""

Shares: TypeAlias = Literal["turn", "data"]
"""How often a class is drawn: as often as any other, or as often as the training data have it."""

UNEQUAL = 1.5
"""How many times as many examples the largest class has as the smallest, from which classes count as unequal."""


def count(config: Any) -> int | None:
    """How many classes, or first categorical codes, the model can be asked for; None if it cannot."""
    if abilities.has_classes(config):
        return config.num_classes
    return config.codes.categorical[0] if abilities.names_codes(config) else None


def in_turn(config: Any, chosen: Sequence[int] = ()) -> Labels | None:
    """The chosen classes, or all, over and over; None for a model that is told none."""
    num = count(config)
    if num is None:
        return None
    among = np.asarray(chosen or range(num), np.int32)
    return lambda places: among[places % len(among)]


def as_in_data(labels: np.ndarray, seed: int) -> Labels:
    """As often as among the labels of the training examples, in an order that the seed gives."""
    choices = np.random.Generator(np.random.Philox(key=[seed, zlib.crc32(b"classes")]))
    among = np.asarray(labels, np.int32)[choices.permutation(len(labels))]
    return lambda places: among[places % len(among)]


def unequal(labels: np.ndarray, num_classes: int) -> bool:
    """Whether the largest class has more than `UNEQUAL` times as many examples as the smallest."""
    counts = np.bincount(labels, minlength=num_classes)
    return bool(counts.max() > UNEQUAL * counts.min())


def names(folder: pathlib.Path, experiment: Experiment) -> tuple[str, ...]:
    """Names of the classes, as `of_data` has them; of the values of a code, their numbers."""
    num = count(experiment.model) or 0
    return of_data(folder, experiment, num) if abilities.has_classes(experiment.model) else tuple(map(str, range(num)))


def of_data(folder: pathlib.Path, experiment: Experiment, num: int) -> tuple[str, ...]:
    """Names of `num` labels: as the run's record has them, else its data; numbers where neither can be read."""
    from experiments import data
    from experiments.runs import run_folder

    record = run_folder.read_config(folder)
    recorded = tuple(record.get("classes") or (record.get("data") or {}).get("classes") or ())
    if len(recorded) == num:
        return recorded
    try:
        found = data.load_for(experiment).classes
    except UserError:
        found = ()
    return found if len(found) == num else tuple(map(str, range(num)))


def number(word: str, there: Sequence[str], option: str = "--label") -> int:
    """The class of that name, or number. UserError with the nearest names."""
    for plain in (str, str.casefold):
        alike = [place for place, name in enumerate(there) if plain(name) == plain(word)]
        if len(alike) == 1:
            return alike[0]
    if word.isdecimal() and int(word) < len(there):
        return int(word)
    numbers = "" if tuple(there) == tuple(map(str, range(len(there)))) else f", nor a number below {len(there)}"
    raise UserError(f"{option} {word!r} is no class{numbers}; {nearest(word, there)}")
