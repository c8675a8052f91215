"""Pairs of pictures and their reductions, cut into tiles."""

import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import bicubic, card
from experiments.data.options import ImageOptions, StorageOptions
from jaxgen.batches import Paired
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

SIZES = [(20, 32), (16, 16), (33, 18), (15, 40)]
OPTIONS = ImageOptions(size=4, target_factor=4)


def folder_of(path, sizes=SIZES):
    made = {f"{index:02}.png": encoded(pixels(*size, 3, index)) for index, size in enumerate(sizes)}
    write_all(path, made)
    return path


def load(name, split="all", **options):
    return data.load(f"super_resolution:{name}", split, images=ImageOptions(size=4, target_factor=4, **options))


@pytest.mark.parametrize("host_bytes", [0, 2**30])
def test_tiles_cover_pictures_and_are_cut_from_whole_reductions(tmp_path, host_bytes):
    """5x8 in four tiles, the last row of them flush with the end, 4x4 in one, 8x4 in two; 3x10 is too small."""
    storage = StorageOptions(host_bytes=host_bytes)
    found = data.load(f"super_resolution:{folder_of(tmp_path)}", "all", images=OPTIONS, storage=storage)
    inputs, targets = found.batch(np.arange(len(found)), Paired)
    assert inputs.shape == (7, 4, 4, 3) and targets.shape == (7, 16, 16, 3)
    places = [(0, 0, 0), (0, 0, 4), (0, 1, 0), (0, 1, 4), (1, 0, 0), (2, 0, 0), (2, 4, 0)]
    wanted = []
    for picture, top, left in places:
        large = pixels(*SIZES[picture], 3, picture)
        small = bicubic.reduce(large, 4)[top : top + 4, left : left + 4]
        wanted.append((small, large[4 * top : 4 * top + 16, 4 * left : 4 * left + 16]))
    order = [next(place for place, target in enumerate(targets) if (target == large).all()) for _, large in wanted]
    assert sorted(order) == list(range(7))
    np.testing.assert_array_equal(inputs[order], [small for small, _ in wanted])
    assert found.notes[-2:] == ("tiles of 3 pictures", "left out: 1 picture too small for a tile")


def test_a_picture_is_either_trained_on_or_held_out(tmp_path):
    name = folder_of(tmp_path, [(16, 32)] * 20)
    train, test = (
        load(name, split).batch(np.arange(len(load(name, split))), Paired).targets for split in ("train", "test")
    )
    assert len(train) == 2 * 18 and len(test) == 2 * 2
    assert not any((one == other).all() for one in train for other in test)


def test_tiles_of_several_sets_lie_in_one(tmp_path):
    one, other = folder_of(tmp_path / "a", [(16, 16)] * 3), folder_of(tmp_path / "b", [(16, 48)])
    both = load(f"{one},{other}")
    assert len(both) == 3 + 3
    assert len(load(one)) == 3 and both.fingerprint() != load(one).fingerprint()


def test_windows_of_a_tile_and_its_target_are_at_the_same_place(tmp_path):
    """Tiles are an eighth larger than the windows, one pixel at least."""
    found = load(folder_of(tmp_path, [(20, 20)] * 2), crop="random", flip=True)
    assert found.image_shape == (4, 4, 3) and found.shape_of("targets") == (16, 16, 3)
    assert found.images.shape[1:] == (5, 5, 3) and found.targets.shape[1:] == (20, 20, 3)
    said = card.card(found, ImageOptions(size=4, target_factor=4, crop="random", flip=True))[2]
    assert said.startswith(
        "pictures are reduced 4 times by bicubic interpolation, cut into tiles of 5x5, cut to a window"
    )


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("a", ImageOptions(size=4), "needs --images.size, the side of the inputs, and --images.target-factor"),
        ("a", ImageOptions(target_factor=4), "needs --images.size"),
        ("a", ImageOptions(size=10, target_factor=4), "has no picture of 40x40 pixels or more"),
        ("", OPTIONS, "names no pictures"),
        ("a,", OPTIONS, "names no pictures"),
        ("digits", OPTIONS, "digits is no set of pictures alone"),
        (
            "./b",
            OPTIONS,
            "there is no folder b in .*; give --data super_resolution:PATH with the path of your pictures",
        ),
        ("a,/none/b", OPTIONS, "there is no folder /none/b; give --data super_resolution:PATH"),
    ],
)
def test_what_gives_no_pairs_is_one_sentence(tmp_path, monkeypatch, name, options, said):
    folder_of(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        data.load(f"super_resolution:{name}", "all", images=options)
