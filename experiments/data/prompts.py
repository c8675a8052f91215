"""`prompts:SET`: a labelled set whose captions say the name of the class, for models of texts."""

import dataclasses
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.collection import UNLABELLED, Collection

PATTERNS = ("{}", "a picture of {}", "this is {}")
"""Of the captions."""


def collection(every: Collection) -> Collection:
    """The set with the captions of its labels. UserError for one that has no labels, or has captions."""
    labels = every.labels
    if labels is None:
        raise UserError(f"{every.name} has no labels to make captions of; give --data {every.name}")
    if every.texts is not None:
        raise UserError(f"{every.name} has captions already; give --data {every.name}")

    def texts(indices: np.ndarray) -> list[list[str]]:
        rows: Any = labels[indices]
        return [captions("" if row == UNLABELLED else every.classes[row]) for row in rows]

    return dataclasses.replace(every, name=f"prompts:{every.name}", texts=texts)


def captions(name: str) -> list[str]:
    """All that are made of the name of a class; the empty one of no name.

    >>> captions("Ankle boot")[:2]
    ['ankle boot', 'a picture of ankle boot']
    """
    return [pattern.format(name.lower()) for pattern in PATTERNS] if name else [""]
