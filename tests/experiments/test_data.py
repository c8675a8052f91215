import pathlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import data
from experiments.data.images import ImageSet
from experiments.data.order import batch_indices
from experiments.experiment import UserError

PREPARED = pathlib.Path(__file__).parents[3] / "shared" / "data" / "tfds"


def test_digits_are_1797_real_scans_in_two_parts_that_share_none():
    train, test, every = (data.load("digits", split) for split in ("train", "test", "all"))
    assert (len(train), len(test), len(every)) == (1500, 297, 1797)
    assert train.image_shape == (8, 8, 1)
    assert train.images.dtype == np.uint8
    assert (every.images.min(), every.images.max()) == (0, 255)
    assert sorted(np.bincount(every.labels))[0] == 174  # the rarest digit of the UCI test set, the eight
    parts = np.concatenate([test.images, train.images])
    np.testing.assert_array_equal(parts, every.images)
    assert "1,500 images of 8x8x1, 10 classes of" in train.describe()


@given(num=st.integers(1, 50), size=st.integers(1, 120), seed=st.integers(0, 2**32 - 1), step=st.integers(0, 10_000))
def test_a_batch_is_a_function_of_seed_and_step(num, size, seed, step):
    indices = batch_indices(seed, step, num, size)
    assert indices.shape == (size,)
    assert ((indices >= 0) & (indices < num)).all()
    np.testing.assert_array_equal(indices, batch_indices(seed, step, num, size))


@given(num=st.integers(1, 40), size=st.integers(1, 60))
def test_every_example_comes_once_an_epoch_whatever_the_batch_size(num, size):
    stream = np.concatenate([batch_indices(0, step, num, size) for step in range(-(-3 * num // size))])
    for epoch in range(3):
        assert sorted(stream[epoch * num : (epoch + 1) * num]) == list(range(num))


def test_epochs_and_seeds_differ_in_order():
    orders = [tuple(batch_indices(seed, step, 50, 50)) for seed in (0, 1) for step in (0, 1)]
    assert len(set(orders)) == 4


def test_any_step_can_be_asked_for_at_once():
    assert batch_indices(0, 10**9, 60_000, 64).shape == (64,)


def test_a_set_without_labels_describes_itself():
    assert ImageSet("mine", np.zeros((3, 2, 4, 1), np.uint8)).describe() == "mine: 3 images of 2x4x1"


@pytest.mark.parametrize(
    ("name", "split", "message"),
    [
        ("digits", "validation", "digits has no split 'validation'; there are: train, test, all"),
        ("", "train", "--data is empty"),
        ("minst", "train", "no data set 'minst' is prepared in .*; point --data-dir"),
        ("../secret", "train", "no data set"),
        ("/etc", "train", "no data set"),
    ],
)
def test_unknown_data_get_one_sentence(name, split, message, tmp_path):
    with pytest.raises(UserError, match=message):
        data.load(name, split, tmp_path)


@pytest.mark.skipif(not PREPARED.exists(), reason="no prepared data sets lie beside the project")
class TestPrepared:
    @pytest.mark.parametrize(
        ("name", "split", "num", "shape", "classes"),
        [("mnist", "test", 10_000, (28, 28, 1), 10), ("cifar100", "test", 100, (32, 32, 3), 100)],
    )
    def test_sets_of_tensorflow_datasets_load_without_tensorflow(self, name, split, num, shape, classes):
        image_set = data.load(name, split, PREPARED)
        assert image_set.images.shape == (num, *shape)
        assert len(image_set.classes) == classes

    def test_mnist_has_the_label_counts_of_the_official_files(self):
        labels = data.load("mnist", "test", PREPARED).labels
        assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]

    @pytest.mark.parametrize(
        ("name", "split", "message"),
        [
            ("mnist", "validation", "mnist has no split 'validation'; there are: test, train|train, test"),
            ("flickr8k_subset", "train", "mixes image sizes"),
            ("nothing", "train", r"there are: .*mnist"),
        ],
    )
    def test_what_cannot_be_used_gets_one_sentence(self, name, split, message):
        with pytest.raises(UserError, match=message):
            data.load(name, split, PREPARED)

    def test_the_environment_can_name_the_folder(self, monkeypatch):
        monkeypatch.setenv("TFDS_DATA_DIR", str(PREPARED))
        assert len(data.load("cifar100", "test")) == 100
