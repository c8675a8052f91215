"""Whole images and the same made smaller: their pixels, labels, splits and refusals."""

import dataclasses

import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import bicubic
from experiments.data.options import ImageOptions, StorageOptions
from experiments.data.request import public_name
from jaxgen.batches import LabelledPaired
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

OPTIONS = ImageOptions(size=6, target_factor=2, channels=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two people, each with pictures of two sizes."""
    found = tmp_path_factory.mktemp("faces")
    pictures = {
        f"{person}/{number}.png": encoded(pixels(20 + number, 16, seed=number))
        for person in "ab"
        for number in range(6)
    }
    write_all(found, pictures)
    return found


@pytest.mark.parametrize("storage", [StorageOptions(), StorageOptions(host_bytes=0)])
@pytest.mark.parametrize("split", ["train", "test"])
def test_targets_are_the_images_of_the_set_and_inputs_their_reductions(folder, split, storage):
    found = data.load(f"smaller:folder:{folder}", split, images=OPTIONS, storage=storage)
    every = data.load(f"folder:{folder}", split, images=dataclasses.replace(OPTIONS, size=12, target_factor=1))
    batch = found.batch(np.arange(len(found)), LabelledPaired)
    np.testing.assert_array_equal(batch.targets, every.batch(np.arange(len(every))))
    np.testing.assert_array_equal(batch.labels, every.labels)
    for small, large in zip(batch.inputs, batch.targets, strict=True):
        np.testing.assert_array_equal(small, bicubic.reduce(large, 2))
    assert found.image_shape == (6, 6, 1) and found.shape_of("targets") == (12, 12, 1) and found.classes == ("a", "b")


def test_both_are_mirrored_together(folder):
    from experiments.data.order import Position, choose

    found = data.load(f"smaller:folder:{folder}", images=dataclasses.replace(OPTIONS, flip=True))
    batch = found.take(choose(0, Position(0, 0, 10), len(found)), LabelledPaired)
    mirrored = 0
    for small, large in zip(batch.inputs, batch.targets, strict=True):
        plain = bicubic.reduce(large, 2)
        turned = bicubic.reduce(large[:, ::-1], 2)[:, ::-1]
        assert np.array_equal(small, plain) or np.array_equal(small, turned)
        mirrored += not any(
            np.array_equal(large, one) for one in found.batch(np.arange(len(found)), LabelledPaired).targets
        )
    assert 0 < mirrored < 10


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("digits", ImageOptions(), "needs --images.size, the side of the small images, and --images.target-factor"),
        ("digits", ImageOptions(size=4), "needs --images.size"),
        ("digits", ImageOptions(size=4, target_factor=2, crop="random"), "leave --images.crop random out"),
        ("unpaired:digits,digits", ImageOptions(size=4, target_factor=2), "has two images at a time already"),
    ],
)
def test_what_cannot_be_made_smaller_gets_one_sentence(name, options, message):
    with pytest.raises(UserError, match=message):
        data.load(f"smaller:{name}", images=options)


def test_its_public_name_has_no_folders():
    assert public_name("smaller:folder:/home/me/faces") == "smaller:folder:faces"
