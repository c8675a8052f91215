"""One class of a set whose labels are read when they are needed, all of it or its first training images."""

import dataclasses

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.chosen import Chosen
from experiments.data.collection import Collection, NoExamples
from experiments.data.request import class_number


def of(every: Collection, set_name: str, wanted: str) -> Collection:
    """The images of the class of that name; of `CLASS:NUM` the first NUM to train on, and all that are held out.

    UserError if the set has no labels, no such class, or fewer training images of it.
    """
    if every.labels is None:
        raise UserError(f"{set_name} has no labels, so no class {wanted!r}; give --data {set_name}")
    wanted, colon, most = wanted.partition(":")
    if colon and not (most.isdecimal() and int(most) >= 1):
        given = f"{set_name}:{wanted}"
        raise UserError(f"{given}:{most} must end in a number of training images, such as {given}:500")
    number = class_number(set_name, wanted, every.classes)

    def first(split: str) -> int | None:
        return int(most) if colon and split == "train" else None

    named = dataclasses.replace(every, name=set_name)
    splits = Chosen(named, lambda split, indices: _of_class(named, number, indices, first(split)))
    zeros = np.broadcast_to(np.int32(0), len(every.images))
    return dataclasses.replace(every, splits=splits, labels=zeros, classes=(every.classes[number],), texts=None)


def _of_class(every: Collection, number: int, indices: np.ndarray, most: int | None) -> np.ndarray:
    """Those of the class, all or the first `most`. An error if there are none, or fewer."""
    assert every.labels is not None
    there = every.labels[indices]
    found, names = indices[there == number], every.classes
    if most is not None and len(found) < most:
        raise UserError(f"{every.name} has {len(found):,} training images of {names[number]!r}, fewer than {most:,}")
    if not len(found):
        held = ", ".join(names[label] for label in np.unique(there))
        raise NoExamples(f"{every.name} as prepared here holds no {names[number]!r}; it holds: {held}")
    return found[:most]
