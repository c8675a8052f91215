"""What holds for a set is decided once for all its parts: a table of where parts could differ."""

import dataclasses

import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import encoded as encoded_pictures
from experiments.data import held_out
from experiments.data.options import ImageOptions, StorageOptions
from experiments.data.request import part
from tests.experiments.pictures_on_disk import encoded, npy, npz, pixels, write_all

COLOUR, GREY = encoded(), encoded(pixels(channels=1))
LARGER = encoded(pixels(16, 16))
IMAGES = pixels(20, 8, 8)  # (20, 8, 8) uint8
TENTH = part("any", 20, "test")
LETTERS = np.array(list("abcd") * 5)


def tenth(held, others):
    """20 files of which the held-out tenth is `held`."""
    return [held if index in TENTH else others for index in range(20)]


def named(files, form="{:02}.png"):
    return {form.format(index): data for index, data in enumerate(files)}


def where(values, held):
    """An array whose held-out tenth is `held`."""
    array = np.full((20, 8, 8), values)
    array[TENTH] = held
    return array


CAPTIONS = "".join(f"{index:02}.png,a picture\n" for index in range(20))

CHANNELS = {
    "folder whose tenth is grey": (named(tenth(GREY, COLOUR)), "folder:."),
    "folder whose tenth has colours": (named(tenth(COLOUR, GREY)), "folder:."),
    "folder whose first picture is grey": (named([GREY, *[COLOUR] * 19]), "folder:."),
    "folder with a grey folder test": ({"train/a.png": COLOUR, "test/b.png": GREY}, "folder:."),
    "folder with a grey folder train": ({"train/a.png": GREY, "val/b.png": COLOUR}, "folder:."),
    "captions": (named(tenth(GREY, COLOUR)) | {"captions.txt": CAPTIONS}, "captions:."),
    "captions with a folder test": (
        {"train/a.png": GREY, "test/b.png": COLOUR, "train/a.txt": "one", "test/b.txt": "two"},
        "captions:.",
    ),
    "inputs of pairs": (
        named(tenth(GREY, COLOUR), "A/{:02}.png") | named([COLOUR] * 20, "B/{:02}.png"),
        "pairs:.",
    ),
    "pairs side by side": (named(tenth(GREY, COLOUR)), "pairs:."),
    "a first domain": (
        {"trainA/a.png": COLOUR, "trainB/b.png": COLOUR, "testA/a.png": GREY, "testB/b.png": COLOUR},
        "unpaired:.",
    ),
    "a second domain": (
        {"trainA/a.png": COLOUR, "trainB/b.png": GREY, "testA/a.png": COLOUR, "testB/b.png": COLOUR},
        "unpaired:.",
    ),
    "one domain alone": ({"A/a.png": COLOUR, "A/b.png": COLOUR, "B/a.png": GREY, "B/b.png": GREY}, "unpaired:A,B"),
    "arrays of an npz": ({"a.npz": npz(x_train=pixels()[None], x_test=IMAGES)}, "npz:a.npz"),
}


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("what", CHANNELS)
def test_all_parts_are_rgb_where_one_picture_has_colours(what, lazy, tmp_path, monkeypatch):
    files, name = CHANNELS[what]
    monkeypatch.chdir(write_all(tmp_path, files))
    storage = StorageOptions(host_bytes=0 if lazy else 2**20)
    for split in ("train", "test"):
        found = data.load(name, split, storage=storage)
        assert found.image_shape[-1] == 3
        assert found.batch([0]).shape == (1, *found.image_shape)
        assert found.others is None or found.others[np.arange(1)].shape[-1] == 3


def test_targets_may_have_other_channels_than_inputs_but_the_same_in_all_parts(tmp_path):
    write_all(tmp_path, named([GREY] * 20, "A/{:02}.png") | named(tenth(GREY, COLOUR), "B/{:02}.png"))
    for split in ("train", "test"):
        found = data.load(f"pairs:{tmp_path}", split)
        assert (found.image_shape[-1], found.targets.shape[-1]) == (1, 3)


SIZES = {
    "folder": (named(tenth(LARGER, COLOUR)), "folder:."),
    "a folder test": ({"train/a.png": COLOUR, "test/b.png": LARGER}, "folder:."),
    "captions": (named(tenth(LARGER, COLOUR)) | {"captions.txt": CAPTIONS}, "captions:."),
    "pairs": (
        named(tenth(LARGER, COLOUR), "A/{:02}.png") | named(tenth(LARGER, COLOUR), "B/{:02}.png"),
        "pairs:.",
    ),
    "pairs side by side": (named(tenth(LARGER, COLOUR)), "pairs:."),
    "domains": (
        {"trainA/a.png": COLOUR, "trainB/b.png": COLOUR, "testA/a.png": LARGER, "testB/b.png": LARGER},
        "unpaired:.",
    ),
    "arrays": ({"a.npz": npz(train=IMAGES, test=pixels(5, 9, 8))}, "npz:a.npz"),
}


@pytest.mark.parametrize("what", SIZES)
@pytest.mark.parametrize("split", ["train", "test"])
def test_parts_of_two_sizes_are_refused_by_each_part_and_taken_with_a_size(what, split, tmp_path, monkeypatch):
    files, name = SIZES[what]
    monkeypatch.chdir(write_all(tmp_path, files))
    with pytest.raises(UserError, match=r"mixes image sizes, .*; give --images\.size"):
        data.load(name, split)
    assert data.load(name, split, images=ImageOptions(size=4)).image_shape[:2] == (4, 4)


LABELS = {
    "strings": (LETTERS, np.array(["b", "c"]), [1, 2], "abcd"),
    "a class that only the test part has": (LETTERS, np.array(["e", "a"]), [4, 0], "abcde"),
    "numbers": (np.arange(20) % 3, np.array([2, 4]), [2, 4], "01234"),
    "numbers from -1 on": (np.arange(20) % 3 - 1, np.array([0, 1]), [1, 2], ("-1", "0", "1")),
    "columns": (LETTERS[:, None], np.array([["c"], ["d"]]), [2, 3], "abcd"),
}


@pytest.mark.parametrize("what", LABELS)
def test_classes_have_one_number_in_all_parts(what, tmp_path):
    train_labels, test_labels, wanted, classes = LABELS[what]
    arrays = {"x_train": IMAGES, "y_train": train_labels, "x_test": IMAGES[:2], "y_test": test_labels}
    write_all(tmp_path, {"a.npz": npz(**arrays)})
    train, test, every = (data.load(f"npz:{tmp_path}/a.npz", split) for split in ("train", "test", "all"))
    assert test.labels.tolist() == wanted
    assert train.classes == test.classes == every.classes == tuple(classes)
    assert every.labels.tolist() == [*train.labels, *test.labels]


def test_a_class_that_only_a_folder_test_has_is_a_class_of_train(tmp_path):
    write_all(tmp_path, {f"{name}.png": COLOUR for name in ("train/b/1", "train/c/2", "val/a/3", "val/c/4")})
    train, test = (data.load(f"folder:{tmp_path}", split) for split in ("train", "test"))
    assert train.classes == test.classes == ("a", "b", "c")
    assert (train.labels.tolist(), test.labels.tolist()) == ([1, 2], [0, 2])


def test_a_class_of_which_the_tenth_has_no_picture_keeps_its_number(tmp_path):
    write_all(tmp_path, {f"{LETTERS[index]}/{index:02}.png": COLOUR for index in range(20)})
    train, test = (data.load(f"folder:{tmp_path}", split) for split in ("train", "test"))
    assert train.classes == test.classes == tuple("abcd")


def test_labels_of_two_kinds_are_refused(tmp_path):
    arrays = {"x_train": IMAGES, "y_train": np.arange(20), "x_test": IMAGES, "y_test": LETTERS}
    write_all(tmp_path, {"a.npz": npz(**arrays)})
    with pytest.raises(UserError, match="numbers in one part and strings in another; save them alike"):
        data.load(f"npz:{tmp_path}/a.npz")


@pytest.mark.parametrize("form", ["npz", "folder"])
def test_a_part_without_labels_leaves_those_of_another(form, tmp_path):
    if form == "npz":
        files = {"a.npz": npz(x_train=IMAGES, y_train=LETTERS, x_test=IMAGES)}
    else:
        files = dict.fromkeys(("train/a/1.png", "train/b/2.png", "test/3.png"), COLOUR)
    write_all(tmp_path, files)
    name = f"npz:{tmp_path}/a.npz" if form == "npz" else f"folder:{tmp_path}"
    train, test = (data.load(name, split) for split in ("train", "test"))
    assert train.labels is not None and test.labels is None
    assert any("test has no labels" in note for note in train.notes)


VALUES = {
    # train, test, the first pixel of test
    "-1 to 1, and 0 to 1": (np.linspace(-1, 1, 64), np.linspace(0, 1, 64), 128),
    "0 to 1, and -1 to 1": (np.linspace(0, 1, 64), np.linspace(-1, 0, 64), 0),
    "0 to 255 as floats, and 0 to 1 alone": (np.arange(64.0) * 4, np.arange(64.0) % 2, 0),
    "0 to 255, and 0 to 1 alone": (np.arange(64) * 4, 1 - np.arange(64) % 2, 1),
    "uint8, and int64": (np.arange(64).astype(np.uint8), 1 - np.arange(64) % 2, 1),
    "0 to 1, and 0 and 1 alone": (np.linspace(0, 1, 64), 1 - np.arange(64.0) % 2, 255),
}


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize("what", VALUES)
def test_values_are_scaled_alike_in_all_parts(what, form, tmp_path):
    train, test, wanted = VALUES[what]
    train, test = (row.reshape(1, 8, 8) for row in (train, test))
    if form == "npz":
        write_all(tmp_path, {"a.npz": npz(x_train=np.repeat(train, 18, axis=0), x_test=np.repeat(test, 2, axis=0))})
    else:
        write_all(tmp_path, {"a.npy": npy(where(train[0], test[0]))})
    found = data.load(f"{form}:{tmp_path}/a.{form}", "test")
    assert found.images.shape == (2, 8, 8, 1)
    assert found.images[0, 0, 0, 0] == wanted


@pytest.mark.parametrize(
    ("train", "test", "says"),
    [
        (IMAGES, IMAGES / 255.0, r"x_train, holds whole numbers \(uint8\), but .*floats .*; save all arrays of a set"),
        (IMAGES, IMAGES > 3, r"x_test, holds booleans \(bool\); save all arrays of a set alike"),
        (IMAGES / 255.0, IMAGES - 3.5, r"x_test, has values from -3\.5"),
        (IMAGES.astype(int), IMAGES.astype(int) * 9, r"values from 0 to \d+; images are whole numbers from 0 to 255"),
        (np.zeros((4, 3)), np.zeros((4, 2)), r"has points of 2 and 3 dimensions"),
        (np.zeros((4, 3)), IMAGES, r"x_train, holds points and .*x_test, images"),
    ],
)
@pytest.mark.parametrize("split", ["train", "test"])
def test_arrays_that_do_not_fit_together_are_refused_by_every_part(train, test, says, split, tmp_path):
    write_all(tmp_path, {"a.npz": npz(x_train=train, x_test=test)})
    with pytest.raises(UserError, match=says):
        data.load(f"npz:{tmp_path}/a.npz", split)


def test_a_picture_that_no_header_announced_is_refused_with_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(encoded_pictures, "PROBED", 2)
    write_all(tmp_path / "grey", named([GREY, COLOUR, GREY]))
    with pytest.raises(UserError, match=r"01\.png has colours among grey pictures \(give --images\.channels 1 or 3\)"):
        data.load(f"folder:{tmp_path / 'grey'}", "all")
    write_all(tmp_path / "small", named([COLOUR, LARGER, COLOUR]))
    with pytest.raises(UserError, match=r"mixes image sizes, 8x8x3 and 16x16x3 \(.*01\.png\); give --images\.size"):
        data.load(f"folder:{tmp_path / 'small'}", "all")


def test_no_picture_is_decoded_to_decide(tmp_path, monkeypatch):
    write_all(tmp_path, named([COLOUR] * 20))
    reading = []
    monkeypatch.setattr(
        "experiments.data.encoded.rows_of", lambda *args: reading.append(args) or np.zeros((1, 8, 8, 3))
    )
    monkeypatch.setattr("experiments.data.decoding.decode", lambda *_: pytest.fail("decoded"))
    data.load(f"folder:{tmp_path}")
    assert reading[0][2] == (8, 8, 3)


def test_a_camera_s_orientation_counts_before_sizes_are_compared(tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    upright, lying = encoded(pixels(8, 12), "JPEG"), encoded(pixels(12, 8), "JPEG", exif=exif)
    write_all(tmp_path, {"a.jpg": upright, "b.jpg": lying})
    assert data.load(f"folder:{tmp_path}", "all").images.shape == (2, 8, 12, 3)


HELD_OUT = {
    "no part": ({"a.png": COLOUR}, None),
    "folders trainA and trainB alone": ({"trainA/a.png": COLOUR, "trainB/b.png": COLOUR}, None),
    "a damaged picture": (named(tenth(COLOUR[:-60], COLOUR)), "is damaged"),
}


@pytest.mark.parametrize("what", HELD_OUT)
def test_held_out_images_are_missing_only_where_there_are_none(what, tmp_path):
    from experiments.runs import experiment

    files, says = HELD_OUT[what]
    write_all(tmp_path, files)
    scheme = "unpaired" if "trainA/a.png" in files else "folder"
    chosen = dataclasses.replace(experiment.load("wgan_gp_digits"), data=f"{scheme}:{tmp_path}")
    if says is None:
        assert held_out.load_for(chosen) is None
        return
    with pytest.raises(UserError, match=says):
        held_out.load_for(chosen)


PAIRS = {
    "train/a, train/b": ("train/a", "train/b"),
    "a/train, b/train": ("a/train", "b/train"),
    "A, B": ("A", "B"),
}


@pytest.mark.parametrize("what", PAIRS)
def test_pairs_without_a_test_folder_hold_a_tenth_out_of_train(what, tmp_path):
    write_all(
        tmp_path, {f"{side}/{index:02}.png": encoded(pixels(seed=index)) for side in PAIRS[what] for index in range(20)}
    )
    train, test, every = (data.load(f"pairs:{tmp_path}", split) for split in ("train", "test", "all"))
    assert (len(train), len(test), len(every)) == (18, 2, 20)
    assert not {image.tobytes() for image in train.images} & {image.tobytes() for image in test.images}
    np.testing.assert_array_equal(test.images, test.targets)


def test_captions_of_all_parts_stand_in_each_folder_or_at_the_top(tmp_path):
    pictures = dict.fromkeys(("train/a.png", "test/b.png"), COLOUR)
    for name, tables in {
        "top": {"captions.txt": "train/a.png,one\ntest/b.png,two\n"},
        "each": {"train/captions.txt": "a.png,one\n", "test/captions.txt": "b.png,two\n"},
    }.items():
        write_all(tmp_path / name, pictures | tables)
        for split, num in (("train", 1), ("test", 1), ("all", 2)):
            assert len(data.load(f"captions:{tmp_path / name}", split)) == num
