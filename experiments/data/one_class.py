"""One class of a set whose labels are read when they are needed."""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.collection import Collection, NoExamples
from experiments.data.request import class_number, official


class _OfClass(Mapping[str, np.ndarray]):
    """The splits of one class of a set, found when they are needed."""

    def __init__(self, every: Collection, number: int):
        self._every, self._number = every, number
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
            if not len(self._found[split]):
                names = self._every.classes
                raise NoExamples(
                    f"{self._every.name} as prepared here holds no {names[self._number]!r}; it holds: "
                    f"{', '.join(names[label] for label in np.unique(there))}"
                )
        return self._found[split]


def of(every: Collection, set_name: str, wanted: str) -> Collection:
    """The images of the class of that name. UserError if the set has no labels or no such class."""
    if every.labels is None:
        raise UserError(f"{set_name} has no labels, so no class {wanted!r}; give --data {set_name}")
    number = class_number(set_name, wanted, every.classes)
    named = dataclasses.replace(every, name=set_name)
    zeros = np.broadcast_to(np.int32(0), len(every.images))
    return dataclasses.replace(
        every, splits=_OfClass(named, number), labels=zeros, classes=(every.classes[number],), texts=None
    )
