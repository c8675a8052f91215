"""One class of a set whose labels are read when they are needed, all of it or its first training images."""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.collection import Collection, NoExamples
from experiments.data.request import class_number, official


class _OfClass(Mapping[str, np.ndarray]):
    """The splits of one class of a set, found when they are needed."""

    def __init__(self, every: Collection, number: int, most: int | None):
        self._every, self._number, self._most = every, number, most
        self._names = tuple(every.splits) if official("test", tuple(every.splits)) else (*every.splits, "test")
        self._found: dict[str, np.ndarray] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, split: str) -> np.ndarray:
        if split not in self._names:
            raise KeyError(split)
        if split not in self._found:
            indices, labels = self._every.indices(split), self._every.labels
            assert labels is not None
            there = labels[indices]
            self._found[split] = indices[there == self._number]
            if split == "train" and self._most is not None:
                self._found[split] = self._first(self._found[split], self._most)
            if not len(self._found[split]):
                names = self._every.classes
                raise NoExamples(
                    f"{self._every.name} as prepared here holds no {names[self._number]!r}; it holds: "
                    f"{', '.join(names[label] for label in np.unique(there))}"
                )
        return self._found[split]

    def _first(self, indices: np.ndarray, most: int) -> np.ndarray:
        if len(indices) < most:
            name = self._every.classes[self._number]
            raise UserError(f"{self._every.name} has {len(indices):,} training images of {name!r}, fewer than {most:,}")
        return indices[:most]


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
    named = dataclasses.replace(every, name=set_name)
    splits = _OfClass(named, number, int(most) if colon else None)
    zeros = np.broadcast_to(np.int32(0), len(every.images))
    return dataclasses.replace(every, splits=splits, labels=zeros, classes=(every.classes[number],), texts=None)
