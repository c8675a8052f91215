"""Attributes of .npz files and of prepared sets: their names and order, when they are read, what is refused."""

import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import attributes
from experiments.data.images import ImageSet
from jaxgen.batches import MultiLabelled
from tests.experiments.pictures_on_disk import npz, write_all

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 1)).astype(np.uint8)
MARKS = np.random.default_rng(1).integers(0, 2, (20, 3))


def test_attributes_of_an_npz_go_with_their_images(tmp_path):
    write_all(tmp_path, {"a.npz": npz(x=IMAGES, attributes=MARKS)})
    for part in ("train", "test"):
        found = data.load(f"npz:{tmp_path}/a.npz", part)
        batch = found.batch(np.arange(len(found)), MultiLabelled)
        assert batch.attributes.dtype == np.uint8 and found.attribute_names == ("0", "1", "2")
        for image, marks in zip(batch.images, batch.attributes, strict=True):
            (place,) = np.flatnonzero((image == IMAGES).all(axis=(1, 2, 3)))
            np.testing.assert_array_equal(marks, MARKS[place])
        assert "3 attributes each" in found.describe() and not any("left out" in note for note in found.notes)


def test_each_part_has_its_own_and_other_attributes_are_other_data(tmp_path):
    parts = {"train": IMAGES[:12], "test": IMAGES[12:], "train_attributes": MARKS[:12], "test_attributes": MARKS[12:]}
    write_all(tmp_path, {"a.npz": npz(**parts), "b.npz": npz(**parts | {"test_attributes": 1 - MARKS[12:]})})
    test = data.load(f"npz:{tmp_path}/a.npz", "test")
    np.testing.assert_array_equal(test.batch(np.arange(8), MultiLabelled).attributes, MARKS[12:])
    one, other = (data.load(f"npz:{tmp_path}/{name}.npz").fingerprint for name in "ab")
    assert one is not None and other is not None and one() != other()


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": IMAGES, "attributes": MARKS[:5]}, r"attributes of shape \(5, 3\); give \(20, attributes\)"),
        ({"x": IMAGES, "attributes": 2 * MARKS}, "1 where an image has one, else 0"),
        ({"train": IMAGES, "test": IMAGES, "train_attributes": MARKS}, "no array test_attributes; give them for all"),
        (
            {"train": IMAGES, "test": IMAGES, "train_attributes": MARKS, "test_attributes": MARKS[:, :2]},
            "3 and 2 attributes in its parts",
        ),
    ],
)
def test_attributes_that_do_not_fit_get_one_sentence(arrays, said, tmp_path):
    write_all(tmp_path, {"a.npz": npz(**arrays)})
    with pytest.raises(UserError, match=said):
        data.load(f"npz:{tmp_path}/a.npz")


def test_a_set_without_attributes_says_so():
    with pytest.raises(UserError, match="needs attributes, but some has none"):
        ImageSet("some", IMAGES).batch([0], MultiLabelled)


def test_attributes_are_read_when_they_are_needed():
    calls = []

    def read():
        calls.append(None)
        return MARKS.astype(np.uint8)

    found = ImageSet("some", IMAGES, attributes=read)
    found.batch([0, 1])
    assert not calls
    np.testing.assert_array_equal(found.batch([3, 0], MultiLabelled).attributes, MARKS[[3, 0]])
    assert calls


class Listed:
    """A feature of a record."""

    def __init__(self, value):
        self.int64_list = self
        self.value = [value]


def test_attributes_of_records_are_columns_in_the_order_of_their_names():
    records = [{"attributes/Bald": Listed(place % 2), "attributes/Young": Listed(place // 2)} for place in range(4)]
    found = attributes.of_records(
        ("Young", "Bald"), lambda places: [records[place] for place in places], np.array([3, 0, 1]), 2
    )
    np.testing.assert_array_equal(found, [[1, 1], [0, 0], [0, 1]])


def test_the_names_of_prepared_attributes_are_sorted():
    tfds = pytest.importorskip("tensorflow_datasets")
    truth = tfds.features.Scalar(np.bool_)
    features = {"attributes": tfds.features.FeaturesDict({"Young": truth, "Bald": truth, "Age": np.int64})}
    assert attributes.names_of(features) == ("Bald", "Young")
    assert attributes.names_of({}) == attributes.names_of({"attributes": tfds.features.Text()}) == ()
