"""A few images with their labels, and all without: which are drawn, and what batches and evaluations see."""

import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data.request import public_name
from experiments.evaluation import sets
from jaxgen.batches import PartlyLabelled
from jaxgen.gans import improved_gan

NAME = "few_labels:digits:50:3"


def test_the_labelled_images_are_as_many_of_each_class_and_of_the_training_images():
    few, every = data.load(NAME), data.load("digits")
    assert few.name == NAME and few.classes == every.classes
    np.testing.assert_array_equal(np.bincount(few.labels), np.full(10, 5))
    pixels = {image.tobytes(): label for image, label in zip(every.images, every.labels, strict=True)}
    assert all(pixels[image.tobytes()] == label for image, label in zip(few.images, few.labels, strict=True))
    np.testing.assert_array_equal(few.others, every.images)
    assert len({image.tobytes() for image in few.images}) == 50


def test_the_draw_is_a_function_of_its_seed():
    first, again, other = (data.load(f"few_labels:digits:50:{seed}") for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.images, again.images)
    assert (np.asarray(first.images) != np.asarray(other.images)).any()


def test_what_is_held_out_is_that_of_the_set():
    test, every = data.load(NAME, "test"), data.load("digits", "test")
    for images in (test.images, test.others):
        np.testing.assert_array_equal(images, every.images)
    np.testing.assert_array_equal(test.labels, every.labels)


def test_batches_hold_no_labels_of_the_second_domain():
    few = data.load(NAME)
    batch = few.batch(np.arange(4), PartlyLabelled)
    np.testing.assert_array_equal(batch.labels, few.labels[:4])
    np.testing.assert_array_equal(batch.images, few.others[:4])
    assert batch._fields == ("labelled", "labels", "images")


def test_samples_are_compared_with_all_images_and_judged_by_their_labels():
    few, every = sets.compared(improved_gan.Config(), data.load(NAME)), data.load("digits")
    np.testing.assert_array_equal(few.images, every.images)
    np.testing.assert_array_equal(few.labels, every.labels)
    assert few.classes == every.classes and few.others is None


def test_the_fingerprint_is_of_the_whole_set_and_of_the_draw():
    one, other = (data.load(f"few_labels:digits:{num}:0").fingerprint() for num in (50, 100))
    assert one["others"] == other["others"] == data.load("digits").fingerprint()
    assert one != other
    assert public_name("few_labels:folder:/home/me/photos:50:0") == "few_labels:folder:photos:50:0"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("few_labels:digits", "must be few_labels:SET:NUM:SEED, for example few_labels:mnist:100:0"),
        ("few_labels:digits:ten:0", "must be few_labels:SET:NUM:SEED"),
        ("few_labels::10:0", "must be few_labels:SET:NUM:SEED"),
        ("few_labels:digits:15:0", "asks for 15 labels, .* each of the 10 classes: give a multiple of 10"),
        ("few_labels:digits:0:0", "asks for 0 labels"),
        ("few_labels:digits:5000:0", "digits has .* training images of '.*', fewer than 500"),
        ("few_labels:unpaired:digits,digits:10:0", "is no set of images with labels, of which few could be kept"),
    ],
)
def test_what_cannot_be_drawn_gets_one_sentence(name, message):
    with pytest.raises(UserError, match=message):
        data.load(name)


def test_a_rare_class_has_a_tenth_of_the_images_of_each_other():
    rare, every = data.load("rare_class:digits:8:50:3"), data.load("digits")
    np.testing.assert_array_equal(np.bincount(rare.labels), [50] * 8 + [5, 50])
    few = data.load("few_labels:digits:500:3")
    of_others = [rare.images[rare.labels == 3], few.images[few.labels == 3]]
    np.testing.assert_array_equal(*of_others)
    assert rare.others is None and rare.classes == every.classes
    test = data.load("rare_class:digits:8:50:3", "test")
    np.testing.assert_array_equal(test.labels, data.load("digits", "test").labels)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rare_class:digits:50:0", "must be rare_class:SET:CLASS:NUM:SEED, for example rare_class:mnist:8:100:0"),
        ("rare_class:digits:8:15:0", "asks for 15 images of a class and a tenth of one: give a multiple of 10"),
        ("rare_class:digits:cat:50:0", "digits has no class 'cat'"),
    ],
)
def test_what_cannot_be_made_rare_gets_one_sentence(name, message):
    with pytest.raises(UserError, match=message):
        data.load(name)
