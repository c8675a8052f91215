from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from jaxgen.batches import IMAGES, Captioned, Column, Labelled, Paired, Unpaired, columns, condition, target
from jaxgen.testing import random_batches

IMAGE, OTHER, WORDS = np.zeros((2, 4, 4, 1)), np.ones((2, 4, 4, 1)), np.array([1, 0])


@pytest.mark.parametrize(
    ("batch", "given", "compared"),
    [
        (IMAGE, None, IMAGE),
        (Labelled(IMAGE, WORDS), WORDS, IMAGE),
        (Paired(IMAGE, OTHER), IMAGE, OTHER),
        (Unpaired(IMAGE, OTHER), IMAGE, None),
        (Captioned(IMAGE, WORDS), WORDS, IMAGE),
    ],
    ids=["images", "labelled", "paired", "unpaired", "captioned"],
)
def test_a_batch_says_what_a_model_is_given_and_what_its_samples_are_compared_with(batch, given, compared):
    assert condition(batch) is given and target(batch) is compared


@pytest.mark.parametrize("kind", [Labelled, Paired, Unpaired, Captioned])
def test_every_kind_says_where_each_of_its_fields_comes_from(kind):
    assert len(columns(kind)) == len(kind._fields)
    assert kind.CONDITION in kind._fields and kind.TARGET in (None, *kind._fields)
    assert columns(kind)[0].rows == "same"


def test_images_alone_are_one_column():
    assert columns(None) == IMAGES == (Column("images"),)


def test_pictures_are_told_from_labels_and_captions():
    pixels = {name: Column(name).pixels for name in ("images", "targets", "others", "labels", "captions")}
    assert pixels == {"images": True, "targets": True, "others": True, "labels": False, "captions": False}


@dataclass(frozen=True)
class Config:
    batch_type: Any
    image_shape: tuple[int, ...] = (4, 4, 1)
    value_range: Any = (0.0, 1.0)
    num_classes: int = 3
    caption_length: int = 5


class LabelledPairs(NamedTuple):
    """A kind of batch that only this file knows."""

    inputs: Any
    targets: Any
    labels: Any

    COLUMNS = (Column("images"), Column("targets"), Column("labels"))
    CONDITION, TARGET = "labels", "targets"


@pytest.mark.parametrize("kind", [None, Labelled, Paired, Unpaired, Captioned, LabelledPairs])
def test_random_batches_have_the_fields_of_the_kind_each_of_its_type(kind):
    """Of a new kind, too, for which no other place has a word."""
    batches = random_batches(Config(kind), 2, 6)
    assert len(batches) == 2
    for batch in batches:
        fields = batch if isinstance(batch, tuple) else (batch,)
        for column, field in zip(columns(kind), fields, strict=True):
            if column.pixels:
                assert field.shape == (6, 4, 4, 1) and field.dtype == np.uint8
            elif column.name == "labels":
                assert field.shape == (6,) and field.dtype == np.int32 and 0 <= field.min() <= field.max() < 3
            else:
                assert field.shape == (6, 5) and field.dtype == np.uint8 and field.min() >= 32
    assert type(batches[0]) is (np.ndarray if kind is None else kind)
    first = [np.asarray(batch if kind is None else batch[0]) for batch in batches]
    assert (first[0] != first[1]).any()


def test_a_new_kind_says_its_condition_and_target_in_its_own_lines():
    batch = random_batches(Config(LabelledPairs), 1, 6)[0]
    assert condition(batch) is batch.labels and target(batch) is batch.targets


@dataclass(frozen=True)
class Larger(Config):
    input_shape: tuple[int, ...] = (2, 2, 1)


def test_inputs_of_pairs_may_have_a_size_of_their_own_and_unbounded_data_are_floats():
    batch = random_batches(Larger(Paired, value_range=None), 1, 6)[0]
    assert batch.inputs.shape == (6, 2, 2, 1) and batch.targets.shape == (6, 4, 4, 1)
    assert batch.inputs.dtype == np.float32
