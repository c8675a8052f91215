"""A few images of a set with their labels: `few_labels:SET:NUM:SEED`, and `rare_class:SET:CLASS:NUM:SEED`.

The NUM labelled images of `few_labels` are as many of each class, drawn from the training images with the seed; the
second domain is the whole set, without labels. `rare_class` has NUM images of each class, and a tenth of that of one;
it has no second domain. What is held out is that of the set, all with labels.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.chosen import Chosen
from experiments.data.collection import Collection
from experiments.data.request import class_number

RARER = 10
"""How many times as many images as the rare class each other one has."""


def collection(rest: str, load: Callable[[str], Collection]) -> Collection:
    """The labelled images, with the whole set as second domain; `load` knows sets by name.

    UserError for another form, a set without labels or with two domains, a number that is no multiple of the number of
    classes, or a class with too few images.
    """
    name, parts = f"few_labels:{rest}", rest.rsplit(":", 2)
    if len(parts) < 3 or not parts[0] or not all(each.isdecimal() for each in parts[1:]):
        raise UserError(f"{name} must be few_labels:SET:NUM:SEED, for example few_labels:mnist:100:0")
    every, num, seed = _labelled(parts[0], load), int(parts[1]), int(parts[2])
    if num < 1 or num % len(every.classes):
        raise UserError(
            f"{name} asks for {num:,} labels, but must for as many of each of the {len(every.classes):,} classes: give "
            f"a multiple of {len(every.classes):,}"
        )
    plain = _plain(every)
    nums = [num // len(every.classes)] * len(every.classes)
    return dataclasses.replace(plain, name=name, splits=_few(plain, nums, seed), others=plain)


def rare_class(rest: str, load: Callable[[str], Collection]) -> Collection:
    """The images of `rare_class:SET:CLASS:NUM:SEED`; `load` knows sets by name.

    UserError for another form, a set without labels or with two domains, a number that is no multiple of ten, a class
    that is not there, or one with too few images.
    """
    name, parts = f"rare_class:{rest}", rest.rsplit(":", 3)
    if len(parts) < 4 or not parts[0] or not all(each.isdecimal() for each in parts[2:]):
        raise UserError(f"{name} must be rare_class:SET:CLASS:NUM:SEED, for example rare_class:mnist:8:100:0")
    every, num, seed = _labelled(parts[0], load), int(parts[2]), int(parts[3])
    if num < 1 or num % RARER:
        raise UserError(f"{name} asks for {num:,} images of a class and a tenth of one: give a multiple of {RARER}")
    rare = class_number(parts[0], parts[1], every.classes)
    nums = [num // RARER if label == rare else num for label in range(len(every.classes))]
    plain = _plain(every)
    return dataclasses.replace(plain, name=name, splits=_few(plain, nums, seed))


def _labelled(name: str, load: Callable[[str], Collection]) -> Collection:
    """The set of that name. UserError without labels or with two images at a time."""
    every = load(name)
    if every.labels is None or every.targets is not None or every.others is not None:
        raise UserError(f"{name} is no set of images with labels, of which few could be kept; choose another one")
    return every


def _plain(every: Collection) -> Collection:
    """Its images and labels alone, with a part that is held out."""
    plain = dataclasses.replace(every, texts=None, embeddings=None)
    if every.splits:
        return plain
    return dataclasses.replace(plain, splits={"train": every.indices("train"), "test": every.indices("test")})


def _few(every: Collection, nums: Sequence[int], seed: int) -> Chosen:
    """So many training images of each class, and all others that there are."""

    def choose(split: str, indices: np.ndarray) -> np.ndarray:
        return _drawn(every, indices, nums, seed) if split == "train" else indices

    return Chosen(every, choose)


def _drawn(every: Collection, indices: np.ndarray, nums: Sequence[int], seed: int) -> np.ndarray:
    """So many of the indices of each class."""
    labels = np.asarray(every.labels[indices])  # pyright: ignore
    found = []
    for number, (called, num) in enumerate(zip(every.classes, nums, strict=True)):
        there = indices[labels == number]
        if len(there) < num:
            raise UserError(f"{every.name} has {len(there):,} training images of {called!r}, fewer than {num:,}")
        generator = np.random.Generator(np.random.Philox(key=[seed, number]))
        found.append(generator.choice(there, num, replace=False))
    return np.sort(np.concatenate(found))
