"""Turned faces and the frontal faces of the same people: `frontal:PATH:FOLD`, of pictures named as CMU Face Images are.

A picture is called PERSON_POSE_EXPRESSION_EYES, in any folder below PATH. One whose pose is left, right or up is an
input; its target is that of pose straight with the same person, expression and eyes, without which it is left out.
Inputs are labelled with the person; their attributes are the poses.

People are in order of name. Fold FOLD holds out three of them, 3 FOLD and the two after it, and trains on all others:
18 people make six folds. Of each picture the middle is taken, two thirds of its sides, where the heads are.
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import files
from experiments.data.collection import Collection, Images, Parts, Shape
from experiments.data.fingerprints import Identity
from experiments.data.left_out import counted
from experiments.data.options import ImageOptions
from experiments.data.request import Request
from experiments.data.rows import Damaged, Rows, Source, rows_of

POSES, STRAIGHT = ("left", "right", "up"), "straight"
"""Poses of inputs, and that of targets."""

LEFT_OUT = 3
"""People whom a fold holds out."""


class Name(NamedTuple):
    """What the name of a picture says."""

    person: str
    pose: str
    expression: str
    eyes: str


@dataclass(frozen=True)
class Middle:
    """The middle of images, two thirds of their sides."""

    whole: Images

    def __len__(self) -> int:
        return len(self.whole)

    def shape(self, name: str, parts: Parts, options: ImageOptions) -> Shape | None:
        """As the options have it, with the channels of the whole images."""
        found = self.whole.shape(name, parts, _of_whole(options))
        return None if found is None or options.stored_shape is None else (*options.stored_shape, found[2])

    def rows(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> Rows:
        """The middles of the images at `indices`."""
        height, width, channels = shape or (0, 0, 0)
        larger = _of_whole(request.images)
        sides = larger.stored_shape or (0, 0)
        top, left = ((side - cut) // 2 for side, cut in zip(sides, (height, width), strict=True))
        whole = self.whole.rows(name, indices, (*sides, channels), replace(request, images=larger))

        def read(places: Sequence[int]) -> list[Any]:
            return list(np.asarray(whole[np.asarray(places, np.int64)]))

        def middle(image: np.ndarray) -> np.ndarray:
            return image[top : top + height, left : left + width]

        return rows_of(Source(name, len(indices), read, middle, str), request.storage, shape)

    def identity(self) -> Identity:
        """That of the whole images."""
        return self.whole.identity()

    def damaged(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> list[Damaged]:
        """Those of the whole images that cannot be used."""
        larger = _of_whole(request.images)
        of_whole = None if shape is None or larger.stored_shape is None else (*larger.stored_shape, shape[2])
        return self.whole.damaged(name, indices, of_whole, replace(request, images=larger))


def _of_whole(options: ImageOptions) -> ImageOptions:
    """The options with half as much again of the size."""
    if options.shape is None:
        return options
    height, width = (side + side // 2 for side in options.shape)
    return replace(options, size=(height, width))


def collection(rest: str, request: Request) -> Collection:
    """Pairs of `frontal:PATH:FOLD`.

    UserError for another form, options that do not fit, a folder without such pictures, or a fold that is not there.
    """
    path, _, fold = rest.rpartition(":")
    name = f"frontal:{rest}"
    if not path or not fold.isdecimal():
        raise UserError(f"{name} must be frontal:PATH:FOLD, for example frontal:faces:0 for the first fold")
    if request.images.shape is None or request.images.target_factor > 1 or request.images.crop == "random":
        raise UserError(f"{name} needs --images.size, and neither --images.target-factor nor --images.crop random")
    folder = files.folder_of(path, "frontal")
    found = {named: each for each in files.walk(folder) if (named := named_of(each)) is not None}
    pairs = [(each, straight) for each in sorted(found) if (straight := each._replace(pose=STRAIGHT)) in found]
    pairs = [(each, straight) for each, straight in pairs if each.pose in POSES]
    if not pairs:
        raise UserError(f"{folder} holds no pairs of turned and straight faces: name them PERSON_left_happy_open.png")
    people = sorted({each.person for each, _ in pairs})
    labels = np.array([people.index(each.person) for each, _ in pairs], np.int32)
    poses = np.array([[each.pose == pose for pose in POSES] for each, _ in pairs], np.uint8)
    images, targets = (files.pictures(folder, [found[pair[side]] for pair in pairs]) for side in range(2))
    alone = sum(each.pose in POSES for each in found) - len(pairs)
    return Collection(
        name,
        Middle(images),
        _fold(name, int(fold), labels, len(people)),
        labels,
        tuple(people),
        targets=Middle(targets),
        attributes=lambda indices: poses[indices],
        attribute_names=POSES,
        notes=(f"left out: {counted(alone)} without a straight face",) if alone else (),
    )


def named_of(path: pathlib.Path) -> Name | None:
    """What the name of a picture says; None where it says something else.

    >>> named_of(pathlib.Path("faces/an2i/an2i_left_happy_open.png"))
    Name(person='an2i', pose='left', expression='happy', eyes='open')
    """
    parts = path.stem.split("_")
    return Name(*parts) if len(parts) == len(Name._fields) and parts[1] in (*POSES, STRAIGHT) else None


def _fold(name: str, fold: int, labels: np.ndarray, num_people: int) -> dict[str, np.ndarray]:
    held = np.isin(labels, np.arange(LEFT_OUT * fold, LEFT_OUT * (fold + 1)))
    if not held.any() or held.all():
        last = (num_people - 1) // LEFT_OUT
        raise UserError(
            f"{name} has {num_people} people: give a fold from 0 to {last}, which leaves others to train on"
        )
    return {"train": np.flatnonzero(~held), "test": np.flatnonzero(held)}
