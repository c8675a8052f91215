"""What cannot be used gets one sentence that names the file or option and the cure: a table of it."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from experiments import data, train
from experiments.command_line.errors import UserError
from experiments.data.options import ImageOptions, StorageOptions
from experiments.training.loop import Loop
from tests.experiments.pictures_on_disk import animation, encoded, npy, npz, pixels, png_of_size, write_all

ROOT = pathlib.Path(__file__).parents[3]
PREPARED = ROOT.parent / "shared" / "data" / "tfds"

GOOD = encoded()
JPEG = encoded(pixels(64, 64), "JPEG")
LARGER = encoded(pixels(16, 16))

FILES = {
    # what, files, name of the set, what the sentence says
    "an empty file": ({"a.png": GOOD, "b.png": b""}, "folder:.", r"b\.png is empty \(0 bytes\); mend or remove them"),
    "a first file that is empty": ({"a.png": b"", "b.png": GOOD}, "folder:.", r"a\.png is empty"),
    "nothing but an empty file": ({"a.png": b""}, "folder:.", r"a\.png is empty"),
    "a truncated png": ({"a.png": GOOD, "b.png": GOOD[:-60]}, "folder:.", r"b\.png is damaged \(.+\); mend or remove"),
    "a png of its signature": ({"a.png": GOOD[:8]}, "folder:.", r"a\.png is (damaged|no picture)"),
    "a truncated jpeg": ({"a.jpg": JPEG, "b.jpg": JPEG[: len(JPEG) // 2]}, "folder:.", r"b\.jpg is damaged"),
    "a jpeg of its first bytes": ({"a.jpg": JPEG[:10]}, "folder:.", r"a\.jpg is (damaged|no picture)"),
    "a flipped bit in a png": (
        {"a.png": GOOD, "b.png": GOOD[:60] + bytes([GOOD[60] ^ 8]) + GOOD[61:]},
        "folder:.",
        r"b\.png is damaged",
    ),
    "text named png": ({"a.png": "hello"}, "folder:.", r"a\.png is no picture, whatever its name says"),
    "html named jpg": ({"a.jpg": JPEG, "b.jpg": "<!DOCTYPE html>"}, "folder:.", r"b\.jpg is no picture"),
    "an animated gif": ({"a.gif": animation("GIF")}, "folder:.", r"a\.gif is an animation of 3 frames"),
    "an animated webp": ({"a.webp": animation("WEBP")}, "folder:.", r"a\.webp is an animation of 3 frames"),
    "an animated png": ({"a.png": animation("PNG")}, "folder:.", r"a\.png is an animation of 3 frames"),
    "a decompression bomb": (
        {"a.png": png_of_size(50_000, 50_000)},
        "folder:.",
        r"a\.png (is|has) .*more than 100,000",
    ),
    "a picture a little too large": (
        {"a.png": png_of_size(10_000, 10_001)},
        "folder:.",
        r"a\.png (is|has) .*more than",
    ),
    "a picture without pixels": ({"a.png": png_of_size(0, 0)}, "folder:.", r"a\.png is (damaged|no picture)"),
    "floats of 32 bits": (
        {"a.tiff": encoded(np.full((8, 8, 1), 2, np.float32), "TIFF")},
        "folder:.",
        r"a\.tiff has 32-bit pixels \(mode F\) from 2 to 2.*or with 8 bits",
    ),
    "mixed sizes": ({"a.png": GOOD, "b.png": LARGER}, "folder:.", r"mixes image sizes, 8x8x3 .*a\.png.* and 16x16x3"),
    "mixed sizes say the cure": ({"a.png": GOOD, "b.png": LARGER}, "folder:.", r"give --images\.size, for example"),
    "many damaged files": (
        {f"{i}.png": b"" for i in range(7)} | {"z.png": GOOD},
        "folder:.",
        r"0\.png is empty.*; .*1\.png is empty.*; .*2\.png is empty.*; and 4 more; mend or remove them",
    ),
    "an empty folder": ({}, "folder:.", r"holds no pictures \(it is empty\); give a folder of png, jpg"),
    "a folder of other files": ({"a.txt": "x", "b.csv": "y"}, "folder:.", r"holds no pictures .*a\.txt, b\.csv"),
    "a folder of hidden files": ({".a.png": GOOD, ".git/b.png": GOOD}, "folder:.", "holds no pictures"),
    "a missing folder": ({}, "folder:nowhere", r"there is no folder .*nowhere.*; give --data folder:PATH"),
    "a file for a folder": ({"a.png": GOOD}, "folder:a.png", r"a\.png is a file, but --data folder: wants a folder"),
    "no folder at all": ({}, "folder:", r"--data folder: names no folder; give --data folder:PATH"),
    "no pairs folder at all": ({}, "pairs:", r"--data pairs: names no folder"),
    "a split train without pictures": ({"train/a.txt": "x"}, "folder:.", r"holds no pictures .*a\.txt"),
    "an odd width side by side": (
        {"a.png": encoded(pixels(8, 15))},
        "pairs:.",
        r"a\.png is 15 pixels wide, which two images side by side cannot be",
    ),
    "pairs without a partner": (
        {"A/1.png": GOOD, "A/2.png": GOOD, "B/1.png": GOOD},
        "pairs:.",
        r"1 pictures in only one of A and B: 2; give each its partner under the same name",
    ),
    "pairs with an empty side": ({"A/1.png": GOOD, "B/x.txt": "x"}, "pairs:.", r"B holds no pictures"),
    "one domain alone": ({"a.png": GOOD}, "unpaired:a.png", r"does not name two domains; give --data unpaired:A,B"),
    "two domains of which one is missing": ({"A/a.png": GOOD}, "unpaired:A,nowhere", r"no data set 'nowhere'"),
    "a folder without its two domains": ({"A/a.png": GOOD}, "unpaired:.", r"has no folders trainA and trainB"),
    "domains of two sizes": (
        {"A/a.png": GOOD, "A/b.png": GOOD, "B/a.png": LARGER, "B/b.png": LARGER},
        "unpaired:A,B",
        r"has images of 8x8x3 and of 16x16x3 in its domains; give --images\.size",
    ),
    "pictures without captions": ({"a.png": GOOD}, "captions:.", r"has pictures but no captions; write captions\.txt"),
    "a picture without its caption": (
        {"a.png": GOOD, "b.png": GOOD, "captions.txt": "image,caption\na.png,a dog\n"},
        "captions:.",
        r"1 of 2 pictures have no caption in .*captions\.txt, the first is b\.png; write one for each",
    ),
    "a picture without its text file": (
        {"a.png": GOOD, "b.png": GOOD, "a.txt": "a dog"},
        "captions:.",
        r"1 of 2 pictures have no caption in .*, the first is b\.png",
    ),
    "captions without their pictures": (
        {"a.png": GOOD, "captions.csv": "a.png,a dog\nb.png,a cat\nb.png,the cat\n"},
        "captions:.",
        r"captions for 1 pictures that are not there, the first is 'b\.png'; add the pictures or remove",
    ),
    "captions without any picture": ({"captions.txt": "a.png,a dog"}, "captions:.", r"holds no pictures"),
    "an empty caption": (
        {"a.png": GOOD, "captions.txt": "a.png,\n"},
        "captions:.",
        r"no caption in its row 1, 'a\.png'",
    ),
    "captions in Latin-1": (
        {"a.png": GOOD, "captions.txt": "a.png,un chat br\xfbl\xe9".encode("latin-1")},
        "captions:.",
        r"captions\.txt is not UTF-8 \(byte \d+\); save it as UTF-8",
    ),
    "captions that are no json": ({"a.png": GOOD, "captions.json": "{"}, "captions:.", r"captions\.json cannot be und"),
    "captions of another json": ({"a.png": GOOD, "captions.json": "[1, 2]"}, "captions:.", r"cannot be understood"),
    "captions that are numbers": ({"a.png": GOOD, "captions.json": '{"a.png": [3]}'}, "captions:.", r"3 is no caption"),
    "a missing npy": ({}, "npy:a.npy", r"there is no file a\.npy; give --data npy:PATH with the path of a"),
    "an empty npy": ({"a.npy": b""}, "npy:a.npy", r"a\.npy is no NumPy file, or is damaged"),
    "text named npy": ({"a.npy": "hello hello hello"}, "npy:a.npy", r"a\.npy (is no NumPy file|holds Python objects)"),
    "a truncated npy": (
        {"a.npy": npy(pixels(64, 64)[None])[:-100]},
        "npy:a.npy",
        r"a\.npy is no NumPy file, or is dam",
    ),
    "a folder named npy": ({"a.npy/x.txt": "x"}, "npy:a.npy", r"a\.npy cannot be read \(Is a directory\)"),
    "a pickle": (
        {"a.npy": npy(np.array([{"a": 1}, None], object), allow_pickle=True)},
        "npy:a.npy",
        r"a\.npy holds Python objects \(a pickle\), which could run any program; save it as an array of numbers",
    ),
    "a pickle within an npz": (
        {"a.npz": npz(x=np.array([print, None], object))},
        "npz:a.npz",
        r"a\.npz, array x, holds Python objects \(a pickle\)",
    ),
    "complex numbers": (
        {"a.npy": npy(np.zeros((4, 8, 8), complex))},
        "npy:a.npy",
        r"holds complex128; images are uint8",
    ),
    "strings": ({"a.npy": npy(np.full((4, 8, 8), "x"))}, "npy:a.npy", r"holds <U1; images are uint8"),
    "dates": ({"a.npy": npy(np.zeros((4, 8, 8), "M8[s]"))}, "npy:a.npy", r"holds datetime64.*images are uint8"),
    "nan": (
        {"a.npy": npy(np.where(np.arange(256).reshape(4, 8, 8) == 5, np.nan, 0.5))},
        "npy:a.npy",
        r"has NaN or infinite values in 1 of 4 images; mend or remove them",
    ),
    "infinite points": ({"a.npy": npy(np.full((4, 2), np.inf))}, "npy:a.npy", r"has NaN or infinite values"),
    "floats out of range": (
        {"a.npy": npy(np.full((4, 8, 8), 1.5))},
        "npy:a.npy",
        r"values from 1\.5 to 1\.5; floats of",
    ),
    "floats below the range": ({"a.npy": npy(np.full((4, 8, 8), -3.0))}, "npy:a.npy", r"values from -3 to -3; floats"),
    "numbers above 255": (
        {"a.npy": npy(np.full((4, 8, 8), 4095))},
        "npy:a.npy",
        r"from 4095 to 4095; images are whole",
    ),
    "negative numbers": ({"a.npy": npy(np.full((4, 8, 8), -1))}, "npy:a.npy", r"from -1 to -1; images are whole"),
    "an array of no images": (
        {"a.npy": npy(np.zeros((0, 8, 8), np.uint8))},
        "npy:a.npy",
        r"is empty, of shape \(0, 8, 8\)",
    ),
    "images of no pixels": (
        {"a.npy": npy(np.zeros((4, 0, 8), np.uint8))},
        "npy:a.npy",
        r"is empty, of shape \(4, 0, 8\)",
    ),
    "a single number": ({"a.npy": npy(np.float32(3))}, "npy:a.npy", r"is empty, of shape \(\)"),
    "one dimension": (
        {"a.npy": npy(np.zeros(9, np.uint8))},
        "npy:a.npy",
        r"has shape .*; images are \(num, height, width\)",
    ),
    "five dimensions": ({"a.npy": npy(np.zeros((4, 2, 2, 2, 2), np.uint8))}, "npy:a.npy", r"has shape .*; images are"),
    "rows that are no square": (
        {"a.npy": npy(np.zeros((4, 783), np.uint8))},
        "npy:a.npy",
        r"has shape .*or \(num, 784\)",
    ),
    "channels first": (
        {"a.npy": npy(np.zeros((4, 3, 8, 8), np.uint8))},
        "npy:a.npy",
        r"channels first; transpose it with array\.transpose\(0, 2, 3, 1\)",
    ),
    "four channels": ({"a.npy": npy(np.zeros((4, 8, 8, 4), np.uint8))}, "npy:a.npy", r"height, width, 1 or 3\)"),
    "several arrays named npy": (
        {"a.npy": npz(x=pixels()[None])},
        "npy:a.npy",
        r"holds several arrays; give --data npz",
    ),
    "one array named npz": ({"a.npz": npy(pixels()[None])}, "npz:a.npz", r"holds one array; give --data npy"),
    "no zip": ({"a.npz": b"PK\x03\x04 and then nothing"}, "npz:a.npz", r"a\.npz is no NumPy file, or is damaged"),
    "npz without a known name": (
        {"a.npz": npz(foo=pixels()[None], bar=pixels()[None])},
        "npz:a.npz",
        r"a\.npz holds foo, bar; name its arrays train and test, or x and y",
    ),
    "too few labels": (
        {"a.npz": npz(x=np.zeros((4, 8, 8), np.uint8), y=[1, 2])},
        "npz:a.npz",
        r"labels of shape \(2,\) for 4",
    ),
    "labels that are fractions": (
        {"a.npz": npz(x=np.zeros((4, 8, 8), np.uint8), y=[0.5, 1, 2, 3])},
        "npz:a.npz",
        r"has labels of float64; give whole numbers or strings",
    ),
    "an unknown name": ({}, "minst", r"no data set 'minst' is prepared in .*; point --data-dir to a folder that holds"),
    "a way out of the folder": (
        {},
        "../secret",
        r"\.\./secret is a path, not the name of a set; .* --data folder:\.\./",
    ),
    "an absolute name": ({}, "/etc", r"/etc is a path, not the name of a set"),
    "a path of Windows": ({}, "C:\\pictures", r"C:\\pictures is a path, not the name .* --data folder:C:\\pictures"),
    "a folder here": ({"photos/a.png": GOOD}, "photos", r"photos is a path, .* give --data folder:photos"),
    "an empty name": ({}, "", r"--data is empty; name a data set"),
    "an unknown scheme": ({}, "foldr:pictures", r"no data set 'foldr' is prepared"),
    "a class of digits": ({}, "digits:3:4", r"digits has no class '3:4'; there are: 0, 1"),
    "no category": ({}, "quickdraw:", r"names no category; give one, for example --data quickdraw:sheep"),
    "a category that is a path": ({}, "quickdraw:../x", r"names no category"),
    "a category that is not there": ({}, "quickdraw:sheep", r"no drawings of 'sheep' .*python -m experiments\.prepare"),
    "a damaged dataset_info": (
        {"mine/1.0.0/dataset_info.json": "{", "mine/1.0.0/features.json": "{}"},
        "mine",
        r"mine/1\.0\.0 is damaged \(.*\); remove it and prepare mine again",
    ),
    "a dataset_info alone": ({"mine/1.0.0/dataset_info.json": "{}"}, "mine", r"mine/1\.0\.0 is damaged"),
}


@pytest.mark.parametrize("what", FILES)
def test_what_cannot_be_used_gets_one_sentence_within_seconds(what, tmp_path, monkeypatch):
    files, name, says = FILES[what]
    monkeypatch.chdir(write_all(tmp_path, files))
    began = time.monotonic()
    with pytest.raises(UserError, match=says) as error:
        data.load(name, "train" if name.startswith("unpaired") else "all", tmp_path)
    assert "\n" not in str(error.value)
    assert time.monotonic() - began < 10


def test_the_table_is_long_enough():
    assert len(FILES) >= 80


def link_that_leads_nowhere(folder):
    (folder / "b.png").symlink_to(folder / "nowhere.png")


def link_to_itself(folder):
    (folder / "b.png").symlink_to(folder / "b.png")


def folder_that_is_a_broken_link(folder):
    (folder / "sub").symlink_to(folder / "nowhere")


def file_without_permission(folder):
    (folder / "b.png").write_bytes(GOOD)
    (folder / "b.png").chmod(0)


def folder_without_permission(folder):
    (folder / "sub").mkdir()
    (folder / "sub").chmod(0)


DISK = [
    (link_that_leads_nowhere, "folder:.", r"b\.png is a link that leads nowhere; mend or remove"),
    (link_to_itself, "folder:.", r"b\.png is a link that leads nowhere"),
    (folder_that_is_a_broken_link, "folder:sub", r"sub is a link that leads nowhere; give a folder that is there"),
    (file_without_permission, "folder:.", r"b\.png cannot be read \(Permission denied\); mend or remove"),
    (folder_without_permission, "folder:.", r"sub cannot be read \(Permission denied\); change its permissions"),
]


@pytest.mark.parametrize(("spoil", "name", "says"), DISK)
def test_links_and_permissions_get_one_sentence(spoil, name, says, tmp_path, monkeypatch):
    monkeypatch.chdir(write_all(tmp_path, {"a.png": GOOD}))
    spoil(tmp_path)
    if "permission" in spoil.__name__ and os.geteuid() == 0:
        pytest.skip("root may read everything")
    with pytest.raises(UserError, match=says):
        data.load(name, "all")


def test_a_folder_that_links_to_itself_is_read_once(tmp_path):
    write_all(tmp_path, {"a.png": GOOD, "sub/b.png": GOOD})
    (tmp_path / "sub" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert len(data.load(f"folder:{tmp_path}", "all")) == 2


OPTIONS = [
    ({"size": 0}, r"--images\.size is 0, but must be at least 1"),
    ({"size": -3}, r"--images\.size is -3"),
    ({"pad": -1}, r"--images\.pad is -1, but must be at least 0"),
    ({"caption_length": 0}, r"--images\.caption-length is 0"),
    ({"crop": "random"}, r"--images\.crop random needs --images\.size or --images\.pad"),
]


@pytest.mark.parametrize(("options", "says"), OPTIONS)
def test_wrong_image_options_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        ImageOptions(**options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"host_bytes": -1}, r"--storage\.host-bytes is -1, but must be at least 0"),
        ({"ahead_bytes": -1}, r"--storage\.ahead-bytes is -1"),
        ({"device_bytes": -1}, r"--storage\.device-bytes is -1"),
        ({"threads": 0}, r"--storage\.threads is 0, but must be at least 1"),
    ],
)
def test_wrong_storage_options_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        StorageOptions(**options)


def test_image_options_of_points_are_refused(tmp_path):
    with pytest.raises(UserError, match="ring8 holds points of 2 dimensions; leave the --images options out"):
        data.load("ring8", images=ImageOptions(flip=True))
    write_all(tmp_path, {"a.npy": npy(np.zeros((4, 2)))})
    with pytest.raises(UserError, match="holds points of 2 dimensions; leave the --images options out"):
        data.load(f"npy:{tmp_path}/a.npy", images=ImageOptions(size=8))


@pytest.mark.parametrize("lazy", [False, True])
def test_a_damaged_picture_is_named_whether_pictures_are_kept_or_read_as_needed(tmp_path, lazy):
    write_all(tmp_path, {"a.png": GOOD, "b.png": GOOD[:-60]})
    storage = StorageOptions(host_bytes=0 if lazy else 2**30)
    with pytest.raises(UserError, match=r"b\.png is damaged"):
        data.load(f"folder:{tmp_path}", "all", storage=storage).batch([0, 1])


@pytest.mark.skipif(not PREPARED.exists(), reason="no prepared data sets lie beside the project")
class TestPrepared:
    def damaged(self, tmp_path, damage):
        copy = tmp_path / "cifar100" / "3.0.2"
        shutil.copytree(PREPARED / "cifar100" / "3.0.2", copy)
        for path in (copy, *copy.iterdir()):
            path.chmod(0o755)
        damage(copy)
        return tmp_path

    @pytest.mark.parametrize(
        ("damage", "says"),
        [
            (lambda copy: _cut(copy / "cifar100-test.array_record-00000-of-00001"), r"split test, is damaged"),
            (lambda copy: _flip(copy / "cifar100-test.array_record-00000-of-00001"), r"split test, is damaged"),
            (lambda copy: (copy / "cifar100-test.array_record-00000-of-00001").unlink(), r"split test, is damaged"),
            (lambda copy: (copy / "cifar100-test.array_record-00000-of-00001").write_bytes(b""), r"is damaged"),
            (lambda copy: (copy / "features.json").unlink(), r"is damaged"),
            (lambda copy: (copy / "features.json").write_text("[]"), r"is damaged"),
            (lambda copy: (copy / "dataset_info.json").write_text("no json"), r"is damaged"),
            (
                lambda copy: _as_tfrecord(copy / "dataset_info.json"),
                r"prepared as tfrecord, which only TensorFlow reads",
            ),
        ],
    )
    def test_damaged_files_of_a_prepared_set_get_one_sentence(self, tmp_path, damage, says):
        folder = self.damaged(tmp_path, damage)
        with pytest.raises(UserError, match=says) as error:
            data.load("cifar100", "test", folder)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        ("name", "split", "says"),
        [
            ("cifar10:kat", "train", r"cifar10 has no class 'kat'; did you mean cat\?"),
            ("cifar10:spoon", "train", r"cifar10 has no class 'spoon'; there are: airplane, automobile"),
            ("cifar100:forest", "train", r"as prepared here holds no 'forest'; it holds: bicycle"),
            ("flickr8k_subset:dog", "train", r"flickr8k_subset has no labels, so no class 'dog'"),
            ("fashion_minst", "train", r"did you mean fashion_mnist"),
            ("mnist", "dev", r"mnist has no split 'dev'; there are: test, train|train, test"),
            ("quickdraw:rainbo", "train", r"quickdraw_bitmap has no class 'rainbo'; did you mean rainbow"),
            ("quickdraw:sheep", "train", r"as prepared here holds no 'sheep'; it holds: cat, rainbow"),
        ],
    )
    def test_unknown_classes_sets_and_splits_get_the_nearest(self, name, split, says):
        with pytest.raises(UserError, match=says):
            data.load(name, split, PREPARED)


def _cut(path: pathlib.Path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: pathlib.Path):
    """Spoils bytes amid the records."""
    content = bytearray(path.read_bytes())
    middle = 70_000
    content[middle : middle + 400] = bytes(value ^ 0xFF for value in content[middle : middle + 400])
    path.write_bytes(content)


def _as_tfrecord(path: pathlib.Path):
    path.write_text(path.read_text().replace('"array_record"', '"tfrecord"'))


def test_bad_images_are_refused_before_anything_is_compiled(tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("compiled")

    monkeypatch.setattr(Loop, "run", never)
    write_all(tmp_path / "mine", {"a.png": GOOD, "b.png": GOOD[:-60], "c.png": GOOD[:-60]})
    out = tmp_path / "run"
    with pytest.raises(UserError, match="is damaged"):
        train.main(["wgan_gp_digits", "--data", f"folder:{tmp_path / 'mine'}", "--out", str(out)])
    assert not out.exists()


def test_bad_images_exit_with_2_and_one_line_without_a_traceback(tmp_path):
    write_all(tmp_path / "mine", {"a.png": GOOD, "b.png": LARGER, "c.png": GOOD, "d.png": LARGER})
    done = subprocess.run(
        [sys.executable, "-m", "experiments.train", "wgan_gp_digits", "--data", f"folder:{tmp_path / 'mine'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert re.fullmatch(r"error: folder:.* mixes image sizes, .*; give --images\.size, .*\n", done.stderr)
    assert not done.stdout
