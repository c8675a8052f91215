"""Turned and frontal faces of the same people: their pictures, labels, poses, folds and refusals."""

import itertools

import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data.options import ImageOptions, StorageOptions
from experiments.data.request import public_name
from jaxgen.batches import LabelledPaired
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

OPTIONS = ImageOptions(size=4, channels=1)
PEOPLE, POSES = "abcdefg", ("left", "right", "up")


def name(person, pose, expression):
    return f"{person}/{person}_{pose}_{expression}_open.png"


PICTURES = {
    name(*which): pixels(6, 6, 1, seed=seed)
    for seed, which in enumerate(itertools.product(PEOPLE, (*POSES, "straight"), ("happy", "sad")))
    if which != ("a", "straight", "sad")
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Seven people in four poses; one picture without a straight one, one with another name."""
    files = {name: encoded(picture) for name, picture in PICTURES.items()}
    return write_all(tmp_path_factory.mktemp("faces"), files | {"a/note.png": encoded(pixels(6, 6, 1))})


@pytest.mark.parametrize("storage", [StorageOptions(), StorageOptions(host_bytes=0)])
def test_inputs_are_turned_faces_and_targets_the_straight_ones_of_the_same_person(folder, storage):
    found = data.load(f"frontal:{folder}:0", "all", images=OPTIONS, storage=storage)
    batch = found.batch(np.arange(len(found)), LabelledPaired)
    assert len(found) == 2 * 3 * 7 - 3 and found.classes == tuple(PEOPLE)
    poses = found.attributes() if callable(found.attributes) else found.attributes
    assert found.attribute_names == POSES
    wanted = [
        (name(person, pose, expression), name(person, "straight", expression), PEOPLE.index(person), POSES.index(pose))
        for person, pose, expression in sorted(itertools.product(PEOPLE, POSES, ("happy", "sad")))
        if (person, expression) != ("a", "sad")
    ]
    for inputs, targets, label, pose, (turned, straight, person, which) in zip(*batch, poses, wanted, strict=True):
        assert (label, pose.argmax(), pose.sum()) == (person, which, 1)
        np.testing.assert_array_equal(inputs, PICTURES[turned][1:5, 1:5])
        np.testing.assert_array_equal(targets, PICTURES[straight][1:5, 1:5])
    assert "left out: 3 pictures without a straight face" in found.notes


def test_a_fold_holds_three_people_out_and_each_person_is_held_out_once(folder):
    held = []
    for fold in range(3):
        train, test = (data.load(f"frontal:{folder}:{fold}", split, images=OPTIONS) for split in ("train", "test"))
        seen, new = set(train.labels.tolist()), set(test.labels.tolist())
        assert seen | new == set(range(7)) and not seen & new
        held += sorted(new)
    assert held == list(range(7))


@pytest.mark.parametrize(
    ("fold", "options", "message"),
    [
        ("", OPTIONS, "must be frontal:PATH:FOLD"),
        (":x", OPTIONS, "must be frontal:PATH:FOLD"),
        (":3", OPTIONS, "has 7 people: give a fold from 0 to 2"),
        (":0", ImageOptions(), "needs --images.size"),
        (":0", ImageOptions(size=4, target_factor=2), "neither --images.target-factor"),
        (":0", ImageOptions(size=4, crop="random"), "nor --images.crop random"),
    ],
)
def test_what_makes_no_pairs_gets_one_sentence(folder, fold, options, message):
    with pytest.raises(UserError, match=message):
        data.load(f"frontal:{folder}{fold}", images=options)


def test_a_folder_of_other_names_is_refused(folder, tmp_path):
    write_all(tmp_path, {"a/one.png": encoded(pixels(6, 6, seed=1))})
    with pytest.raises(UserError, match="holds no pairs of turned and straight faces"):
        data.load(f"frontal:{tmp_path}:0", images=OPTIONS)


def test_the_name_of_the_set_does_not_say_where_it_lies():
    assert public_name("frontal:/home/me/faces:0") == "frontal:faces:0"
