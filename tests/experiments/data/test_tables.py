"""Tables of pictures, written as Hugging Face `datasets` publishes and saves them."""

import json
import sys

import numpy as np
import pytest

from experiments import data
from experiments.command_line import system
from experiments.command_line.errors import UserError
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

GREY = {"_type": "Image"}
CLASSES = {"_type": "ClassLabel", "names": ["cat", "dog", "owl"]}


def table(num=4, seed=0, labels=None, features=True, **columns):
    """Pictures of 8x8 in a column `image`, with labels 0 and 1 in turn."""
    content = [{"bytes": encoded(pixels(seed=seed + index)), "path": None} for index in range(num)]
    labels = [index % 2 for index in range(num)] if labels is None else labels
    made = arrow.table({"image": content, "label": labels, **columns})
    info = {"info": {"features": {"image": GREY, "label": CLASSES}}}
    return made.replace_schema_metadata({b"huggingface": json.dumps(info).encode()}) if features else made


def save(made, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        parquet.write_table(made, path, row_group_size=2)
        return
    with arrow.OSFile(str(path), "wb") as file, arrow.ipc.new_stream(file, made.schema) as writer:
        writer.write_table(made, max_chunksize=2)


LAYOUTS = {
    "hub": ("data/train-00000-of-00002", "data/train-00001-of-00002", "data/test-00000-of-00001"),
    "hub with a hash": (
        "data/train-00000-of-00002-0a1b",
        "data/train-00001-of-00002-0a1b",
        "data/test-00000-of-00001-ff",
    ),
    "converted": ("default/train/0000", "default/train/0001", "default/test/0000"),
    "save_to_disk": ("train/data-00000-of-00002", "train/data-00001-of-00002", "test/data-00000-of-00001"),
    "by name": ("train-a", "train-b", "test"),
    "of a cache": ("mnist-train-00000-of-00002", "mnist-train-00001-of-00002", "mnist-test"),
}
LAYOUTS["by name"] = ("train/a", "train/b", "test")


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_splits_of_each_layout_are_found(layout, kind, tmp_path):
    first, second, test = LAYOUTS[layout]
    save(table(3), tmp_path / f"{first}.{kind}")
    save(table(2, seed=3), tmp_path / f"{second}.{kind}")
    save(table(4, seed=5), tmp_path / f"{test}.{kind}")
    trained, tested = (data.load(f"{kind}:{tmp_path}", split) for split in ("train", "test"))
    wanted = [pixels(seed=seed) for seed in range(5)]
    np.testing.assert_array_equal(trained.batch(np.arange(5)), wanted)
    np.testing.assert_array_equal(trained.labels, [0, 1, 0, 0, 1])
    assert (len(tested), tested.classes) == (4, ("cat", "dog", "owl"))
    assert len(data.load(f"{kind}:{tmp_path}", "all")) == 9


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_one_file_or_a_folder_without_splits_is_held_out_a_tenth(kind, tmp_path):
    save(table(10), tmp_path / f"data-00000-of-00001.{kind}")
    for path in (tmp_path, tmp_path / f"data-00000-of-00001.{kind}"):
        assert [len(data.load(f"{kind}:{path}", split)) for split in ("train", "test", "all")] == [9, 1, 10]


def test_pictures_are_bytes_too_or_files_beside_the_table(tmp_path):
    save(arrow.table({"png": [encoded(), encoded(pixels(seed=1))]}), tmp_path / "a.parquet")
    assert data.load(f"parquet:{tmp_path}/a.parquet", "all").batch([1]).tolist() == [pixels(seed=1).tolist()]
    write_all(tmp_path, {"img/1.png": encoded()})
    save(arrow.table({"image": [{"bytes": None, "path": "img/1.png"}] * 2}), tmp_path / "b.parquet")
    assert data.load(f"parquet:{tmp_path}/b.parquet", "all").batch([1]).tolist() == [pixels().tolist()]


def test_labels_without_names_are_numbers_or_strings(tmp_path):
    save(table(labels=[3, 0, 3, 1], features=False), tmp_path / "a.parquet")
    found = data.load(f"parquet:{tmp_path}/a.parquet", "all")
    assert (found.labels.tolist(), found.classes) == ([3, 0, 3, 1], ("0", "1", "2", "3"))
    save(table(labels=["owl", "cat", "owl", "cat"], features=False), tmp_path / "b.parquet")
    found = data.load(f"parquet:{tmp_path}/b.parquet", "all")
    assert (found.labels.tolist(), found.classes) == ([1, 0, 1, 0], ("cat", "owl"))


def test_a_split_whose_labels_are_hidden_has_none(tmp_path):
    save(table(), tmp_path / "data" / "train-00000-of-00001.parquet")
    save(table(labels=[-1] * 4), tmp_path / "data" / "test-00000-of-00001.parquet")
    trained, tested = (data.load(f"parquet:{tmp_path}", split) for split in ("train", "test"))
    assert trained.num_classes == 3 and tested.labels is None


@pytest.mark.parametrize("texts", [["a cat", "a dog", "two", "x"], [["a cat", "one cat"], ["a dog"], ["two"], ["x"]]])
def test_texts_are_captions(texts, tmp_path):
    from experiments.data.captions import decoded

    save(table(text=texts), tmp_path / "a.arrow")
    found = data.load(f"arrow:{tmp_path}/a.arrow", "all")
    assert decoded(found.captions[0, 0]) == "a cat"
    assert found.num_captions.sum() == (5 if isinstance(texts[0], list) else 4)


def test_rows_are_the_same_from_disk_and_from_many_threads(tmp_path):
    from experiments.data.options import StorageOptions

    save(table(9), tmp_path / "a.parquet")
    held, lazy = (
        data.load(f"parquet:{tmp_path}/a.parquet", "all", storage=StorageOptions(host_bytes=size))
        for size in (2**30, 0)
    )
    np.testing.assert_array_equal(held.batch(np.arange(9)), lazy.batch(np.arange(9)))


WRONG = {
    "no file": (
        lambda path: None,
        "parquet:{}/nowhere",
        r"there is no file or folder .*nowhere; give --data parquet:PATH",
    ),
    "no table": (
        lambda path: write_all(path, {"a.txt": "x"}),
        "parquet:{}",
        r"holds no files \.parquet; give the folder",
    ),
    "the other kind": (
        lambda path: save(table(), path / "a.arrow"),
        "parquet:{}",
        r"no files \.parquet; give --data arrow:",
    ),
    "text named parquet": (
        lambda path: write_all(path, {"a.parquet": "hello"}),
        "parquet:{}/a.parquet",
        r"a\.parquet is no parquet file, or is damaged \(.+\); get it anew",
    ),
    "text named arrow": (
        lambda path: write_all(path, {"a.arrow": "hello"}),
        "arrow:{}/a.arrow",
        r"a\.arrow is no arrow file, or is damaged \(.+\); get it anew",
    ),
    "no pictures": (
        lambda path: save(arrow.table({"x": [1, 2]}), path / "a.parquet"),
        "parquet:{}",
        r"has no column of pictures; name one of its columns 'image'; there are: x",
    ),
    "two columns of pictures": (
        lambda path: save(arrow.table({"a": [b"x"], "b": [b"y"]}), path / "a.parquet"),
        "parquet:{}",
        r"has several columns of pictures; name one of its columns 'image'; there are: a, b",
    ),
    "no rows": (lambda path: save(table(0).slice(0, 0), path / "a.parquet"), "parquet:{}", r"has no rows|no column"),
    "other columns": (
        lambda path: [save(table(), path / "a.parquet"), save(table(x=[1, 2, 3, 4]), path / "b.parquet")],
        "parquet:{}",
        r"b\.parquet has other columns than .*a\.parquet; save all files of a table alike",
    ),
    "files of no split": (
        lambda path: [save(table(), path / "train.parquet"), save(table(), path / "extra.parquet")],
        "parquet:{}",
        r"has files of no split, such as extra\.parquet, beside those of train; name them",
    ),
    "too many classes": (
        lambda path: save(table(labels=[0, 1, 2, 7]), path / "a.parquet"),
        "parquet:{}",
        r"labels to 7, but names of 3",
    ),
    "a missing picture": (
        lambda path: save(
            arrow.table({"image": [{"bytes": None, "path": None}, {"bytes": encoded(), "path": ""}]}),
            path / "a.parquet",
        ),
        "parquet:{}",
        r"a\.parquet, row 0, is missing; mend or remove",
    ),
    "no text": (
        lambda path: save(table(text=["x", "y", "", "z"]), path / "a.parquet"),
        "parquet:{}",
        r"row 2, has no text in 'text'; write one, or remove the row",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_used_gets_one_sentence(what, tmp_path):
    spoil, name, says = WRONG[what]
    spoil(tmp_path)
    with pytest.raises(UserError, match=says) as error:
        data.load(name.format(tmp_path), "all")
    assert "\n" not in str(error.value)


def test_parquet_files_that_are_larger_than_the_memory_are_sent_to_arrow(tmp_path, monkeypatch):
    save(table(), tmp_path / "a.parquet")
    monkeypatch.setattr(system, "memory_bytes", lambda: 1_000)
    with pytest.raises(UserError, match=r"save_to_disk\(FOLDER\) and give --data arrow:FOLDER, which is read in place"):
        data.load(f"parquet:{tmp_path}", "all")


def test_the_package_that_is_missing_is_named(tmp_path, monkeypatch):
    save(table(), tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"tables need pyarrow: pip install -e '\.\[parquet\]'"):
        data.load(f"parquet:{tmp_path}", "all")
