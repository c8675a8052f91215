"""What `python -m experiments.sample` draws, in each form, of which classes, and what it refuses."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from experiments import sample
from experiments.command_line.errors import UserError
from experiments.models import classes, sampling
from experiments.pictures import by_class, figures
from experiments.runs import run_folder
from experiments.samples import archive, drawing
from tests.experiments import small_runs
from tests.experiments.small_runs import GAN, PLANE

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "Nine")


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    return small_runs.save(GAN, tmp_path_factory.mktemp("gan") / "run")


@pytest.fixture(scope="module")
def cvae(tmp_path_factory):
    """A run whose record names its classes."""
    folder = small_runs.save(PLANE, tmp_path_factory.mktemp("cvae") / "run")
    record = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(record | {"classes": NAMES}))
    return folder


def draw(run, out, *options):
    assert sample.main([str(run), "--out", str(out), *map(str, options)]) == 0
    return out


def arrays(path):
    with np.load(path) as found:
        return dict(found)


def pictures(folder):
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))])[..., None]


def test_an_array_holds_the_images_and_their_classes(cvae, tmp_path):
    found = arrays(draw(cvae, tmp_path / "a.npz", "--num", 13, "--batch-size", 4))
    assert found["arr_0"].shape == (13, 8, 8, 1) and found["arr_0"].dtype == np.uint8
    np.testing.assert_array_equal(found["arr_1"], np.arange(13) % 10)
    assert found["arr_1"].dtype == np.int64
    assert np.abs(found["arr_0"].astype(int) - sampling.draw(cvae, 13, 0)[1]).max() <= 1


def test_an_array_of_a_model_without_classes_has_no_labels(gan, tmp_path):
    assert list(arrays(draw(gan, tmp_path / "a.npz", "--num", 3))) == ["arr_0"]


def test_an_array_is_written_batch_by_batch(cvae, tmp_path, monkeypatch):
    """Each batch lies in the file before the next is drawn."""
    sizes, batches = [], sampling.batches

    def watched(*args, **options):
        for batch in batches(*args, **options):
            sizes.append((tmp_path / ".a.npz.unfinished").stat().st_size)
            yield batch

    monkeypatch.setattr(sampling, "batches", watched)
    draw(cvae, tmp_path / "a.npz", "--num", 4_000, "--batch-size", 1_000)
    assert len(sizes) == 4 and sizes[3] - sizes[2] >= 60_000
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_single_files_are_named_by_number_and_go_on_where_they_stopped(cvae, tmp_path, capsys):
    out = tmp_path / "singles"
    draw(cvae, out, "--num", 4, "--batch-size", 3)
    (out / "000001.png").unlink()
    times = {path: path.stat().st_mtime_ns for path in out.glob("*.png")}
    draw(cvae, out, "--num", 6)
    assert "wrote 3 images of step 2, beside 3 that were there, to" in capsys.readouterr().out
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    assert np.abs(pictures(out).astype(int) - sampling.draw(cvae, 6, 0)[1]).max() <= 1
    with (out / "labels.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "label", "class"] and rows[4] == ["000003.png", "3", "three"] and len(rows) == 7
    draw(cvae, out, "--num", 2)
    assert len((out / "labels.csv").read_text().splitlines()) == 7


def test_labels_are_asked_for_by_name_and_number_and_keep_the_noise_of_each_image(cvae, tmp_path):
    found = arrays(draw(cvae, tmp_path / "a.npz", "--num", 4, "--label", "three", "7"))
    np.testing.assert_array_equal(found["arr_1"], [3, 7, 3, 7])
    other = arrays(draw(cvae, tmp_path / "b.npz", "--num", 4, "--label", "7"))
    np.testing.assert_array_equal(found["arr_0"][[1, 3]], other["arr_0"][[1, 3]])
    assert (found["arr_0"][[0, 2]] != other["arr_0"][[0, 2]]).any()


def test_the_same_latents_are_drawn_in_every_class(cvae):
    """Image i is of class i mod K and of the latents that sample i // K has elsewhere."""
    wanted = drawing.Wanted(8, 0, ("three", "7", "1"), "turn", 250, "newest")
    found = drawing.prepare(cvae, dataclasses.replace(wanted, same_latents=True)).all()
    for place, label in enumerate((3, 7, 1)):
        alone = drawing.prepare(cvae, dataclasses.replace(wanted, num=3, label=(str(label),))).all()
        mine = found[place::3]
        np.testing.assert_array_equal(mine, alone[: len(mine)])
    with pytest.raises(UserError, match="--same-latents has a column for each class"):
        drawing.prepare(cvae, dataclasses.replace(wanted, label=(), shares="data", same_latents=True))


def test_classes_come_as_often_as_the_data_have_them(cvae, tmp_path):
    found = arrays(draw(cvae, tmp_path / "a.npz", "--num", 1_500, "--classes", "data"))
    from experiments import data

    wanted = np.bincount(np.asarray(data.load("digits").labels), minlength=10)
    np.testing.assert_array_equal(np.bincount(found["arr_1"], minlength=10), wanted)


def drawn_tiles(monkeypatch):
    """What a picture is made of: tiles, columns, and labels of rows and of columns."""
    seen = {}
    grid, labelled = figures.grid, figures.labelled

    def watched_grid(pixels, columns=None, **options):
        seen.update(pixels=pixels, columns=columns)
        return grid(pixels, columns, **options)

    def watched_labels(picture, rows=(), columns=(), **options):
        seen.update(rows=list(rows), names=list(columns))
        return labelled(picture, rows, columns, **options)

    monkeypatch.setattr(figures, "grid", watched_grid)
    monkeypatch.setattr(figures, "labelled", watched_labels)
    return seen


def test_a_picture_has_one_class_a_column_under_its_name(cvae, tmp_path, monkeypatch):
    seen = drawn_tiles(monkeypatch)
    draw(cvae, tmp_path / "a.png", "--num", 20)
    assert seen["columns"] == 10 and seen["names"] == list(NAMES)
    draw(cvae, tmp_path / "b.png", "--num", 6, "--label", "nine", "two")
    assert seen["columns"] == 2 and seen["names"] == ["Nine", "two"]


def test_another_number_of_columns_has_one_class_a_row(monkeypatch):
    seen = drawn_tiles(monkeypatch)
    pixels = np.arange(7, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    by_class.picture(pixels, ("a", "b", "c"), 2)
    assert seen["rows"] == ["a", "", "b", "", "c", ""]
    assert seen["pixels"][:, 0, 0, 0].tolist() == [0, 3, 6, 255, 1, 4, 255, 255, 2, 5, 255, 255]


@pytest.mark.parametrize("num", [2, 12, 300])
def test_any_number_of_classes_has_a_column_each(num):
    names = tuple(f"class number {place}" for place in range(num))
    found = by_class.picture(np.zeros((num, 8, 8, 1), np.uint8), names)
    assert found.shape[1] == num * 34 + 2 and found.shape[0] > 36


def test_one_of_each_class_is_drawn_if_no_number_is_asked_for(cvae):

    wanted = drawing.Wanted(None, 0, (), "turn", 250, "newest")
    drawn = drawing.prepare(cvae, wanted)
    assert drawn.num == 64
    assert dataclasses.replace(drawn, turn=tuple(range(300))).num == 300


REFUSED = [
    (("--label", "thre"), r"--label 'thre' is no class, nor a number below 10; did you mean three\?"),
    (("--label", "10"), r"--label '10' is no class, nor a number below 10; there are: zero, one"),
    (("--label", "3", "--classes", "data"), "--label and --classes data ask for different classes"),
    (("--out", "a.jpg"), r"--out is a.jpg, but must end in .png \(a picture\) or .npz \(an array\), or be a folder"),
    (("--out", "a.npz", "--columns", "3"), "--columns is of a picture, but --out is a.npz"),
    (("--out", "there.npz"), "there.npz is there already; remove it or choose another --out"),
    (("--out", "full"), "full is not empty; choose another --out"),
    (("--out", "others", "--seed", "1"), r"others holds other samples \(seed is 0, not 1\); choose another --out"),
    (("--out", "others", "--label", "3"), r"others holds other samples \(classes is turn, not \['3'\]\)"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_cannot_be_drawn_is_said_before_anything_is(cvae, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.npz").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "photo.png").touch()
    (tmp_path / "others").mkdir()
    record = {"run": run_folder.read_config(cvae)["run"], "experiment": "vae_digits", "step": 2, "seed": 0}
    (tmp_path / "others" / "samples.json").write_text(json.dumps(record | {"classes": "turn"}))
    monkeypatch.setattr(sampling, "batches", lambda *_, **__: pytest.fail("drawn"))
    with pytest.raises(UserError, match=message):
        sample.main([str(cvae), *options])


@pytest.mark.parametrize("options", [("--label", "3"), ("--classes", "data")])
def test_a_model_that_is_told_no_class_says_so(gan, options):
    with pytest.raises(UserError, match="is given, but wgan_gp is not told classes; leave it out"):
        sample.main([str(gan), *options])


def test_a_disk_that_is_too_small_is_told(gan, tmp_path):
    with pytest.raises(UserError, match=r"takes 64,000,000.0 GB, but .* GB are free; choose another --out"):
        archive._check(tmp_path / "a.npz", 64 * 10**15)


def test_names_come_from_the_record_the_data_or_are_numbers(cvae, gan, tmp_path):
    _, experiment = run_folder.read(cvae)
    assert classes.names(cvae, experiment) == NAMES
    plain = small_runs.save(PLANE, tmp_path / "old")
    assert classes.names(plain, experiment) == tuple(map(str, range(10)))
    lost = dataclasses.replace(experiment, data="folder:gone")
    assert classes.names(plain, lost) == tuple(map(str, range(10)))
