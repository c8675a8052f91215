"""One part of a set, cut out of all of it.

What holds for a set is decided once, from all its parts, so that no part is read in a way of its own: the numbers of
its classes, whether its images are grey or RGB, their size, and the range of their values.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import captions
from experiments.data.collection import UNLABELLED, Collection, NoExamples, Shape, fingerprint
from experiments.data.images import ImageSet, factor_of
from experiments.data.request import Request, official
from experiments.data.rows import Rows, said


def cut(collection: Collection, request: Request) -> ImageSet:
    """The part asked for, as all parts are to be. UserError if there is none or the parts do not fit together."""
    name, indices = collection.name, collection.indices(request.split)
    if not len(indices):
        raise NoExamples(f"{name} has too few pictures for a split {request.split!r}; add some")
    shape = collection.images.shape(name, collection.parts, request.images)
    others = None
    if collection.others is not None:
        shape, others = _domains(collection, shape, request)
    images = collection.images.rows(name, indices, shape, request)
    targets = None
    if collection.targets is not None:
        of_targets = dataclasses.replace(request, images=request.images.of_targets)
        target_shape = collection.targets.shape(name, collection.parts, of_targets.images)
        targets = collection.targets.rows(name, indices, target_shape, of_targets)
        factor_of(tuple(images.shape[1:]), tuple(targets.shape[1:]))
    labels = None if collection.labels is None else np.asarray(collection.labels[indices], np.int32)
    if labels is not None and (labels == UNLABELLED).any():
        labels = None
    texts, num_texts = None, None
    if collection.texts is not None:
        texts, num_texts = captions.encoded(collection.texts(indices), request.images.caption_length)
    return ImageSet(
        name,
        images,
        labels,
        () if labels is None else collection.classes,
        targets,
        others,
        captions=texts,
        num_captions=num_texts,
        notes=(*collection.notes, *_unread(collection)),
        fingerprint=lambda: fingerprint(collection).to_json(),
    )


def _unread(collection: Collection) -> Iterator[str]:
    """A note on the splits of a set that neither a training nor an evaluation reads."""
    names = tuple(collection.splits)
    unread = [name for name in names if name not in ("train", official("test", names))]
    if unread:
        yield f"left out: the split{'s' if len(unread) > 1 else ''} {', '.join(unread)}, neither train nor test"


def _domains(collection: Collection, shape: Shape | None, request: Request) -> tuple[Shape | None, Rows]:
    """The shape of the images of both domains, and those of the second."""
    second: Any = collection.others
    other = second.images.shape(second.name, second.parts, request.images)
    if shape is not None and other is not None:
        if len(shape) == len(other) == 3 and shape[:2] == other[:2]:
            shape = other = (*shape[:2], max(shape[2], other[2]))
        if shape != other:
            raise UserError(
                f"{collection.name} has images of {said(shape)} and of {said(other)} in its domains; give --images.size"
            )
    return shape, second.images.rows(second.name, second.indices(request.split), other, request)
