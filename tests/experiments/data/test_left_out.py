"""What of a person's data is not read, and names that could be taken for something else: a table of it."""

import importlib.util
import re
import sys
import types

import numpy as np
import pytest
from PIL import Image

from experiments import data
from experiments.data import card, decoding
from experiments.data.options import ImageOptions
from tests.experiments.pictures_on_disk import encoded, npz, pixels, write_all

GOOD = encoded()


def pictures(*names):
    return dict.fromkeys((f"{name}.png" for name in names), GOOD)


OTHERS = {"a.heic": b"x", "b.HEIC": b"x", "notes.txt": "x", "sub/readme": "x"}
SAID = (r"left out: 2 \.heic \(install pillow-heif\), 1 \.txt, 1 files without a suffix",)
CAPTIONS = {"captions.txt": "1.png,one\n2.png,two\n"}

NOTES = {
    # files, name of the set, examples of all parts, classes, what the card says
    "other kinds in a folder": (pictures("1", "2") | OTHERS, "folder:.", 2, "", SAID),
    "other kinds beside classes": (pictures("cats/1", "dogs/2") | OTHERS, "folder:.", 2, "cats dogs", SAID),
    "other kinds of pairs": (pictures("A/1", "B/1") | OTHERS, "pairs:.", 1, "", SAID),
    "other kinds of two domains": (pictures("trainA/1", "trainB/2") | OTHERS, "unpaired:.", 1, "", SAID),
    "other kinds in one domain": (
        pictures("A/1", "A/2", "B/2", "B/3") | {"A/a.heic": b"x"},
        "unpaired:A,B",
        2,
        "",
        (r"left out: 1 \.heic",),
    ),
    "other kinds beside a table of captions": (pictures("1", "2") | CAPTIONS | OTHERS, "captions:.", 2, "", SAID),
    "captions beside pictures": (
        pictures("1", "2") | {"1.txt": "one", "2.txt": "two", "3.txt": "three"},
        "captions:.",
        2,
        "",
        (r"left out: 1 \.txt",),
    ),
    "hidden files": (pictures("1", "2") | {".DS_Store": b"x", ".git/a.png": GOOD}, "folder:.", 2, "", ()),
    "many kinds": (
        pictures("1", "2") | {f"x.{letter}": b"x" for letter in "abcdefgh"},
        "folder:.",
        2,
        "",
        (r"left out: 1 \.a, .*, 2 others",),
    ),
    "a class named train": (
        pictures("bus/1", "car/2", "train/3"),
        "folder:.",
        3,
        "bus car train",
        (r"train is one folder among others, not a split: bus, car lies beside it",),
    ),
    "train beside test and a third folder": (
        pictures("train/1", "test/2", "extra/3"),
        "folder:.",
        3,
        "extra test train",
        (r"train is one folder among others, not a split: extra lies beside it",),
    ),
    **{
        f"classes that look like splits: {names}": (
            pictures(*(f"{name}/{number}" for number, name in enumerate(names.split()))),
            "folder:.",
            2,
            names,
            (rf"each of {names.replace(' ', ', ')} is a class, not a split; name the folders train and test",),
        )
        for names in ("Test Train", "testing training", "test val")
    },
    "a folder without pictures beside train": (
        pictures("train/1", "test/2") | {"docs/a.txt": "x"},
        "folder:.",
        2,
        "",
        (r"left out: 1 \.txt",),
    ),
    "a picture beside the splits": (
        pictures("x", "train/1", "test/2"),
        "folder:.",
        2,
        "",
        (r"left out: 1 picture outside of the folders that are read, such as x\.png",),
    ),
    "a picture beside class folders": (
        pictures("x", "cats/1", "dogs/2"),
        "folder:.",
        2,
        "cats dogs",
        (r"left out: 1 picture beside the class folders cats, dogs, such as x\.png",),
    ),
    "a picture beside class folders of a split": (
        pictures("train/x", "train/cats/1", "train/dogs/2", "test/dogs/3"),
        "folder:.",
        3,
        "cats dogs",
        (r"left out: 1 picture beside the class folders cats, dogs, such as x\.png",),
    ),
    "a picture beside two sides": (
        pictures("x", "A/1", "B/1"),
        "pairs:.",
        1,
        "",
        (r"left out: 1 picture outside of the folders that are read, such as x\.png",),
    ),
    "a picture beside the sides of a split": (
        pictures("train/x", "train/a/1", "train/b/1"),
        "pairs:.",
        1,
        "",
        (r"left out: 1 picture outside .* such as train/x\.png",),
    ),
    "a picture beside splits of captions": (
        pictures("x", "train/1", "test/2") | {"train/1.txt": "one", "test/2.txt": "two"},
        "captions:.",
        2,
        "",
        (r"left out: 1 picture outside of the folders that are read, such as x\.png",),
    ),
    "a third domain": (
        pictures("trainA/1", "trainB/2", "trainC/3"),
        "unpaired:.",
        1,
        "",
        (r"left out: 1 picture outside of the folders that are read, such as trainC/3\.png",),
    ),
    "two splits to hold out": (
        pictures("train/1", "val/2", "test/3"),
        "folder:.",
        3,
        "",
        (r"left out: the split val, neither train nor test",),
    ),
    "arrays of another name": (
        {"a.npz": npz(x_train=pixels(4, 8, 8), x_test=pixels(4, 8, 8), names=[1], more=[2])},
        "npz:a.npz",
        8,
        "",
        (r"left out: the arrays names, more",),
    ),
}


@pytest.mark.parametrize("what", NOTES)
def test_the_card_says_what_is_left_out(what, tmp_path, monkeypatch):
    files, name, num, classes, says = NOTES[what]
    monkeypatch.chdir(write_all(tmp_path, files))
    monkeypatch.setattr(decoding, "suffixes", lambda: decoding.SUFFIXES)
    found = data.load(name, "all")
    assert (len(found), found.classes) == (num, tuple(classes.split()))
    lines = [line for line in card.card(found, ImageOptions()) if "left out" in line or "not a split" in line]
    assert len(lines) == len(says)
    for line, wanted in zip(lines, says, strict=True):
        assert re.search(wanted, line)


@pytest.mark.parametrize(
    ("suffix", "kind"), [("tga", "TGA"), ("jp2", "JPEG2000"), ("pcx", "PCX"), ("sgi", "SGI"), ("dds", "DDS")]
)
def test_what_pillow_reads_is_read(suffix, kind, tmp_path):
    options = {"irreversible": False} if kind == "JPEG2000" else {}
    write_all(tmp_path, {"a.png": GOOD, f"b.{suffix}": encoded(pixels(seed=1), kind, **options)})
    found = data.load(f"folder:{tmp_path}", "all")
    np.testing.assert_array_equal(found.images[1], pixels(seed=1))
    assert not found.notes


def test_heic_is_read_where_its_package_is_installed(tmp_path, monkeypatch):
    registered = []
    plugin = types.SimpleNamespace(register_heif_opener=lambda: registered.append(True))
    monkeypatch.setitem(sys.modules, "pillow_heif", plugin)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "pillow_heif")
    decoding.suffixes.cache_clear()
    try:
        assert decoding.suffixes() >= decoding.HEIF and registered == [True]
    finally:
        decoding.suffixes.cache_clear()


def test_avif_is_left_out_with_its_cure_where_pillow_does_not_read_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "registered_extensions", lambda: {".png": "PNG"})
    decoding.suffixes.cache_clear()
    try:
        write_all(tmp_path, pictures("1", "2") | {"a.avif": b"x"})
        assert data.load(f"folder:{tmp_path}", "all").notes == ("left out: 1 .avif (update Pillow)",)
    finally:
        decoding.suffixes.cache_clear()
