"""Zip archives are read where they lie, as the folder that was packed."""

import io
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import archives
from experiments.data.options import ImageOptions, StorageOptions
from experiments.latents import own
from jaxgen.batches import Paired, Unpaired
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

ONE, TWO, THREE = (encoded(pixels(seed=seed)) for seed in range(3))
HOW = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED, "lzma": zipfile.ZIP_LZMA}


def packed(files, how=zipfile.ZIP_STORED):
    """The bytes of an archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


SETS = {
    # what lies in a folder, and how it is named
    "pictures": ("folder", {"a.png": ONE, "b.png": TWO, "sub/c.png": THREE}),
    "classes": ("folder", {"cats/1.png": ONE, "dogs/1.png": TWO, "dogs/2.png": THREE}),
    "splits": ("folder", {"train/x/1.png": ONE, "train/y/1.png": TWO, "test/x/1.png": THREE}),
    "stylegan": ("folder", {"00000/img0.png": ONE, "00000/img1.png": TWO, "dataset.json": '{"labels": null}'}),
    "captions": ("captions", {"a.png": ONE, "b.png": TWO, "captions.txt": "a.png,a cat\nb.png,a dog\r\n"}),
    "text files": ("captions", {"a.png": ONE, "a.txt": "a cat\nit"}),
    "pairs": ("pairs", {"A/1.png": ONE, "A/2.png": TWO, "B/1.png": TWO, "B/2.png": THREE}),
    "side by side": ("pairs", {"1.png": ONE, "2.png": TWO}),
    "domains": ("unpaired", {"trainA/1.png": ONE, "trainB/1.png": TWO, "trainB/2.png": THREE}),
}


def columns(image_set):
    fields = ("images", "labels", "targets", "others", "captions", "num_captions")
    return {name: None if (rows := getattr(image_set, name)) is None else np.asarray(rows[:]) for name in fields}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("top", ["", "photos/"])
@pytest.mark.parametrize("what", SETS)
def test_an_archive_is_the_folder_that_was_packed(what, top, how, tmp_path):
    scheme, files = SETS[what]
    write_all(tmp_path / "folder", files)
    write_all(tmp_path, {"packed.zip": packed({f"{top}{name}": content for name, content in files.items()}, HOW[how])})
    split = "train" if what == "domains" else "all"
    one, other = (data.load(f"{scheme}:{tmp_path}/{where}", split) for where in ("folder", "packed.zip"))
    np.testing.assert_equal(columns(other), columns(one))
    assert other.classes == one.classes


def test_the_scheme_zip_and_a_folder_within_an_archive_are_understood(tmp_path):
    write_all(tmp_path, {"a.zip": packed({"x/1.png": ONE, "y/2.png": TWO})})
    assert data.load(f"zip:{tmp_path}/a.zip", "all").classes == ("x", "y")
    np.testing.assert_array_equal(data.load(f"folder:{tmp_path}/a.zip/y", "all").batch([0])[0], pixels(seed=1))


def test_two_archives_are_two_domains(tmp_path):
    write_all(tmp_path, {"a.zip": packed({"1.png": ONE}), "b.zip": packed({"1.png": TWO, "2.png": THREE})})
    both = data.load(f"unpaired:{tmp_path}/a.zip,{tmp_path}/b.zip", "all")
    assert both.batch([0], Unpaired) is not None and len(both.others) == 2


def test_own_pictures_may_lie_in_an_archive(tmp_path):
    write_all(tmp_path, {"a.zip": packed({"1.png": ONE, "2.png": TWO})})
    names, found, said = own.load(tmp_path / "a.zip", (8, 8, 3))
    assert names == ("1", "2") and "2 pictures, taken as 8x8" in said
    np.testing.assert_array_equal(found, [pixels(), pixels(seed=1)])


def test_what_systems_add_and_names_that_lead_out_are_left_out(tmp_path):
    names = ("__MACOSX/._1.png", ".hidden.png", "../out.png", "sub/../../out.png")
    files = {"1.png": ONE, "/abs/2.png": TWO, "win\\3.png": THREE} | dict.fromkeys(names, b"x")
    write_all(tmp_path, {"a.zip": packed(files), "out.png": b"x"})
    found = archives.of(tmp_path / "a.zip")
    inside = sorted(path.relative_to(tmp_path / "a.zip").as_posix() for path in found.files)
    assert inside == ["1.png", "abs/2.png", "win/3.png"]


def test_members_are_read_from_many_threads(tmp_path):
    contents = {f"{number}.png": encoded(pixels(32, 32, seed=number)) for number in range(50)}
    write_all(tmp_path, {"a.zip": packed(contents, zipfile.ZIP_DEFLATED)})
    archive, start = archives.of(tmp_path / "a.zip"), threading.Barrier(8)

    def read(_):
        start.wait()
        return all(archive.read(tmp_path / "a.zip" / name) == content for name, content in contents.items())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(8)))
    lazy = data.load(f"folder:{tmp_path}/a.zip", "all", storage=StorageOptions(host_bytes=0))
    assert lazy.batch(np.arange(50)).shape == (50, 32, 32, 3)


def spoiled():
    """An archive of which one member's bytes have changed."""
    content = bytearray(packed({"a.png": ONE, "b.png": TWO}))
    content[content.index(TWO) + 20] ^= 1
    return bytes(content)


def encrypted():
    content = bytearray(packed({"a.png": ONE, "b.png": TWO}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rindex(signature) + offset] |= 1
    return bytes(content)


WRONG = {
    "no archive": (b"hello", r"a\.zip is no zip archive, or is damaged \(.+\); save it anew"),
    "an archive that is cut short": (packed({"a.png": ONE})[:-30], r"a\.zip is no zip archive, or is damaged"),
    "an empty archive": (packed({}), r"holds no pictures \(it is empty\)"),
    "an archive without pictures": (packed({"a.txt": "x"}), r"holds no pictures \(its files are a\.txt\)"),
    "a damaged member": (spoiled(), r"a\.zip/b\.png cannot be read \(bad crc-32.*\); mend or remove"),
    "an encrypted member": (encrypted(), r"a\.zip/b\.png cannot be read \(.*(encrypted|password).*\); mend or remove"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_archive_that_cannot_be_used_gets_one_sentence(what, tmp_path):
    content, says = WRONG[what]
    write_all(tmp_path, {"a.zip": content})
    with pytest.raises(UserError, match=says) as error:
        data.load(f"folder:{tmp_path}/a.zip", "all")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("what", ["a damaged member", "an encrypted member"])
def test_a_member_that_cannot_be_read_may_be_left_out(what, tmp_path):
    write_all(tmp_path, {"a.zip": WRONG[what][0]})
    found = data.load(f"folder:{tmp_path}/a.zip", "all", images=ImageOptions(skip_damaged=True))
    assert len(found) == 1 and "left out: 1 of 2 that cannot be used: " in found.notes[-1]


def test_a_folder_of_archives_is_told_to_name_one(tmp_path):
    write_all(tmp_path, {"photos.zip": packed({"a.png": ONE})})
    with pytest.raises(UserError, match=r"holds no pictures .*; give --data folder:.*photos\.zip"):
        data.load(f"folder:{tmp_path}", "all")


def test_a_folder_may_be_named_like_an_archive(tmp_path):
    write_all(tmp_path / "photos.zip", {"a.png": ONE})
    assert len(data.load(f"folder:{tmp_path}/photos.zip", "all")) == 1


def test_an_archive_that_has_changed_is_opened_anew(tmp_path):
    for number in (1, 2):
        write_all(tmp_path, {"a.zip": packed({f"{index}.png": ONE for index in range(number)})})
        assert len(data.load(f"folder:{tmp_path}/a.zip", "all")) == number


def test_pairs_in_an_archive_make_a_batch(tmp_path):
    write_all(tmp_path, {"a.zip": packed(SETS["pairs"][1])})
    inputs, targets = data.load(f"pairs:{tmp_path}/a.zip", "all").batch([0], Paired)
    np.testing.assert_array_equal((inputs[0], targets[0]), (pixels(), pixels(seed=1)))
