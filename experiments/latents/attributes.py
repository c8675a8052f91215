"""Images named by their attributes: `attributes:Smiling,-Male` are those that smile and are not male.

Of held-out images the data say which have them. Draws from the prior are judged by classifiers, one for each attribute,
fitted to the training images; how often each is right on held-out ones is said.
"""

import dataclasses

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.images import ImageSet
from experiments.data.request import nearest
from experiments.latents.trained import Trained
from jaxgen.batches import MultiLabelled

WORD = "attributes:"

DRAWS = 2_000
"""Draws from the prior that are judged: the first ones of the seed."""


def having(image_set: ImageSet, word: str) -> np.ndarray:
    """The numbers of the images that a word names. UserError where there are none."""
    asked, names = _wanted(word, image_set), image_set.attribute_names
    marks, there = _marks(image_set), np.ones(len(image_set), bool)
    for name, wanted in asked.items():
        there &= (marks[:, names.index(name)] > 0) == wanted
    if not there.any():
        raise UserError(f"{image_set.name} has held out no image of {word!r}; name fewer attributes")
    return np.flatnonzero(there)


def drawn(run: Trained, word: str, seed: int, labels: np.ndarray | None) -> tuple[np.ndarray, list[str]]:
    """The numbers of draws from the prior that classifiers take for what a word names, and lines that say so.

    Args:
        run: whose draws are judged.
        word: attributes.
        seed: of the draws.
        labels: of draws 0 to 1,999, for a conditional model.
    """
    from experiments import data
    from experiments.evaluation import classifier

    train, test = data.load_for(run.experiment), run.held_out
    pixels = run.decode(run.draw(np.arange(DRAWS), seed), labels)
    there, lines = np.ones(DRAWS, bool), []
    for name, wanted in _wanted(word, train).items():
        known, unseen = (_of_one(each, name) for each in (train, test))
        judge = classifier.obtain(known, unseen, run.experiment.images)
        there &= (np.asarray(judge.outputs(pixels).logits).argmax(axis=1) == 1) == wanted
        share = np.asarray(unseen.labels).mean()
        lines.append(f"{name}: {judge.describe()}, {share:.1%} of them with it")
    if not there.any():
        raise UserError(f"of {DRAWS:,} draws of {run.name} none is judged to be {word!r}; name fewer attributes")
    lines.append(f"{there.sum():,} of {DRAWS:,} draws are judged to be {word!r}")
    return np.flatnonzero(there), lines


def _wanted(word: str, image_set: ImageSet) -> dict[str, bool]:
    """Each attribute, and whether images are to have it. UserError for one that the data do not know."""
    if not image_set.attribute_names:
        raise UserError(f"{image_set.name} has no attributes; name classes, draws or files")
    names = [name.strip() for name in word.removeprefix(WORD).split(",")]
    found = {name.removeprefix("-"): not name.startswith("-") for name in names}
    for name in found:
        if name not in image_set.attribute_names:
            raise UserError(f"{name!r} is no attribute of {image_set.name}; {nearest(name, image_set.attribute_names)}")
    return found


def _marks(image_set: ImageSet) -> np.ndarray:
    """(num, attributes): 1 where an image has one."""
    return np.asarray(image_set.columns(MultiLabelled)["attributes"])


def _of_one(image_set: ImageSet, name: str) -> ImageSet:
    """The images, labelled by whether they have an attribute."""
    labels = (_marks(image_set)[:, image_set.attribute_names.index(name)] > 0).astype(np.int32)
    return dataclasses.replace(image_set, name=f"{image_set.name} {name}", labels=labels, classes=(f"no {name}", name))
