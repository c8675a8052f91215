"""What a person names on the command line, as points of the latent space.

A word is one of
    3, cat            a class of the run's data set: held-out images of it
    test:12,40        held-out images by their number, from 0
    sample:0,5,9      images drawn from the prior, numbered as in the picture of experiments.sample, from 0
    latents:FILE.npz  latents that were found before: what `project` and `inpaint` write beside their picture
    attributes:A,-B   held-out images that have A and not B; of a model without encoder draws that are judged so
    PATH              a picture, or a folder of pictures, of one's own
A class of the data set comes before a file of the same name; ./NAME is always the file.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import files
from experiments.data.images import ImageSet
from experiments.data.request import nearest
from experiments.latents import attributes, own, saved
from experiments.latents.trained import Trained
from experiments.models import abilities, classes

LATENTS = ("sample:", "latents:")
"""How words begin that name latents, not images."""


@dataclass(frozen=True)
class Points:
    """Places in the latent space, one a row."""

    names: tuple[str, ...]
    latents: np.ndarray  # (num, latent)
    labels: np.ndarray | None  # (num,) int32, what a conditional model is told
    originals: np.ndarray | None  # (num, height, width, channels) uint8; None of draws from the prior

    def __len__(self) -> int:
        return len(self.latents)


class Originals(NamedTuple):
    """Images before they are encoded."""

    names: tuple[str, ...]
    pixels: np.ndarray  # (num, height, width, channels) uint8
    labels: np.ndarray | None  # (num,) int32


class Words(NamedTuple):
    """How words are read."""

    run: Trained
    seed: int = 0  # of `sample:`
    label: int | None = None  # what a conditional model is told of every image, None: each image's own class
    invert: bool = False  # exchange dark and light of a person's own pictures


def label_of(run: Trained, name: str | None) -> int | None:
    """The class that `--label` names. UserError if the model is told no class, or there is none of that name."""
    if name is None:
        return None
    if not run.conditional:
        raise UserError(f"--label is {name}, but {run.name} is not told classes; leave it out")
    return classes.number(name, run.classes)


def points(words: Words, names: Sequence[str], of_class: int) -> tuple[Points, list[str]]:
    """The points of all words, at most `of_class` for a class, and lines that say what was done to own pictures."""
    found = [_points(words, name, of_class) for name in names]
    return joined([part for part, _ in found]), [line for _, lines in found for line in lines]


def originals(words: Words, names: Sequence[str], of_class: int) -> tuple[Originals, list[str]]:
    """The images of all words, and the lines. UserError for draws from the prior, which have no original."""
    drawn = [name for name in names if name.startswith(LATENTS)]
    if drawn:
        raise UserError(f"{drawn[0]} draws latent vectors, which have no original; name images")
    return _joined_originals([_originals(words, name, of_class) for name in names])


def pictures(words: Words, names: Sequence[str], of_class: int) -> tuple[Originals, list[str]]:
    """The images of all words, those of latents as the model makes them, and the lines."""

    def one(name: str) -> tuple[Originals, list[str]]:
        if not name.startswith(LATENTS):
            return _originals(words, name, of_class)
        found, lines = _points(words, name, of_class)
        return Originals(found.names, words.run.decode(found.latents, found.labels), found.labels), lines

    return _joined_originals([one(name) for name in names])


def _joined_originals(found: Sequence[tuple[Originals, list[str]]]) -> tuple[Originals, list[str]]:
    parts, lines = zip(*found, strict=True)
    labels = [part.labels for part in parts if part.labels is not None]
    joined_ = Originals(
        tuple(name for part in parts for name in part.names),
        np.concatenate([part.pixels for part in parts]),
        np.concatenate(labels) if len(labels) == len(parts) else None,
    )
    return joined_, [line for some in lines for line in some]


def joined(parts: Sequence[Points]) -> Points:
    """All points in one; originals are kept where all have them."""
    pixels = [part.originals for part in parts if part.originals is not None]
    labels = [part.labels for part in parts if part.labels is not None]
    return Points(
        tuple(name for part in parts for name in part.names),
        np.concatenate([part.latents for part in parts]),
        np.concatenate(labels) if len(labels) == len(parts) else None,
        np.concatenate(pixels) if len(pixels) == len(parts) else None,
    )


def _points(words: Words, name: str, of_class: int) -> tuple[Points, list[str]]:
    if name.startswith("sample:"):
        return _samples(words, _indices(name)), []
    if name.startswith("latents:"):
        return _saved(words, pathlib.Path(name.removeprefix("latents:")).expanduser()), []
    abilities.latent_model(words.run.config)
    if name.startswith(attributes.WORD) and not words.run.encodes:
        labels = _samples(words, np.arange(attributes.DRAWS)).labels
        found, lines = attributes.drawn(words.run, name, words.seed, labels)
        return _samples(words, found[:of_class]), lines
    if not words.run.encodes:
        raise UserError(
            f"{words.run.name} has no encoder, so {name!r} has no place in its latent space; "
            "name draws from the prior, such as sample:0,5,9, or find latents of images by the action project"
        )
    images, lines = _originals(words, name, of_class)
    latents = words.run.encode(images.pixels, images.labels)
    return Points(images.names, latents, images.labels if words.run.conditional else None, images.pixels), lines


def _originals(words: Words, name: str, of_class: int) -> tuple[Originals, list[str]]:
    """The images that a word other than `sample:` names, with the labels that the model is told."""
    path = pathlib.Path(name).expanduser()
    lines = []
    if name.startswith("test:"):
        images = _held_out(words.run.held_out, _indices(name))
    elif name.startswith(attributes.WORD):
        images = _held_out(words.run.held_out, attributes.having(words.run.held_out, name)[:of_class])
    elif (files.is_file(path) or files.is_folder(path)) and name not in words.run.held_out.classes:
        names, pixels, line = own.load(path, words.run.config.image_shape, words.invert, words.run.experiment.images)
        if words.run.conditional and words.label is None:
            raise UserError(f"{words.run.name} is told the class of an image; say with --label what {path} shows")
        images, lines = Originals(names, pixels, None), [line]
    else:
        images = _of_class(words.run.held_out, name, of_class)
    if words.label is not None:
        images = images._replace(labels=np.full(len(images.pixels), words.label, np.int32))
    return images, lines


def _indices(word: str) -> np.ndarray:
    kind, _, numbers = word.partition(":")
    try:
        found = np.array([int(number) for number in numbers.split(",")])
    except ValueError as error:
        raise UserError(f"{word!r} is not understood; give numbers, such as {kind}:0,5,9") from error
    if (found < 0).any() or (found >= 2**31).any():
        raise UserError(f"{word!r} has numbers that are not in [0, 2^31); give others")
    return found


def _samples(words: Words, indices: np.ndarray) -> Points:
    labels = None
    if words.run.conditional:
        labels = indices % words.run.config.num_classes  # as `sample` gives them
        labels = labels if words.label is None else np.full(len(indices), words.label)
    names = tuple(f"sample {index}" for index in indices)
    return Points(names, words.run.draw(indices, words.seed), labels, None)


def _saved(words: Words, path: pathlib.Path) -> Points:
    names, latents, labels = saved.read(path, words.run)
    if words.label is not None:
        labels = np.full(len(latents), words.label)
    return Points(names, latents, labels, None)


def _held_out(image_set: ImageSet, indices: np.ndarray) -> Originals:
    if indices.max() >= len(image_set):
        raise UserError(f"there is no test:{indices.max()}; {image_set.name} has held out 0 to {len(image_set) - 1}")
    labels = None if image_set.labels is None else image_set.labels[indices]
    return Originals(tuple(f"test {index}" for index in indices), np.asarray(image_set.batch(indices)), labels)


def _of_class(image_set: ImageSet, name: str, num: int) -> Originals:
    if name not in image_set.classes or image_set.labels is None:
        there = nearest(name, image_set.classes) if image_set.classes else "there are no classes"
        raise UserError(f"{name!r} is neither a file nor a class of {image_set.name}; {there}")
    indices = np.flatnonzero(image_set.labels == image_set.classes.index(name))[:num]
    if not len(indices):
        raise UserError(f"{image_set.name} has held out no image of class {name}; name another")
    return _held_out(image_set, indices)._replace(names=(name,) * len(indices))
