from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from jaxgen.batches import Captioned, Column, Labelled, Paired, Unpaired, columns, condition, target
from jaxgen.testing import random_batches


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
