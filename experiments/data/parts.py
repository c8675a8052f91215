"""One part of a set, cut out of all of it.

What holds for a set is decided once, from all its parts, so that no part is read in a way of its own: the numbers of
its classes, whether its images are grey or RGB, their size, and the range of their values.
"""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import captions, tokens
from experiments.data.collection import UNLABELLED, Collection, Images, NoExamples, Shape, fingerprint
from experiments.data.images import ImageSet, factor_of
from experiments.data.request import Request, official
from experiments.data.rows import Rows, listed, said


class _Column(NamedTuple):
    """Images of a set, and how one part of it is to have them."""

    images: Images
    shape: Shape | None
    request: Request

    def rows(self, name: str, indices: np.ndarray) -> Rows:
        return self.images.rows(name, indices, self.shape, self.request)


def cut(collection: Collection, request: Request) -> ImageSet:
    """The part asked for, as all parts are to be. UserError if there is none or the parts do not fit together."""
    name, notes = collection.name, collection.notes
    first, *second = _columns(collection, request)
    indices = _indices(collection, request.split)
    others, other_labels = None, None
    if collection.others is not None:
        of_others, more = _sound(name, _indices(collection.others, request.split), second)
        others, notes = second[0].rows(collection.others.name, of_others), (*notes, *more)
        if collection.labels is not None and collection.others.labels is collection.labels:
            other_labels = _known(collection.labels[of_others])
        second = []
    indices, more = _sound(name, indices, [first, *second])
    images, *targets = (column.rows(name, indices) for column in (first, *second))
    if targets:
        factor_of(tuple(images.shape[1:]), tuple(targets[0].shape[1:]))
    labels = None if collection.labels is None else _known(collection.labels[indices])
    attributes = collection.attributes
    texts, num_texts, reader = None, None, None
    if collection.embeddings is not None:
        texts, num_texts = collection.embeddings(indices)
    elif (written := collection.texts) is not None:
        reader = tokens.reader(request, lambda: written(collection.indices("train")))
        encode = captions.encoded if reader is None else reader.encoded
        texts, num_texts = encode(written(indices), request.images.caption_length)
        notes = notes if reader is None else (*notes, f"captions are read as {reader.size:,} byte pairs")
    return ImageSet(
        name,
        images,
        labels,
        () if labels is None else collection.classes,
        targets[0] if targets else None,
        others,
        other_labels,
        captions=texts,
        num_captions=num_texts,
        attributes=None if attributes is None else functools.cache(lambda: attributes(indices)),
        attribute_names=collection.attribute_names,
        reader=reader,
        notes=(*notes, *_unread(collection), *more),
        fingerprint=lambda: fingerprint(collection).to_json(),
    )


def _known(labels: np.ndarray) -> np.ndarray | None:
    """The labels; None where an example has none."""
    labels = np.asarray(labels, np.int32)
    return None if (labels == UNLABELLED).any() else labels


def _unread(collection: Collection) -> Iterator[str]:
    """A note on the splits of a set that neither a training nor an evaluation reads."""
    names = tuple(collection.splits)
    unread = [name for name in names if name not in ("train", official("test", names))]
    if unread:
        yield f"left out: the split{'s' if len(unread) > 1 else ''} {', '.join(unread)}, neither train nor test"


def _indices(collection: Collection, split: str) -> np.ndarray:
    indices = collection.indices(split)
    if not len(indices):
        raise NoExamples(f"{collection.name} has too few pictures for a split {split!r}; add some")
    return indices


def _columns(collection: Collection, request: Request) -> list[_Column]:
    """The images, and the targets or those of the second domain if there are."""
    name = collection.name
    if collection.targets is not None:
        both = (collection.images, request.images.of_inputs), (collection.targets, request.images.of_targets)
        return [
            _Column(images, images.shape(name, collection.parts, options), dataclasses.replace(request, images=options))
            for images, options in both
        ]
    shape = collection.images.shape(name, collection.parts, request.images)
    if collection.others is None:
        return [_Column(collection.images, shape, request)]
    second = collection.others
    other = second.images.shape(second.name, second.parts, request.images)
    if shape is not None and other is not None:
        if len(shape) == len(other) == 3 and shape[:2] == other[:2]:
            shape = other = (*shape[:2], max(shape[2], other[2]))
        if shape != other:
            raise UserError(
                f"{name} has images of {said(shape)} and of {said(other)} in its domains; give --images.size"
            )
    return [_Column(collection.images, shape, request), _Column(second.images, other, request)]


def _sound(name: str, indices: np.ndarray, columns: Sequence[_Column]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Without the examples of which a picture cannot be used, where they are to be skipped; and a note of them."""
    if not any(column.request.images.skip_damaged for column in columns):
        return indices, ()
    found = [one for column in columns for one in column.images.damaged(name, indices, column.shape, column.request)]
    places = sorted({one.place for one in found})
    if len(places) == len(indices):
        raise NoExamples(f"{name} has no picture that can be used: {listed([one.why for one in found])}; mend them")
    if not places:
        return indices, ()
    note = f"left out: {len(places):,} of {len(indices):,} that cannot be used: {listed([one.why for one in found])}"
    return np.delete(indices, places), (note,)
