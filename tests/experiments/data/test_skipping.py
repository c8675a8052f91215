"""Damaged pictures that are left out, with what belongs to them, named and counted."""

import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data.captions import decoded
from experiments.data.options import ImageOptions, StorageOptions
from tests.experiments.pictures_on_disk import animation, encoded, npy, pixels, write_all

SKIP = ImageOptions(skip_damaged=True)
GOOD = [encoded(pixels(seed=seed)) for seed in range(5)]


def loaded(name, folder, files, split="all", **options):
    write_all(folder, files)
    return data.load(f"{name}:{folder}", split, images=SKIP, **options)


@pytest.mark.parametrize("host_bytes", [2**30, 0])
def test_what_belongs_to_a_picture_goes_with_it(host_bytes, tmp_path):
    files = {"x/1.png": GOOD[0], "x/2.png": b"", "x/3.png": GOOD[1], "y/1.png": GOOD[2][:-30], "y/2.png": GOOD[3]}
    found = loaded("folder", tmp_path, files, storage=StorageOptions(host_bytes=host_bytes))
    np.testing.assert_array_equal(found.batch(np.arange(3)), [pixels(seed=seed) for seed in (0, 1, 3)])
    assert found.labels.tolist() == [0, 0, 1]
    (note,) = found.notes
    assert note.startswith("left out: 2 of 5 that cannot be used: ")
    assert "x/2.png is empty (0 bytes); " in note and "y/1.png is damaged" in note


def test_captions_go_with_their_pictures(tmp_path):
    files = {"a.png": b"", "b.png": GOOD[1], "captions.txt": "a.png,first\nb.png,second\n"}
    found = loaded("captions", tmp_path, files)
    assert len(found) == 1 and decoded(found.captions[0, 0]) == "second"


@pytest.mark.parametrize("damaged", ["A/1", "B/1"])
def test_pairs_go_as_a_whole(damaged, tmp_path):
    files = {f"{side}/{name}.png": GOOD[name] for side in "AB" for name in range(3)} | {f"{damaged}.png": b"x"}
    found = loaded("pairs", tmp_path, files)
    np.testing.assert_array_equal(found.images, found.targets)
    np.testing.assert_array_equal(found.images[1], pixels(seed=2))
    assert "left out: 1 of 3" in found.notes[-1]


def test_each_of_two_domains_loses_its_own(tmp_path):
    files = {f"train{side}/{name}.png": GOOD[name] for side in "AB" for name in range(3)}
    found = loaded(
        "unpaired", tmp_path, files | {"trainA/0.png": b"", "trainB/1.png": b"", "trainB/2.png": b""}, "train"
    )
    assert (len(found.images), len(found.others)) == (2, 1)
    assert "left out: 2 of 3" in found.notes[0] and "left out: 1 of 3" in found.notes[1]


def test_the_split_is_drawn_before_so_that_the_others_stay_where_they_are(tmp_path):
    files = {f"{number:02}.png": encoded(pixels(4, 4, seed=number)) for number in range(20)}
    write_all(tmp_path, files)
    whole = {split: data.load(f"folder:{tmp_path}", split).batch(np.arange(2)) for split in ("train", "test")}
    first = next(
        name for name, content in files.items() if np.array_equal(pixels(4, 4, seed=int(name[:2])), whole["train"][0])
    )
    write_all(tmp_path, {first: b""})
    test = data.load(f"folder:{tmp_path}", "test", images=SKIP)
    np.testing.assert_array_equal(test.batch(np.arange(2)), whole["test"])
    assert not test.notes
    train = data.load(f"folder:{tmp_path}", "train", images=SKIP)
    np.testing.assert_array_equal(train.batch([0])[0], whole["train"][1])


def test_whatever_cannot_be_used_is_left_out(tmp_path):
    files = {"a.png": GOOD[0], "b.gif": animation("GIF"), "c.png": "text", "d.jpg": b"\xff\xd8\xff", "e.png": b""}
    found = loaded("folder", tmp_path, files)
    assert len(found) == 1 and "left out: 4 of 5" in found.notes[-1] and "; and 1 more" in found.notes[-1]


def test_a_set_of_damaged_pictures_alone_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"has no picture that can be used: .*a\.png is empty \(0 bytes\); .*; mend them"
    ):
        loaded("folder", tmp_path, {"a.png": b"", "b.png": b""})


def test_without_the_option_the_sentence_names_it(tmp_path):
    write_all(tmp_path, {"a.png": GOOD[0], "b.png": b""})
    with pytest.raises(UserError, match=r"b\.png is empty .* or leave them out with --images\.skip-damaged"):
        data.load(f"folder:{tmp_path}", "all")


def test_nothing_is_noted_where_all_are_whole_and_arrays_have_no_damaged_pictures(tmp_path):
    assert loaded("folder", tmp_path / "a", {"a.png": GOOD[0]}).notes == ()
    write_all(tmp_path, {"a.npy": npy(np.stack([pixels()] * 3))})
    assert len(data.load(f"npy:{tmp_path}/a.npy", "all", images=SKIP)) == 3
