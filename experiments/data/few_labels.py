"""A few images of a set with their labels, and all of them without: `few_labels:SET:NUM:SEED`.

The NUM labelled images are as many of each class, drawn from the training images with the seed; the second domain is
the whole set. What is held out is that of the set, all with labels.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.chosen import Chosen
from experiments.data.collection import Collection


def collection(rest: str, load: Callable[[str], Collection]) -> Collection:
    """The labelled images, with the whole set as second domain; `load` knows sets by name.

    UserError for another form, a set without labels or with two domains, a number that is no multiple of the number of
    classes, or a class with too few images.
    """
    name, parts = f"few_labels:{rest}", rest.rsplit(":", 2)
    if len(parts) < 3 or not parts[0] or not all(each.isdecimal() for each in parts[1:]):
        raise UserError(f"{name} must be few_labels:SET:NUM:SEED, for example few_labels:mnist:100:0")
    every, num, seed = load(parts[0]), int(parts[1]), int(parts[2])
    if every.labels is None or every.targets is not None or every.others is not None:
        raise UserError(f"{parts[0]} is no set of images with labels, of which few could be kept; choose another one")
    if num < 1 or num % len(every.classes):
        raise UserError(
            f"{name} asks for {num:,} labels, but must for as many of each of the {len(every.classes):,} classes: give "
            f"a multiple of {len(every.classes):,}"
        )

    def choose(split: str, indices: np.ndarray) -> np.ndarray:
        return _drawn(every, indices, num, seed) if split == "train" else indices

    plain = dataclasses.replace(every, texts=None, embeddings=None)
    if not every.splits:
        plain = dataclasses.replace(plain, splits={"train": every.indices("train"), "test": every.indices("test")})
    return dataclasses.replace(plain, name=name, splits=Chosen(plain, choose), others=plain)


def _drawn(every: Collection, indices: np.ndarray, num: int, seed: int) -> np.ndarray:
    """`num` of the indices, as many of each class."""
    labels, each = np.asarray(every.labels[indices]), num // len(every.classes)  # pyright: ignore
    found = []
    for number, called in enumerate(every.classes):
        there = indices[labels == number]
        if len(there) < each:
            raise UserError(f"{every.name} has {len(there):,} training images of {called!r}, fewer than {each:,}")
        generator = np.random.Generator(np.random.Philox(key=[seed, number]))
        found.append(generator.choice(there, each, replace=False))
    return np.sort(np.concatenate(found))
