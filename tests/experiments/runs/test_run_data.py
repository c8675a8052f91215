"""What a run notices of its data: a table of changes, and of moves that are none."""

import dataclasses
import os
import shutil

import numpy as np
import pytest

from experiments import data, evaluate, likelihood, sample, train
from experiments.command_line.errors import UserError
from experiments.latents import main as latents
from experiments.runs import experiment, run_data, run_folder
from experiments.runs.run_data import Place
from experiments.training.loop import Loop
from tests.experiments.pictures_on_disk import encoded, npy, npz, pixels, write_all

PICTURES = {f"{name}/{index}.png": encoded(pixels(seed=index)) for name in ("cats", "dogs") for index in range(6)}
PAIRS = {f"{side}/{index}.png": encoded(pixels(seed=index)) for side in "AB" for index in range(6)}
CAPTIONED = {f"{index}.png": encoded(pixels(seed=index)) for index in range(3)}
TABLE = {"captions.txt": "0.png,one\n1.png,two\n2.png,three\n"}
IMAGES, LABELS = pixels(12, 8, 8), np.array(list("ab") * 6)
ARRAYS = {"a.npz": npz(x=IMAGES, y=LABELS)}
BEGUN = {
    "folder": (PICTURES, "folder:{}"),
    "pairs": (PAIRS, "pairs:{}"),
    "captions": (CAPTIONED | TABLE, "captions:{}"),
    "unpaired": (PAIRS, "unpaired:{0}/A,{0}/B"),
    "npz": (ARRAYS, "npz:{}/a.npz"),
    "npy": ({"a.npy": npy(IMAGES)}, "npy:{}/a.npy"),
}


def added(folder):
    write_all(folder, {"cats/7.png": encoded(pixels(seed=7)), "cats/8.png": encoded(pixels(seed=8))})


def replaced(name, **how):
    return lambda folder: write_all(folder, {name: encoded(pixels(seed=99), **how)})


CHANGES = {
    # kind of data, what is done to them, what the sentence says
    "a class renamed": (
        "folder",
        lambda folder: (folder / "dogs").rename(folder / "hounds"),
        r"classes dogs -> hounds",
    ),
    "a class added": (
        "folder",
        lambda folder: write_all(folder, {"birds/1.png": encoded()}),
        r"with the classes birds; 1 examples added, now 13",
    ),
    "a class removed": ("folder", lambda folder: shutil.rmtree(folder / "dogs"), r"without the classes cats, dogs"),
    "pictures added": ("folder", added, r"2 examples added, now 14"),
    "a picture removed": ("folder", lambda folder: (folder / "cats/0.png").unlink(), r"1 examples removed, now 11"),
    "a picture replaced": ("folder", replaced("cats/3.png"), r"other contents in 1 of 12 pictures"),
    "a picture renamed": (
        "folder",
        lambda folder: (folder / "cats/3.png").rename(folder / "cats/33.png"),
        r"pictures with other names",
    ),
    "a picture of another class": (
        "folder",
        lambda folder: (folder / "cats/3.png").rename(folder / "dogs/33.png"),
        r"other labels; pictures with other names",
    ),
    "a target replaced": ("pairs", replaced("B/3.png"), r"other contents in 1 of 6 targets"),
    "an input replaced": ("pairs", replaced("A/3.png"), r"other contents in 1 of 6 pictures"),
    "a caption": (
        "captions",
        lambda folder: write_all(folder, {"captions.txt": "0.png,one\n1.png,two\n2.png,four\n"}),
        r"other captions",
    ),
    "the second domain": (
        "unpaired",
        replaced("B/3.png"),
        r"other contents in 1 of 6 pictures .* in the second domain",
    ),
    "labels of an npz": (
        "npz",
        lambda folder: write_all(folder, {"a.npz": npz(x=IMAGES, y=LABELS[::-1])}),
        r"other labels",
    ),
    "an image of an npz": (
        "npz",
        lambda folder: write_all(folder, {"a.npz": npz(x=IMAGES ^ (np.arange(12) == 3)[:, None, None], y=LABELS)}),
        r"other contents in 1 of 12",
    ),
    "the shape of an npy": (
        "npy",
        lambda folder: write_all(folder, {"a.npy": npy(IMAGES.reshape(12, 4, 16))}),
        r"pictures of other sizes",
    ),
}


def begun(tmp_path, kind):
    """A run's folder as train leaves it, without a training: its data lie in tmp_path / "data"."""
    files, form = BEGUN[kind]
    write_all(tmp_path / "data", files)
    chosen = dataclasses.replace(experiment.load("wgan_gp_digits"), data=form.format(tmp_path / "data"))
    folder = tmp_path / "run"
    folder.mkdir()
    run_folder.begin(folder, "wgan_gp_digits", chosen, run_data.require_same(folder, chosen))
    run_folder.record_checkpoint(folder)
    return folder, chosen


@pytest.mark.parametrize("what", CHANGES)
def test_a_run_does_not_go_on_with_other_data_and_says_what_changed(what, tmp_path):
    kind, change, says = CHANGES[what]
    folder, chosen = begun(tmp_path, kind)
    assert run_data.require_same(folder, chosen)
    change(tmp_path / "data")
    with pytest.raises(
        UserError, match=rf"is not what the run in .*run began with \({says}.*\); put the data back, or"
    ):
        run_data.require_same(folder, chosen)


@pytest.mark.parametrize("what", CHANGES)
def test_commands_warn_of_other_data_and_refuse_other_classes(what, tmp_path, capsys):
    kind, change, says = CHANGES[what]
    folder, chosen = begun(tmp_path, kind)
    change(tmp_path / "data")
    if "class" in says:
        with pytest.raises(UserError, match=rf"{says}.*name the data of the run with --data"):
            run_data.check(folder, chosen)
        return
    run_data.check(folder, chosen)
    assert "warning: " in capsys.readouterr().out


@pytest.mark.parametrize("kind", BEGUN)
def test_data_may_move_and_be_touched(kind, tmp_path, capsys):
    folder, chosen = begun(tmp_path, kind)
    (tmp_path / "data").rename(tmp_path / "moved")
    for path in (tmp_path / "moved").rglob("*"):
        os.utime(path, (0, 0))
    with pytest.raises(UserError, match=r"give --data"):
        run_data.check(folder, chosen)
    name = BEGUN[kind][1].format(tmp_path / "moved")
    placed = run_data.placed(chosen, Place(name))
    run_data.check(folder, placed)
    run_data.require_same(folder, placed)
    assert run_folder.begin(folder, "wgan_gp_digits", placed)
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        (
            "folder:a",
            "digits",
            r"--data digits names other data than the run's, folder:a; give --data folder:NEW/PLACE",
        ),
        ("folder:a", "pairs:a", r"give --data folder:NEW/PLACE"),
        ("cifar10:cat", "cifar10:dog", r"other data than the run's, cifar10:cat; give --data-dir if they have moved"),
        ("digits", "ring8", r"give --data-dir"),
    ],
)
def test_other_data_are_no_new_place(before, now, says):
    chosen = dataclasses.replace(experiment.load("wgan_gp_digits"), data=before)
    with pytest.raises(UserError, match=says):
        run_data.placed(chosen, Place(now))


def test_a_run_of_an_earlier_version_goes_on_and_notes_its_data(tmp_path):
    folder, chosen = begun(tmp_path, "folder")
    run_folder._write(folder, {key: value for key, value in run_folder.read_config(folder).items() if key != "data"})
    added(tmp_path / "data")
    fingerprint = run_data.require_same(folder, chosen)
    run_folder.record_data(folder, fingerprint)
    assert run_folder.read_config(folder)["data"] == fingerprint


@pytest.mark.parametrize("name", ["digits", "digits:3", "ring8", "unpaired:digits:1,digits:2"])
def test_data_at_hand_have_a_fingerprint_too(name):
    chosen = dataclasses.replace(experiment.load("wgan_gp_digits"), data=name)
    assert data.fingerprint_for(chosen) == data.fingerprint_for(chosen)
    assert data.fingerprint_for(chosen)["images"]["contents"]


def test_train_goes_on_in_the_new_place_and_not_with_other_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(Loop, "run", lambda self, resumed, _: run_folder.record_checkpoint(self.folder) or int(resumed))
    write_all(tmp_path / "data", {f"{index}.png": encoded(pixels(seed=index)) for index in range(6)})

    def trained(place):
        where = ["--data", f"folder:{tmp_path / place}", "--out", str(tmp_path / "run")]
        return train.main(["wgan_gp_digits", *where, "--batch-size", "4"])

    assert trained("data") == 0
    (tmp_path / "data").rename(tmp_path / "moved")
    assert trained("moved") == 1
    (tmp_path / "moved" / "0.png").write_bytes(encoded(pixels(seed=9)))
    with pytest.raises(UserError, match="other contents in 1 of 6 pictures"):
        trained("moved")


@pytest.mark.parametrize(
    ("command", "action"), [(evaluate.main, []), (sample.main, []), (likelihood.main, []), (latents, ["reconstruct"])]
)
def test_every_command_that_reads_the_data_takes_their_place(command, action, tmp_path, capsys):
    folder, _ = begun(tmp_path, "folder")
    with pytest.raises(SystemExit):
        command([str(folder), *action, "--help"])
    printed = capsys.readouterr().out
    assert "--data " in printed and "--data-dir" in printed


def test_large_sets_are_sampled_and_their_names_and_sizes_taken_whole(monkeypatch, tmp_path):
    monkeypatch.setattr("experiments.data.fingerprints.SMALL_BYTES", 0)
    monkeypatch.setattr("experiments.data.fingerprints.SAMPLES", 2)
    folder, chosen = begun(tmp_path, "folder")
    (tmp_path / "data" / "cats" / "3.png").write_bytes(encoded(pixels(seed=3)) + b"more")
    with pytest.raises(UserError, match="pictures of other sizes"):
        run_data.require_same(folder, chosen)
