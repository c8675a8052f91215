"""Labels in other forms than folders and whole numbers, and captions in `metadata.csv`."""

import json

import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data.captions import decoded
from tests.experiments.pictures_on_disk import encoded, npz, pixels, write_all

IMAGES = np.stack([pixels(seed=seed) for seed in range(4)])
HOT = np.eye(5)[[2, 0, 2, 1]]


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, bool])
def test_one_hot_labels_are_read_and_said(kind, tmp_path):
    write_all(tmp_path, {"a.npz": npz(x=IMAGES, y=HOT.astype(kind))})
    found = data.load(f"npz:{tmp_path}/a.npz", "all")
    assert found.labels.tolist() == [2, 0, 2, 1] and found.classes == tuple("01234")
    assert found.notes == ("labels were read as one-hot rows of 5 classes",)


def test_one_hot_labels_of_two_parts_have_the_same_classes(tmp_path):
    write_all(tmp_path, {"a.npz": npz(x_train=IMAGES, y_train=HOT, x_test=IMAGES, y_test=HOT[:, ::-1])})
    train, test = (data.load(f"npz:{tmp_path}/a.npz", split) for split in ("train", "test"))
    assert train.classes == test.classes == tuple("01234")
    assert test.labels.tolist() == [2, 4, 2, 3]


@pytest.mark.parametrize("other", [HOT[:, :4], np.arange(4), np.arange(4)[:, None], np.array(list("abcd"))])
def test_parts_with_one_hot_rows_of_other_widths_or_none_are_refused(other, tmp_path):
    write_all(tmp_path, {"a.npz": npz(x_train=IMAGES, y_train=HOT, x_test=IMAGES, y_test=other)})
    for split in ("train", "test"):
        with pytest.raises(
            UserError, match=r"shapes \(4, 5\) and .* one-hot rows of one width in all parts, or a whole"
        ):
            data.load(f"npz:{tmp_path}/a.npz", split)


@pytest.mark.parametrize(
    "labels", [2 * HOT, HOT + HOT[::-1], np.zeros((4, 5)), HOT / 2, np.array([["a", "b"]] * 4), HOT - HOT[::-1]]
)
def test_rows_that_are_not_one_hot_are_refused_with_the_cure(labels, tmp_path):
    write_all(tmp_path, {"a.npz": npz(x=IMAGES, y=labels)})
    with pytest.raises(UserError, match=r"labels of shape \(4, \d\) that are not one-hot .* give a whole number"):
        data.load(f"npz:{tmp_path}/a.npz", "all")


@pytest.mark.parametrize("labels", [np.array([3, 1, 0, 1]), np.eye(4)[[3, 1, 0, 1]]])
def test_published_samples_are_arr_0_and_their_labels_arr_1(labels, tmp_path):
    write_all(tmp_path, {"a.npz": npz(arr_0=IMAGES, arr_1=labels), "b.npz": npz(arr_0=IMAGES)})
    found = data.load(f"npz:{tmp_path}/a.npz", "all")
    np.testing.assert_array_equal(found.images, IMAGES)
    assert found.labels.tolist() == [3, 1, 0, 1]
    assert data.load(f"npz:{tmp_path}/b.npz", "all").labels is None


PICTURES = {f"0000{number % 2}/img{number}.png": encoded(pixels(seed=number)) for number in range(4)}


def tool(labels):
    return PICTURES | {"dataset.json": json.dumps({"labels": labels})}


def test_dataset_json_holds_the_labels_and_its_folders_are_no_classes(tmp_path):
    labels = [[name, number % 3] for number, name in enumerate(PICTURES)]
    write_all(tmp_path, tool(labels[::-1]))
    found = data.load(f"folder:{tmp_path}", "all")
    by_place = dict(labels)
    assert found.labels.tolist() == [by_place[name] for name in sorted(PICTURES)]
    assert found.classes == ("0", "1", "2")
    assert found.notes == ("labels are those of dataset.json",)


def test_dataset_json_may_hold_one_hot_labels_or_none(tmp_path):
    write_all(tmp_path / "a", tool([[name, [0, 1, 0]] for name in PICTURES]))
    found = data.load(f"folder:{tmp_path}/a", "all")
    assert found.labels.tolist() == [1] * 4
    assert found.classes == ("0", "1", "2")  # as many as a row is wide, whatever the largest label
    write_all(tmp_path / "b", tool(None))
    found = data.load(f"folder:{tmp_path}/b", "all")
    assert (found.labels, found.notes) == (None, ("no labels: dataset.json has none",))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"labels": [["00000/img0.png", 1]]}, r"has no label for 3 of 4 pictures, the first is 00000/img2\.png; write"),
        ({"labels": [[name, "cat"] for name in PICTURES]}, r"labels that are not whole numbers, such as cat; write"),
        ({"labels": [[name, 0.5] for name in PICTURES]}, r"labels that are not whole numbers, such as 0\.5"),
        ({"labels": [[name, [0.5, 0.5]] for name in PICTURES]}, r"not one-hot"),
        ({"labels": [[name, [1] * (1 + int(name[-5]) % 2)] for name in PICTURES]}, r"labels of several forms; write"),
        ({"label": []}, r"dataset\.json cannot be understood \(KeyError: 'labels'\); write"),
        ([], r"dataset\.json cannot be understood"),
        ({"labels": [1, 2]}, r"dataset\.json cannot be understood"),
    ],
)
def test_a_dataset_json_that_cannot_be_used_gets_one_sentence(content, says, tmp_path):
    write_all(tmp_path, PICTURES | {"dataset.json": json.dumps(content)})
    with pytest.raises(UserError, match=says) as error:
        data.load(f"folder:{tmp_path}", "all")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("words", "labels", "classes"),
    [("cat dog cat owl", [0, 1, 0, 2], ("cat", "dog", "owl")), ("3 1 0 1", [3, 1, 0, 1], ("0", "1", "2", "3"))],
)
def test_metadata_csv_of_a_folder_holds_labels_by_name_or_number(words, labels, classes, tmp_path):
    rows = [f"{name},{word},x" for name, word in zip(sorted(PICTURES), words.split(), strict=True)]
    write_all(tmp_path, PICTURES | {"metadata.csv": "\n".join(["file_name,label,text", *rows[::-1]])})
    found = data.load(f"folder:{tmp_path}", "all")
    assert (found.labels.tolist(), found.classes) == (labels, classes)
    assert found.notes == ("labels are those of metadata.csv",)


def test_metadata_csv_of_each_split_holds_its_labels(tmp_path):
    content = {
        f"{split}/{number}.png": encoded(pixels(seed=number)) for split in ("train", "test") for number in (0, 1)
    }
    content |= {"train/metadata.csv": "file_name,label\n0.png,a\n1.png,c\n"}
    content |= {"test/metadata.csv": "label,file_name\nb,1.png\nc,0.png\n"}
    write_all(tmp_path, content)
    train, test = (data.load(f"folder:{tmp_path}", split) for split in ("train", "test"))
    assert train.classes == test.classes == ("a", "b", "c")
    assert (train.labels.tolist(), test.labels.tolist()) == ([0, 2], [2, 1])


def test_metadata_csv_without_labels_is_left_out_and_with_too_few_refused(tmp_path):
    write_all(tmp_path / "a", PICTURES | {"metadata.csv": "file_name,text\n00000/img0.png,a cat\n"})
    found = data.load(f"folder:{tmp_path}/a", "all")
    assert found.classes == ("00000", "00001") and found.notes == ("left out: 1 .csv",)
    write_all(tmp_path / "b", PICTURES | {"metadata.csv": "file_name,label\n00000/img0.png,cat\n00000/img2.png,\n"})
    with pytest.raises(
        UserError, match=r"metadata\.csv has no label for 3 of 4 pictures, the first is 00000/img2\.png"
    ):
        data.load(f"folder:{tmp_path}/b", "all")


def test_metadata_csv_holds_captions_in_named_columns(tmp_path):
    table = 'id,file_name,text\n1,a.png,"a cat, asleep"\n2,b.png,a dog\n'
    write_all(tmp_path, {"a.png": encoded(), "b.png": encoded(), "metadata.csv": table})
    found = data.load(f"captions:{tmp_path}", "all")
    assert [decoded(some[0]) for some in found.captions] == ["a cat, asleep", "a dog"]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("name,label\na.png,1\n", r"metadata\.csv has columns name, label; name two of them file_name and text"),
        ("file_name,text\na.png,\n", r"metadata\.csv has no file or no text in its row 1; write both"),
        ("file_name,text\n", r"metadata\.csv has columns ; name two|no caption"),
    ],
)
def test_a_metadata_csv_that_cannot_be_used_gets_one_sentence(table, says, tmp_path):
    write_all(tmp_path, {"a.png": encoded(), "metadata.csv": table})
    with pytest.raises(UserError, match=says):
        data.load(f"captions:{tmp_path}", "all")


def test_one_dataset_json_beside_the_splits_is_for_all_of_them(tmp_path):
    files = {
        f"{split}/{number}.png": encoded(pixels(seed=number)) for split in ("train", "test") for number in range(2)
    }
    labels = {"labels": [[name, number] for number, name in enumerate(files)]}
    write_all(tmp_path, files | {"dataset.json": json.dumps(labels)})
    assert [data.load(f"folder:{tmp_path}", split).labels.tolist() for split in ("train", "test")] == [[0, 1], [2, 3]]
