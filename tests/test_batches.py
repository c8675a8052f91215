import numpy as np
import pytest

from jaxgen.batches import (
    IMAGES,
    Captioned,
    Column,
    Coupled,
    Domains,
    Labelled,
    LabelledPaired,
    LabelledUnpaired,
    MultiLabelled,
    Paired,
    PartlyLabelled,
    Unpaired,
    columns,
    condition,
    target,
)

IMAGE, OTHER, WORDS = np.zeros((2, 4, 4, 1)), np.ones((2, 4, 4, 1)), np.array([1, 0])


@pytest.mark.parametrize(
    ("batch", "given", "compared"),
    [
        (IMAGE, None, IMAGE),
        (Labelled(IMAGE, WORDS), WORDS, IMAGE),
        (Paired(IMAGE, OTHER), IMAGE, OTHER),
        (LabelledPaired(IMAGE, OTHER, WORDS), IMAGE, OTHER),
        (Unpaired(IMAGE, OTHER), IMAGE, None),
        (Coupled(IMAGE, OTHER), None, IMAGE),
        (LabelledUnpaired(IMAGE, WORDS, OTHER), IMAGE, None),
        (PartlyLabelled(OTHER, WORDS, IMAGE), None, IMAGE),
        (MultiLabelled(IMAGE, WORDS), IMAGE, None),
        (Captioned(IMAGE, WORDS), WORDS, IMAGE),
    ],
    ids=[
        "images",
        "labelled",
        "paired",
        "labelled and paired",
        "unpaired",
        "coupled",
        "labelled and unpaired",
        "partly labelled",
        "of several labels",
        "captioned",
    ],
)
def test_a_batch_says_what_a_model_is_given_and_what_its_samples_are_compared_with(batch, given, compared):
    assert condition(batch) is given and target(batch) is compared


def test_of_domains_a_model_is_given_the_whole_batch():
    batch = Domains(IMAGE, WORDS)
    assert condition(batch) is batch and target(batch) is None and columns(Domains) == columns(Labelled)


@pytest.mark.parametrize(
    "kind",
    [Labelled, Paired, LabelledPaired, Unpaired, Coupled, LabelledUnpaired, PartlyLabelled, MultiLabelled, Captioned],
)
def test_every_kind_says_where_each_of_its_fields_comes_from(kind):
    assert len(columns(kind)) == len(kind._fields)
    assert kind.CONDITION in (None, *kind._fields) and kind.TARGET in (None, *kind._fields)
    assert columns(kind)[0].rows == "same"


def test_other_fields_have_the_first_ones_rows_unless_they_are_drawn_or_one_of_several():
    rows = {kind: columns(kind)[-1].rows for kind in (Labelled, Paired, Unpaired, Captioned)}
    assert rows == {Labelled: "same", Paired: "same", Unpaired: "other", Captioned: "one_of"}


def test_images_alone_are_one_column():
    assert columns(None) == IMAGES == (Column("images"),)


def test_pictures_are_told_from_labels_and_captions():
    pixels = {name: Column(name).pixels for name in ("images", "targets", "others", "labels", "captions", "attributes")}
    assert pixels == {
        "images": True,
        "targets": True,
        "others": True,
        "labels": False,
        "captions": False,
        "attributes": False,
    }
